//! Counts of calls and bytes, and what AWS asks for them.

use std::sync::Arc;
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

impl Usage {
    /// Each action as IAM writes it, with its calls and what they cost.
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
    pub fn by_action(&self) -> [(&'static str, u64, f64); 2] {
        [
            ("ebs:ListSnapshotBlocks", self.list_calls, self.list_calls as f64 * USD_PER_LIST),
            ("ebs:GetSnapshotBlock", self.get_calls, self.get_calls as f64 * USD_PER_GET),
        ]
    }
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
    /// Counts everything that this one counts too.
    whole: Option<Arc<Meter>>,
}

impl Meter {
    /// Counts from nothing for a part of what `whole` counts.
    pub(super) fn part_of(whole: &Arc<Self>) -> Self {
        Self { whole: Some(whole.clone()), ..Self::default() }
    }

    pub(super) fn called(&self, action: Action) {
        self.add(1, |meter| match action {
            Action::List => &meter.lists,
            Action::Get => &meter.gets,
        });
    }

    /// Takes back a call that never left.
    pub(super) fn unsent(&self, action: Action) {
        let count = match action {
            Action::List => &self.lists,
            Action::Get => &self.gets,
        };
        count.fetch_sub(1, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.unsent(action);
        }
    }

    pub(super) fn retried(&self) {
        self.add(1, |meter| &meter.retries);
    }

    pub(super) fn throttled(&self) {
        self.add(1, |meter| &meter.throttles);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.add(bytes as u64, |meter| &meter.bytes);
    }

    fn add(&self, more: u64, count: impl Fn(&Self) -> &AtomicU64) {
        count(self).fetch_add(more, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.add(more, count);
        }
    }

    pub(super) fn usage(&self) -> Usage {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (list_calls, get_calls) = (get(&self.lists), get(&self.gets));
        let usage = Usage {
            api_calls: list_calls + get_calls,
            list_calls,
            get_calls,
            retries: get(&self.retries),
            throttles: get(&self.throttles),
            bytes_read: get(&self.bytes),
            usd: 0.0,
        };
        let usd = usage.by_action().iter().map(|(_, _, usd)| usd).sum();
        Usage { usd, ..usage }
    }
}
