//! Databases of bbolt, read-only, over positioned reads: `meta.db` of containerd, the state of Podman,
//! etcd's own.
//!
//! The format is what its code writes: <https://github.com/etcd-io/bbolt/blob/main/internal/common/page.go>
//! and, beside it, `meta.go` and `bucket.go`.
//!
//! * Read: version 2, pages of 1 to 64 KiB, as machines with little-endian numbers write them (amd64,
//!   arm64 and nearly all others). bbolt writes numbers as its machine has them; a file of a big-endian
//!   one is refused.
//! * The newer of the two meta pages whose checksum holds counts ([`Database::open`]). If the file was
//!   copied while it was written, what that one names may be lost; [`Database::older`] is the state
//!   before it.
//! * Entries come one after the other ([`Bucket::entries`], [`Bucket::seek`]), in the order of their
//!   keys; one is found from few pages ([`Bucket::get`], [`Bucket::bucket`]). Of a page with large values
//!   only the beginning is held.
//! * Damage costs what it hits: a page that cannot be read is an error in the place of the entries below
//!   it, which tells its number, and the others follow. The order of keys is checked, and where it is
//!   broken nothing is left out for it.
//! * Pages have no checksum: damage inside keys and values, and a page that another of the same kind took
//!   the place of while the file was copied, are not seen.
//! * Memory and time are bounded: by what a value may have and what may be read in all ([`Limits`]),
//!   [`MOST_DEPTH`] pages in a path and [`MOST_NESTED`] buckets; no page is met twice in one.
//! * Not read: the list of free pages.
//!
//! ```
//! use bbolt_reader::{Database, Entry, Limits};
//! use std::sync::Arc;
//!
//! # fn list(file: Vec<u8>) -> Result<(), bbolt_reader::Error> {
//! let limits = Limits { value: 1 << 20, read: 256 << 20 };
//! let database = Database::open(Arc::new(file), limits)?;
//! let Some(containers) = database.root().nested(&[b"v1", b"default", b"containers"])? else {
//!     return Ok(());
//! };
//! for entry in containers.entries() {
//!     match entry {
//!         Ok(Entry::Bucket { bucket, .. }) => println!("{:?}", bucket.get(b"image")?),
//!         Ok(Entry::Value { key, value }) => println!("{key:?}: {} bytes", value.len()),
//!         Err(problem) => eprintln!("{problem}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod bounds;
mod bucket;
mod bytes;
mod database;
mod entries;
mod error;
mod file;
mod level;
mod meta;
mod page;
mod visited;
mod wanted;

pub use bucket::Bucket;
pub use database::Database;
pub use entries::{Entries, Entry};
pub use error::Error;
pub use file::Limits;

/// Pages from the root of a bucket to a leaf.
pub const MOST_DEPTH: usize = 64;
/// Buckets in one another.
pub const MOST_NESTED: usize = 64;
/// Bytes of a key, as in bbolt.
pub const MOST_KEY: usize = 32 << 10;
