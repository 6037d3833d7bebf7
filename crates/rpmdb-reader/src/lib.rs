//! rpm package databases, read-only, over positioned reads: Berkeley DB (`Packages`), ndb
//! (`Packages.db`) and SQLite (`rpmdb.sqlite`, with what is only in its write-ahead log), and the
//! package headers in them.
//!
//! * The kind of database is told by its first bytes ([`Kind`]), not by its name.
//! * Headers come one after the other ([`Database::headers`]); memory is bounded by the largest,
//!   which may have 256 MiB, as in rpm. Files are read in ranges, never whole, and the source is told
//!   beforehand what will be read.
//! * Damage costs what it hits: the headers go on after an error, each of which tells its place.
//!   What came with a package has a digest in its header, which is checked, and parts of a file that
//!   are in use though nothing names them are told.
//! * Files of SQLite that stand beside such databases, dnf's history above all, are read table by table
//!   ([`Tables`]).
//! * A header is parsed without its files, or with them ([`Files`]).
//!
//! ```
//! use rpmdb_reader::{Beside, Database, Files, Package};
//! use std::sync::Arc;
//!
//! # fn list(file: Vec<u8>, wal: Option<Vec<u8>>) -> Result<(), rpmdb_reader::Error> {
//! let wal = wal.map(|wal| Arc::new(wal) as Arc<dyn block_source::BlockSource>);
//! let database = Database::open(Arc::new(file), Beside { wal, journal: None })?;
//! for problem in database.problems() {
//!     eprintln!("{problem}");
//! }
//! for header in database.headers() {
//!     match header.and_then(|header| Package::parse(&header.bytes, Files::Left)) {
//!         Ok(package) => println!("{} {}-{}", package.name, package.version, package.release),
//!         Err(problem) => eprintln!("{problem}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod bdb;
mod bytes;
mod database;
mod error;
mod file_list;
mod header;
mod ndb;
mod package;
mod signature;
mod sqlite;
mod window;

pub use database::{Beside, Blob, Database, Headers, Kind};
pub use error::Error;
pub use file_list::{File, FileList, State};
pub use header::{Header, Strings, tag};
pub use package::{Files, Package};
pub use signature::KeyId;
pub use sqlite::{Record, Table, Tables};

/// Bytes of the largest header that is read, as in rpm.
pub const MOST_HEADER: usize = 256 << 20;
