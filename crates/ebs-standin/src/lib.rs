//! A stand-in for the EBS direct APIs: it serves raw disk images as snapshots, sparsely,
//! sorted and paged, with tokens that are checked, checksums, the real error types, and
//! latency, throttling and faults as asked.
//!
//! ```no_run
//! use ebs_standin::{Action, Effect, ErrorKind, Faults, Rule, Standin, When};
//!
//! # fn main() -> Result<(), ebs_standin::StandinError> {
//! let throttled = Effect::Error(ErrorKind::ResourceLevelThrottle);
//! let server = Standin::builder()
//!     .snapshot("snap-0123456789abcdef0", "disk.img")
//!     .faults(Faults::default().latency_ms(30).rule(
//!         Rule::on(Action::GetSnapshotBlock, throttled).when(When::Every(10)),
//!     ))
//!     .start()?;
//! println!("AWS_ENDPOINT_URL_EBS={}", server.url());
//! println!("{} blocks read", server.stats().distinct_blocks);
//! # Ok(())
//! # }
//! ```
//!
//! Wire format: the service model `ebs/2019-11-02` (rest-json), and the API reference at
//! <https://docs.aws.amazon.com/ebs/latest/APIReference/>. Only the reading half is here:
//! `StartSnapshot`, `PutSnapshotBlock` and `CompleteSnapshot` are unknown operations.
//! Signatures are not verified.

mod api;
mod auth;
mod body;
mod error;
mod faults;
mod image;
mod images;
mod plan;
mod pool;
mod server;
mod snapshot;
mod state;
mod stats;
mod sync;
mod throttle;
mod token;

pub use error::{ErrorKind, StandinError};
pub use faults::{Action, Effect, Faults, Latency, Limits, Pages, Rate, Rule, TokenLife, When};
pub use image::BLOCK_SIZE;
pub use server::{Builder, Standin};
pub use snapshot::{Access, Change, Snapshot, Status};
pub use stats::{ActionStats, LOG_LIMIT, LogEntry, SnapshotStats, Stats};
