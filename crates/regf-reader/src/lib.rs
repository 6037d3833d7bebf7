//! Windows registry hives (`regf`), read-only, over positioned reads.
//!
//! On-disk format: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md>.
//!
//! * Read: hives of the versions 1.3 to 1.6; keys with their class names and times, subkey lists of
//!   all kinds, values of all kinds, those in many segments too.
//! * A hive that was not written in full is replayed from its transaction logs, in memory, with both
//!   formats of logs ([`Logs`], [`Replay`]). What could not be replayed is told ([`Hive::problems`]).
//! * Damage costs what it hits: a listing gives what is good of it ([`Subkeys`], [`Values`]). A name
//!   that is not found is "not there" only if nothing of its listing was damaged.
//! * A key is given only below the parent that it names itself, and a list or large data only to
//!   the first that points to it. So a walk over all keys ends, whatever the hive says.
//! * Memory is bounded: lists come in whole, with at most [`MOST_ENTRIES`] keys or values; data has
//!   at most [`MOST_DATA`] bytes; a log at most [`MOST_LOG`].
//! * Refused: versions before 1.3, data of more than [`MOST_DATA`] bytes. Links are not followed,
//!   for what they name is outside the hive. Keys of layered hives (containers) are given with a word,
//!   for what stands below their layer is elsewhere. Transactions of the transaction manager (TxR) are
//!   not applied. Security descriptors are not read.
//!
//! ```
//! use regf_reader::{Hive, Logs};
//! use std::sync::Arc;
//!
//! # fn services(file: Vec<u8>, log1: Option<Vec<u8>>) -> Result<(), regf_reader::Error> {
//! let log1 = log1.map(|log| Arc::new(log) as Arc<dyn block_source::BlockSource>);
//! let hive = Hive::open(Arc::new(file), Logs { log1, log2: None })?;
//! for problem in hive.problems() {
//!     eprintln!("{problem}");
//! }
//! if let Some(key) = hive.root()?.path("ControlSet001\\Services")? {
//!     for service in key.subkeys().keys {
//!         println!("{}", service.name());
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod base_block;
mod bytes;
mod claims;
mod data;
mod error;
mod hive;
mod image;
mod key;
mod list;
mod log;
mod marvin;
mod overlay;
mod text;
mod value;

pub use data::{Data, Kind};
pub use error::{Damage, Error};
pub use hive::Hive;
pub use key::{Key, Subkeys, Time, Values};
pub use log::{Logs, Replay};
pub use text::Text;
pub use value::Value;

/// The most keys or values of one key that are listed.
pub const MOST_ENTRIES: usize = 1 << 20;

/// Bytes of the largest data of a value.
pub const MOST_DATA: u32 = 64 << 20;

/// Bytes of the largest transaction log that is replayed.
pub const MOST_LOG: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    /// Fails to compile if not.
    #[test]
    fn hives_are_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<super::Hive>();
        shared::<super::Key>();
        shared::<super::Value>();
    }
}
