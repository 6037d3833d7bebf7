//! The snapshots of this process that exist now. However it ends, they are deleted: by the host
//! that made them, or by whoever closes the ledger. What a killed process leaves is found by its
//! tags.

use crate::cloud::{Account, Created, Error};
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Attempts to delete one snapshot, beside those of the client.
const ATTEMPTS: u32 = 3;
/// Snapshots deleted at the same time when the ledger is closed.
const DELETING: usize = 8;

/// The ledger.
pub struct Ledger {
    account: Arc<Account>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    creating: usize,
    live: BTreeSet<String>,
    undeleted: BTreeSet<String>,
}

impl Ledger {
    /// An open, empty ledger.
    pub fn new(account: Arc<Account>) -> Arc<Self> {
        Arc::new(Self { account, state: Mutex::default(), changed: Condvar::new() })
    }

    /// Makes snapshots and notes them; `None` if the ledger is closed. They are deleted when what
    /// is given back is dropped.
    pub fn create(
        self: &Arc<Self>,
        make: impl FnOnce(&Account) -> Result<Vec<Created>, Error>,
    ) -> Option<Result<Held, Error>> {
        {
            let mut state = self.lock();
            if state.closed {
                return None;
            }
            state.creating += 1;
        }
        let outcome = make(&self.account);
        let mut state = self.lock();
        state.creating -= 1;
        if let Ok(created) = &outcome {
            state.live.extend(created.iter().map(|it| it.snapshot.clone()));
        }
        drop(state);
        self.changed.notify_all();
        Some(outcome.map(|created| Held { ledger: self.clone(), created }))
    }

    /// Whether the ledger is closed: the process is about to end.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits, but not longer than until the ledger is closed.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.lock();
        while !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets nothing more be made, and deletes what there is; scans that still read end with errors.
    /// Gives back what could not be deleted.
    pub fn close(&self, patience: Duration) -> Vec<String> {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        state.closed = true;
        self.changed.notify_all();
        while state.creating > 0 && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let live: Vec<_> = state.live.iter().cloned().collect();
        drop(state);
        for some in live.chunks(DELETING) {
            std::thread::scope(|scope| {
                for id in some {
                    scope.spawn(|| self.delete(id));
                }
            });
        }
        self.undeleted()
    }

    /// The snapshots that could not be deleted.
    pub fn undeleted(&self) -> Vec<String> {
        self.lock().undeleted.iter().cloned().collect()
    }

    fn delete(&self, id: &str) {
        for attempt in 1..=ATTEMPTS {
            match self.account.delete_snapshot(id) {
                Ok(()) => {
                    let mut state = self.lock();
                    state.live.remove(id);
                    state.undeleted.remove(id);
                    return;
                }
                Err(error) if attempt == ATTEMPTS => {
                    tracing::error!(snapshot = id, %error, "a snapshot is left over");
                    self.lock().undeleted.insert(id.to_owned());
                }
                Err(_) => std::thread::sleep(Duration::from_secs(u64::from(attempt))),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Snapshots that are deleted when this is dropped.
pub struct Held {
    ledger: Arc<Ledger>,
    /// Which they are.
    pub created: Vec<Created>,
}

impl Drop for Held {
    fn drop(&mut self) {
        for created in &self.created {
            self.ledger.delete(&created.snapshot);
        }
    }
}
