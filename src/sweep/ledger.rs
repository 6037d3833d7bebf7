//! The snapshots of this process that exist now. However it ends, they are deleted: by the host
//! that made them, or by whoever closes the ledger. What a killed process leaves is found by its
//! tags.
//!
//! Threads of the ledger's own delete: a call that hangs holds up nobody who has something to report.

use crate::cloud::{Account, Created, Error};
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Attempts to delete one snapshot, beside those of the client.
const ATTEMPTS: u64 = 3;
/// Snapshots deleted at the same time.
const DELETING: usize = 16;

/// The actions that make snapshots.
const CREATING: [&str; 2] = ["ec2:CreateSnapshots", "ec2:CreateSnapshot"];

/// The ledger.
pub struct Ledger {
    account: Arc<Account>,
    sweep: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    /// Patience has ended: nothing more is waited for.
    given_up: bool,
    creating: usize,
    /// Create calls that were answered with what they made.
    answered: u64,
    /// Searches by tags that are under way.
    searching: usize,
    live: BTreeSet<String>,
    /// Those of the live ones that are to be deleted.
    unwanted: BTreeSet<String>,
    deleting: BTreeSet<String>,
    threads: usize,
    undeleted: BTreeSet<String>,
}

impl State {
    fn is_idle(&self) -> bool {
        self.creating + self.searching == 0 && self.live.is_empty() && self.deleting.is_empty()
    }
}

/// What is there when a closed ledger gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Snapshots that could not be deleted.
    pub snapshots: Vec<String>,
    /// Calls that make snapshots and were not answered.
    pub unanswered: usize,
}

impl Ledger {
    /// An open, empty ledger of a sweep.
    pub fn new(account: Arc<Account>, sweep: String) -> Arc<Self> {
        Arc::new(Self { account, sweep, state: Mutex::default(), changed: Condvar::new() })
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
        let closed = state.closed;
        drop(state);
        self.changed.notify_all();
        let held = outcome.map(|created| Held { ledger: self.clone(), created });
        if closed && let Ok(held) = &held {
            self.start_deleting(&held.snapshots());
        }
        Some(held)
    }

    /// Whether the ledger is closed: the process is about to end.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits, but not longer than until the ledger is closed.
    pub fn pause(&self, time: Duration) {
        self.wait(Some(Instant::now() + time), |state| state.closed);
    }

    /// Lets nothing more be made, and deletes what there is; scans that still read end with errors.
    /// Gives back what is left when patience ends.
    pub fn close(self: &Arc<Self>, patience: Duration) -> Left {
        let began = Instant::now();
        let live: Vec<String> = {
            let mut state = self.lock();
            state.closed = true;
            state.live.iter().cloned().collect()
        };
        self.changed.notify_all();
        self.start_deleting(&live);
        // An answer that is on its way may bring snapshots; half of the time is for what it brings.
        self.wait(Some(began + patience / 2), |state| state.creating == 0);
        if self.may_have_more() {
            self.start_search();
        }
        self.wait(Some(began + patience), State::is_idle);
        let mut state = self.lock();
        state.given_up = true;
        let left = Left { snapshots: left(&state), unanswered: state.creating };
        drop(state);
        self.changed.notify_all();
        left
    }

    /// Waits until all that is to be deleted is, or nothing more is tried.
    pub fn settle(&self) {
        self.wait(None, |state| state.given_up || state.is_idle());
    }

    /// The snapshots that are there and should not be.
    pub fn undeleted(&self) -> Vec<String> {
        left(&self.lock())
    }

    /// Deletes what calls have made whose answers were lost, and tries once more what could not be
    /// deleted. Both are found by the tags of this sweep alone; nothing is asked if there are none.
    pub fn sweep_up(self: &Arc<Self>) -> Result<(), Error> {
        if !self.may_have_more() {
            return Ok(());
        }
        let found = self.search()?;
        self.delete(&found);
        Ok(())
    }

    fn start_search(self: &Arc<Self>) {
        self.lock().searching += 1;
        let ledger = self.clone();
        std::thread::spawn(move || {
            match ledger.search() {
                Ok(found) => ledger.start_deleting(&found),
                Err(error) => tracing::error!(%error, "what may be left was not looked for"),
            }
            ledger.lock().searching -= 1;
            ledger.changed.notify_all();
        });
    }

    /// Snapshots of this sweep that nobody holds.
    fn search(&self) -> Result<Vec<String>, Error> {
        let tagged = self.account.tagged_snapshots()?;
        let mut state = self.lock();
        let mut found = Vec::new();
        for tagged in tagged.into_iter().filter(|tagged| tagged.sweep == self.sweep) {
            // Those of hosts that are still scanned are theirs to delete.
            if !state.deleting.contains(&tagged.snapshot)
                && state.live.insert(tagged.snapshot.clone())
            {
                found.push(tagged.snapshot);
            }
        }
        Ok(found)
    }

    /// An attempt that was not answered may have been carried out all the same.
    fn may_have_more(&self) -> bool {
        let calls = self.account.calls();
        let made = calls.iter().filter(|(action, _)| CREATING.contains(&action.as_str()));
        let made: u64 = made.map(|(_, calls)| calls).sum();
        let state = self.lock();
        made > state.answered || !state.undeleted.is_empty()
    }

    /// Deletes snapshots, and waits for that unless the ledger is closed.
    fn delete(self: &Arc<Self>, ids: &[String]) {
        self.start_deleting(ids);
        let there =
            |state: &State, id: &String| state.live.contains(id) || state.deleting.contains(id);
        self.wait(None, |state| state.closed || !ids.iter().any(|id| there(state, id)));
    }

    fn start_deleting(self: &Arc<Self>, ids: &[String]) {
        let mut state = self.lock();
        let live: Vec<String> = ids.iter().filter(|id| state.live.contains(*id)).cloned().collect();
        state.unwanted.extend(live);
        let more = DELETING.saturating_sub(state.threads).min(state.unwanted.len());
        state.threads += more;
        drop(state);
        for _ in 0..more {
            let ledger = self.clone();
            std::thread::spawn(move || while ledger.delete_next() {});
        }
    }

    /// Deletes one; `false` if there is none.
    fn delete_next(&self) -> bool {
        let mut state = self.lock();
        let Some(id) = state.unwanted.pop_first() else {
            state.threads -= 1;
            return false;
        };
        state.live.remove(&id);
        state.deleting.insert(id.clone());
        drop(state);
        let outcome = self.try_delete(&id);
        let mut state = self.lock();
        state.deleting.remove(&id);
        match outcome {
            Ok(()) => state.undeleted.remove(&id),
            Err(_) => state.undeleted.insert(id),
        };
        drop(state);
        self.changed.notify_all();
        true
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

    fn wait(&self, until: Option<Instant>, done: impl Fn(&State) -> bool) {
        let mut state = self.lock();
        while !done(&state) {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                Some(left) if left.is_zero() => return,
                Some(left) => {
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn left(state: &State) -> Vec<String> {
    let left = state.live.iter().chain(&state.deleting).chain(&state.undeleted);
    left.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// Snapshots that are deleted when this is dropped.
pub struct Held {
    ledger: Arc<Ledger>,
    /// Which they are.
    pub created: Vec<Created>,
}

impl Held {
    fn snapshots(&self) -> Vec<String> {
        self.created.iter().map(|created| created.snapshot.clone()).collect()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.ledger.delete(&self.snapshots());
    }
}
