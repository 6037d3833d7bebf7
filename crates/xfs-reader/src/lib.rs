//! XFS of versions 4 and 5, read-only, over positioned reads.

mod backup;
mod bytes;
mod checksum;
mod error;
pub mod log;
mod superblock;

pub use error::Error;
pub use superblock::{Superblock, incompat};
