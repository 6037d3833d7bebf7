//! Counts of calls and bytes, and what AWS asks for them.

use std::sync::atomic::{AtomicU64, Ordering};

/// US dollars for one call of a list action (user guide, us-east-1).
const USD_PER_LIST: f64 = 0.0006 / 1000.0;
/// US dollars for one `GetSnapshotBlock`.
const USD_PER_GET: f64 = 0.003 / 1000.0;

/// What the calls of an account came to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Calls in all, retries included.
    pub api_calls: u64,
    /// Calls of `ListSnapshotBlocks`, retries included.
    pub list_calls: u64,
    /// Calls of `GetSnapshotBlock`, retries included.
    pub get_calls: u64,
    /// Calls that repeated a failed one.
    pub retries: u64,
    /// Calls that AWS refused for their rate.
    pub throttles: u64,
    /// Bytes of blocks received.
    pub bytes_read: u64,
    /// The most that AWS asks for the calls at the prices of us-east-1; traffic is not in it.
    pub usd: f64,
}

/// An action of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    List,
    Get,
}

/// The running counts.
#[derive(Default)]
pub(super) struct Meter {
    lists: AtomicU64,
    gets: AtomicU64,
    retries: AtomicU64,
    throttles: AtomicU64,
    bytes: AtomicU64,
}

impl Meter {
    pub(super) fn called(&self, action: Action) {
        match action {
            Action::List => add(&self.lists, 1),
            Action::Get => add(&self.gets, 1),
        }
    }

    pub(super) fn retried(&self) {
        add(&self.retries, 1);
    }

    pub(super) fn throttled(&self) {
        add(&self.throttles, 1);
    }

    pub(super) fn received(&self, bytes: usize) {
        add(&self.bytes, bytes as u64);
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
    pub(super) fn usage(&self) -> Usage {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (list_calls, get_calls) = (get(&self.lists), get(&self.gets));
        Usage {
            api_calls: list_calls + get_calls,
            list_calls,
            get_calls,
            retries: get(&self.retries),
            throttles: get(&self.throttles),
            bytes_read: get(&self.bytes),
            usd: list_calls as f64 * USD_PER_LIST + get_calls as f64 * USD_PER_GET,
        }
    }
}

fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}
