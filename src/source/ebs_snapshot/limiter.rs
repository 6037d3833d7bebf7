//! How many calls may be in flight and how many may start per second.
//!
//! The number in flight adapts: a throttle halves it, as many successes as are allowed in
//! flight raise it by one. The rate falls and rises with it, so that calls that end fast are
//! slowed down too.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Throttles within this time are answers to one burst and count once.
const CUT_INTERVAL: Duration = Duration::from_millis(100);
/// Tokens that are saved up, as a part of a second's.
const BURST_SECONDS: f64 = 0.1;

/// A limit on calls, of an account or of a snapshot.
pub(super) struct Limiter {
    most: u32,
    per_second: f64,
    state: Mutex<State>,
    freed: Notify,
}

struct State {
    limit: u32,
    in_flight: u32,
    successes: u32,
    last_cut: Option<Instant>,
    bucket: Bucket,
}

/// Tokens; below zero they are owed to calls that already wait.
struct Bucket {
    tokens: f64,
    burst: f64,
    filled: Instant,
}

impl Limiter {
    /// Starts at `most` calls in flight and `per_second` calls per second, and never exceeds them.
    pub(super) fn new(most: u32, per_second: f64) -> Self {
        let burst = (per_second * BURST_SECONDS).max(1.0);
        let state = State {
            limit: most,
            in_flight: 0,
            successes: 0,
            last_cut: None,
            bucket: Bucket { tokens: burst, burst, filled: Instant::now() },
        };
        Self { most, per_second, state: Mutex::new(state), freed: Notify::new() }
    }

    /// Waits until one more call may start; the call lasts as long as the slot.
    pub(super) async fn enter(&self) -> Slot<'_> {
        let slot = loop {
            // A release between the look and the wait is kept by `Notify` as a permit.
            if let Some(slot) = self.try_enter() {
                break slot;
            }
            self.freed.notified().await;
        };
        let wait = self.reserve();
        if !wait.is_zero() {
            sleep(wait).await;
        }
        slot
    }

    fn try_enter(&self) -> Option<Slot<'_>> {
        let mut state = self.lock();
        if state.in_flight >= state.limit {
            return None;
        }
        state.in_flight += 1;
        if state.in_flight < state.limit {
            // One permit may stand for several releases: pass it on.
            self.freed.notify_one();
        }
        Some(Slot { limiter: self })
    }

    /// Takes a token and says how long to wait for it.
    fn reserve(&self) -> Duration {
        let mut state = self.lock();
        let rate = self.per_second * f64::from(state.limit) / f64::from(self.most);
        state.bucket.take(rate, Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn take(&mut self, rate: f64, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + passed * rate).min(self.burst) - 1.0;
        Duration::from_secs_f64((-self.tokens / rate).max(0.0))
    }
}

/// One call in flight.
pub(super) struct Slot<'a> {
    limiter: &'a Limiter,
}

impl Slot<'_> {
    /// The call was answered.
    pub(super) fn succeeded(&self) {
        let mut state = self.limiter.lock();
        state.successes += 1;
        if state.successes >= state.limit && state.limit < self.limiter.most {
            state.limit += 1;
            state.successes = 0;
            self.limiter.freed.notify_one();
        }
    }

    /// The call was refused because of what this limiter stands for.
    pub(super) fn throttled(&self) {
        let mut state = self.limiter.lock();
        let now = Instant::now();
        if state.last_cut.is_some_and(|cut| now.duration_since(cut) < CUT_INTERVAL) {
            return;
        }
        state.last_cut = Some(now);
        state.limit = (state.limit / 2).max(1);
        state.successes = 0;
        state.bucket.tokens = state.bucket.tokens.min(0.0);
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.lock();
        state.in_flight -= 1;
        if state.in_flight < state.limit {
            self.limiter.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn as_many_calls_as_allowed_are_in_flight_and_no_more() {
        let limiter = Limiter::new(4, 1000.0);
        let mut slots = Vec::new();
        for _ in 0..4 {
            slots.push(limiter.enter().await);
        }
        assert!(limiter.try_enter().is_none());
        slots.pop();
        assert!(limiter.try_enter().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn throttles_halve_the_limit_once_per_interval_and_successes_raise_it() {
        let limiter = Limiter::new(64, 1000.0);
        let slot = limiter.enter().await;
        slot.throttled();
        slot.throttled();
        assert_eq!(limiter.lock().limit, 32);
        for _ in 0..10 {
            tokio::time::advance(CUT_INTERVAL).await;
            slot.throttled();
        }
        assert_eq!(limiter.lock().limit, 1);
        (0..1 + 2 + 3).for_each(|_| slot.succeeded());
        assert_eq!(limiter.lock().limit, 4);
        (0..10_000).for_each(|_| slot.succeeded());
        assert_eq!(limiter.lock().limit, 64);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_start_at_the_rate_after_the_burst() {
        let limiter = Limiter::new(64, 1000.0);
        let start = Instant::now();
        for _ in 0..1100 {
            drop(limiter.enter().await);
        }
        let took = start.elapsed().as_secs_f64();
        assert!((0.95..=2.2).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_waiter_is_forgotten() {
        let limiter = Arc::new(Limiter::new(3, 1_000_000.0));
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let limiter = limiter.clone();
                tokio::spawn(async move {
                    let _slot = limiter.enter().await;
                    sleep(Duration::from_millis(5)).await;
                })
            })
            .collect();
        for task in tasks {
            tokio::time::timeout(Duration::from_secs(10), task).await.unwrap().unwrap();
        }
        assert_eq!(limiter.lock().in_flight, 0);
    }
}
