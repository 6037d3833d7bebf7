//! One tree that every filesystem reader is tested over. Development only; needs root.
//!
//! [`fill`] makes the tree on a mounted filesystem, [`witness`] writes down what the kernel says
//! of it, a reader dressed as a [`Subject`] is held against that by [`compare`], and [`report`]
//! prints the row of the table. [`run`] does all of that for one [`Case`]:
//!
//! ```no_run
//! # struct Reader; fn open(_: &std::path::Path) -> Reader { Reader }
//! # use conformance::*;
//! # impl Subject for Reader {
//! #     type Node = u64;
//! #     fn root(&self) -> u64 { 2 }
//! #     fn metadata(&self, _: &u64) -> Answer<Metadata> { Err(String::new()) }
//! #     fn list(&self, _: &u64) -> Answer<Vec<(Vec<u8>, u64)>> { Ok(Vec::new()) }
//! #     fn lookup(&self, _: &u64, _: &[u8]) -> Answer<Option<u64>> { Ok(None) }
//! #     fn read(&self, _: &u64, _: u64, _: &mut [u8]) -> Answer<usize> { Ok(0) }
//! #     fn read_link(&self, _: &u64) -> Answer<Vec<u8>> { Ok(Vec::new()) }
//! #     fn xattrs(&self, _: &u64) -> Answer<Xattrs> { Ok(Xattrs::new()) }
//! # }
//! if can_mount() {
//!     let case = Case {
//!         format: "xfs",
//!         features: "bigtime",
//!         mkfs: &["mkfs.xfs", "-q", "-m", "bigtime=1"],
//!         mount: "loop",
//!         megabytes: 1024,
//!         abilities: Abilities { longest_link: 1023, ..Abilities::default() },
//!     };
//!     run(&case, open);
//! }
//! ```
//!
//! A tool or a call that fails panics: here that is a failed test.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "failures are failed tests")]

mod abilities;
mod case;
mod compare;
mod fill;
mod mount;
mod row;
mod subject;
mod tree;
mod witness;

pub use abilities::{Abilities, XattrRoom};
pub use case::{Case, Outcome, run};
pub use compare::{Difference, compare};
pub use fill::fill;
pub use mount::{Mounted, can_mount, mkfs, tool, workplace};
pub use row::{Row, report};
pub use subject::{Answer, Metadata, Subject, Xattrs};
pub use tree::{Content, Digest, Kind, Node, Probe, Time, Tree};
pub use witness::witness;
