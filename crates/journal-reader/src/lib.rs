//! Journal files of systemd, read-only, over positioned reads.
//!
//! On-disk format: <https://systemd.io/JOURNAL_FILE_FORMAT/>.
//!
//! * Read: files of all versions, compact ones too, with both kinds of hashes, and values that are
//!   packed with xz, lz4 or zstd.
//! * Nothing is scanned: a value is found through the hash table ([`Journal::find`]), its entries
//!   through their chain ([`Journal::oldest`], [`Journal::newest`]), all values of a field through the
//!   field's list ([`Journal::values`]). How a boot begins ([`Journal::newest_beginning`]) takes some
//!   pages of a file of any size.
//! * Of a file that its writer did not close, as on the disk of a running machine, all is read that
//!   was written.
//! * Damage costs what it hits: lists give what is good of them and say what ended them. A list that
//!   turns back is damage, so that each ends.
//! * Memory and reads are bounded: by the bytes that the caller gives for all reads of a file, and a
//!   mebibyte for a value. What values have when unpacked counts as read.
//! * Refused: flags that change the format and are not known here. Seals are not checked.
//!
//! ```
//! use journal_reader::Journal;
//! use std::sync::Arc;
//!
//! # fn kernel(file: Vec<u8>) -> Result<(), journal_reader::Error> {
//! let mut journal = Journal::open(Arc::new(file), 1 << 20)?;
//! if let Some(boot) = journal.newest_beginning()? {
//!     println!("{:?}", boot.kernel);
//! }
//! if let Some(value) = journal.find(b"_TRANSPORT=kernel")? {
//!     for place in journal.newest(&value, 10).places {
//!         let entry = journal.entry(place)?;
//!         println!("{} {:?}", entry.time, journal.field(&entry, b"MESSAGE")?);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod boot;
mod bytes;
mod data;
mod entry;
mod error;
mod hash;
mod header;
mod journal;
mod object;
mod pages;
mod unpack;

pub use boot::{Beginning, Boot, Boots};
pub use data::{Value, Values};
pub use entry::{Entries, Entry};
pub use error::Error;
pub use header::Header;
pub use journal::Journal;
