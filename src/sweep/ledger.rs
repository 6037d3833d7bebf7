//! The snapshots of this process that exist now. However it ends, they are deleted: by the host
//! that made them, or by whoever closes the ledger. What a killed process leaves is found by its
//! tags.

use crate::cloud::{Account, Created, Error};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Attempts to delete one snapshot, beside those of the client.
const ATTEMPTS: u64 = 3;
/// Snapshots deleted at the same time when the ledger is closed.
const DELETING: usize = 16;

/// The actions that make snapshots.
const CREATING: [&str; 2] = ["ec2:CreateSnapshots", "ec2:CreateSnapshot"];

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
    /// Create calls that were answered with what they made.
    answered: u64,
    live: BTreeSet<String>,
    deleting: BTreeSet<String>,
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
            state.answered += 1;
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
        self.wait_until(Instant::now() + time, |state| state.closed);
    }

    /// Lets nothing more be made, and deletes what there is; scans that still read end with errors.
    /// Gives back what is not deleted when patience ends.
    pub fn close(self: &Arc<Self>, patience: Duration) -> Vec<String> {
        let until = Instant::now() + patience;
        self.lock().closed = true;
        self.changed.notify_all();
        // An answer that is on its way may bring snapshots; half of the time is for deleting them.
        self.wait_until(Instant::now() + patience / 2, |state| state.creating == 0);
        let live: Vec<_> = self.lock().live.iter().cloned().collect();
        let next = Arc::new(AtomicUsize::new(0));
        let live = Arc::new(live);
        for _ in 0..live.len().min(DELETING) {
            let (ledger, live, next) = (self.clone(), live.clone(), next.clone());
            std::thread::spawn(move || {
                while let Some(id) = live.get(next.fetch_add(1, Ordering::SeqCst)) {
                    ledger.delete(id);
                }
            });
        }
        self.wait_until(until, |state| state.live.is_empty() && state.deleting.is_empty());
        let state = self.lock();
        state.live.iter().chain(&state.deleting).chain(&state.undeleted).cloned().collect()
    }

    fn wait_until(&self, until: Instant, done: impl Fn(&State) -> bool) {
        let mut state = self.lock();
        while !done(&state) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The snapshots that could not be deleted.
    pub fn undeleted(&self) -> Vec<String> {
        self.lock().undeleted.iter().cloned().collect()
    }

    /// Deletes what calls have made whose answers were lost, and tries once more what could not be
    /// deleted. Both are found by the tags of this sweep alone; nothing is asked if there are none.
    pub fn sweep_up(&self, sweep: &str) -> Result<(), Error> {
        if !self.may_have_more() {
            return Ok(());
        }
        let tagged = self.account.tagged_snapshots()?;
        for tagged in tagged.into_iter().filter(|tagged| tagged.sweep == sweep) {
            let mut state = self.lock();
            // Those of hosts that are still scanned are theirs to delete.
            if !state.live.contains(&tagged.snapshot) && !state.deleting.contains(&tagged.snapshot)
            {
                state.live.insert(tagged.snapshot.clone());
                drop(state);
                self.delete(&tagged.snapshot);
            }
        }
        Ok(())
    }

    /// An attempt that was not answered may have been carried out all the same.
    fn may_have_more(&self) -> bool {
        let calls = self.account.calls();
        let made = calls.iter().filter(|(action, _)| CREATING.contains(&action.as_str()));
        let made: u64 = made.map(|(_, calls)| calls).sum();
        let state = self.lock();
        made > state.answered || !state.undeleted.is_empty()
    }

    /// Deletes a snapshot that is there, or waits for whoever does.
    fn delete(&self, id: &str) {
        let mut state = self.lock();
        while state.deleting.contains(id) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !state.live.remove(id) {
            return;
        }
        state.deleting.insert(id.to_owned());
        drop(state);
        let outcome = self.try_delete(id);
        let mut state = self.lock();
        state.deleting.remove(id);
        match outcome {
            Ok(()) => state.undeleted.remove(id),
            Err(_) => state.undeleted.insert(id.to_owned()),
        };
        drop(state);
        self.changed.notify_all();
    }

    fn try_delete(&self, id: &str) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            match self.account.delete_snapshot(id) {
                Err(error) if attempt == ATTEMPTS => {
                    tracing::error!(snapshot = id, %error, "a snapshot is left over");
                    return Err(error);
                }
                Err(_) => std::thread::sleep(Duration::from_secs(attempt)),
                Ok(()) => return Ok(()),
            }
            attempt += 1;
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
