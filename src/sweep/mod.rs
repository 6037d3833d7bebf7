//! One pass over all hosts of an account and region.

mod failure;
mod host;
mod ledger;
mod run;
mod selection;
mod turns;

pub use failure::Failure;
pub use host::{Scanned, Scanner, place};
pub use ledger::{Held, Ledger, Left};
pub use run::{clean_up, is_expired, run};
pub use selection::{OPT_OUT, Selection, TagFilter, left_out};
pub use turns::Turns;

use crate::inventory::Options;
use jiff::Timestamp;
use std::time::Duration;

/// How a sweep goes about its work.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Hosts scanned at the same time.
    pub parallel: usize,
    /// Of these, hosts whose disks are read at the same time.
    pub reading: usize,
    /// Most bytes of disk blocks held in memory for each of those.
    pub cache_bytes: u64,
    /// What of each is listed.
    pub inventory: Options,
    /// Most snapshots on their way in the account, the customer's own among them.
    pub most_pending: usize,
    /// How long a host waits for room among them.
    pub room_timeout: Duration,
    /// How long a snapshot may take.
    pub snapshot_timeout: Duration,
    /// How long a new snapshot may be missing from the listing.
    pub unlisted: Duration,
    /// After this time a snapshot that is still there is a leftover.
    pub lifetime: Duration,
    /// How long snapshots are deleted after a signal.
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parallel: 8,
            reading: 1,
            cache_bytes: 12 << 20,
            inventory: Options::default(),
            // An account may have 100; its own backups need some of them.
            most_pending: 80,
            room_timeout: Duration::from_mins(15),
            snapshot_timeout: Duration::from_hours(2),
            unlisted: host::unlisted(),
            lifetime: Duration::from_hours(6),
            // ECS kills a task two minutes after its signal, and the report takes some of them.
            patience: Duration::from_secs(90),
        }
    }
}

/// An id for a sweep: its second, and something that tells two of one second apart.
pub fn new_id() -> String {
    let second = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    format!("sweep-{second}-{:08x}", fastrand::u32(..))
}

/// Now, and the end of a time that begins now, RFC 3339 to the second.
pub fn now(lifetime: Duration) -> (String, String) {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
    let end = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
    (now.to_string(), end.to_string())
}
