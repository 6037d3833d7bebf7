//! Zip archives, read-only, over positioned reads.
//!
//! Format: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>.
//!
//! * Read: the end of the archive, its directory piece by piece, and the entries that a caller asks
//!   for; with zip64, with data before the archive whether offsets count it or not, and with a comment.
//! * Entries that are stored or deflated. What comes out is held against the size and the checksum of
//!   the directory; it is never more than that size, nor than the caller's limit.
//! * An archive in an archive, if it is stored, is read where it is ([`Archive::stored`]).
//! * Memory is bounded by the caller's limit on an entry; nothing is allocated by a number of the file.
//! * Refused: archives in several parts, encrypted entries, other methods, directories of more than
//!   [`MOST_DIRECTORY`] bytes (what stands before that is given). Names are bytes.
//!
//! ```
//! # fn manifest(file: Vec<u8>) -> Result<(), zip_reader::Error> {
//! let archive = zip_reader::Archive::open(std::sync::Arc::new(file))?;
//! for entry in archive.entries() {
//!     let entry = entry?;
//!     if entry.name == b"META-INF/MANIFEST.MF" {
//!         println!("{} bytes", archive.read(&entry, 1 << 20)?.len());
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod archive;
mod bytes;
mod data;
mod end;
mod entries;
mod error;
mod window;

pub use archive::Archive;
pub use entries::{Entries, Entry};
pub use error::Error;
pub use window::Window;

/// Bytes of a directory that are read.
pub const MOST_DIRECTORY: u64 = 64 << 20;
/// How many times its packed size an entry of more than a megabyte may have.
pub const MOST_EXPANSION: u64 = 200;
