//! Throttling: token buckets per account and per snapshot, and a cap on calls in flight.

use std::{collections::HashMap, sync::Mutex, time::Instant};

use crate::{
    error::ErrorKind,
    faults::{Action, Limits, Rate},
    plan::Call,
    sync::lock,
};

#[derive(Debug)]
pub(crate) struct Throttle {
    limits: Limits,
    buckets: Mutex<HashMap<Key, Bucket>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account(Action, String),
    Snapshot(String),
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Throttle {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, buckets: Mutex::default() }
    }

    /// Counts the call against its limits; an error where one is used up. `in_flight`
    /// includes the call.
    pub(crate) fn refuse(
        &self,
        call: Call<'_>,
        account: &str,
        in_flight: u64,
    ) -> Option<ErrorKind> {
        if self.limits.in_flight.is_some_and(|most| in_flight > most) {
            return Some(ErrorKind::ConcurrentLimitExceeded);
        }
        let getting = call.action == Action::GetSnapshotBlock;
        let account_rate = if getting { self.limits.account_get } else { self.limits.account_list };
        if !self.take(account_rate, || Key::Account(call.action, account.to_owned())) {
            return Some(ErrorKind::AccountThrottled);
        }
        let snapshot_rate = self.limits.snapshot_get.filter(|_| getting);
        if !self.take(snapshot_rate, || Key::Snapshot(call.snapshot.to_owned())) {
            return Some(ErrorKind::ResourceLevelThrottle);
        }
        None
    }

    fn take(&self, rate: Option<Rate>, key: impl FnOnce() -> Key) -> bool {
        let Some(rate) = rate else { return true };
        let now = Instant::now();
        let full = || Bucket { tokens: rate.burst, filled: now };
        lock(&self.buckets).entry(key()).or_insert_with(full).take(rate, now)
    }
}

impl Bucket {
    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * rate.per_second).min(rate.burst);
        self.filled = self.filled.max(now);
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let rate = Rate::new(10.0, 3.0);
        let mut bucket = Bucket { tokens: rate.burst, filled: start };
        let mut taken = |ms| {
            (0..100).take_while(|_| bucket.take(rate, start + Duration::from_millis(ms))).count()
        };
        assert_eq!(taken(0), 3);
        assert_eq!(taken(50), 0);
        assert_eq!(taken(250), 2);
        assert_eq!(taken(60_000), 3, "no more than the burst is saved up");
    }
}
