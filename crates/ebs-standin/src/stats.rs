//! The books: counts of calls, and a log of them with their times.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
    time::Instant,
};

use serde::{Deserialize, Serialize};

use crate::{faults::Action, plan::Call, sync::lock};

/// The most calls that the log holds; later ones are counted in [`Stats::log_lost`].
pub const LOG_LIMIT: usize = 1_000_000;

/// Counts since the start, or since the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// All calls of the API that have ended.
    pub calls: u64,
    /// By action; calls that were refused before the action was clear are under `unknown`.
    pub actions: BTreeMap<String, ActionStats>,
    /// By access key and then by action; calls without a readable one are under `unsigned`.
    pub callers: BTreeMap<String, BTreeMap<String, u64>>,
    /// By HTTP code; calls without an answer are under 0.
    pub statuses: BTreeMap<u16, u64>,
    /// By snapshot: the blocks that were sent.
    pub snapshots: BTreeMap<String, SnapshotStats>,
    /// Blocks sent, of all snapshots.
    pub blocks: u64,
    /// Blocks sent, each counted once.
    pub distinct_blocks: u64,
    /// Bytes of blocks sent.
    pub bytes: u64,
    /// Calls in flight now.
    pub in_flight: u64,
    /// The most calls that were in flight at once.
    pub max_in_flight: u64,
    /// Calls that the log had no room for.
    pub log_lost: u64,
}

impl Stats {
    /// The calls of an action that have ended.
    pub fn calls_of(&self, action: Action) -> u64 {
        self.actions.get(&format!("{action:?}")).map_or(0, |action| action.calls)
    }

    /// The calls of any action that ended with `result`: see [`ActionStats::results`].
    pub fn results(&self, result: &str) -> u64 {
        self.actions.values().filter_map(|action| action.results.get(result)).sum()
    }
}

/// Counts of one action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionStats {
    /// Calls that have ended.
    pub calls: u64,
    /// By result: `ok`, `Type/REASON` or `Type` of an error, `dropped` by a fault, or
    /// `cancelled` where the client left (or the call stalled) before an answer.
    pub results: BTreeMap<String, u64>,
}

/// Counts of one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotStats {
    /// Blocks sent.
    pub blocks: u64,
    /// Blocks sent, each counted once.
    pub distinct_blocks: u64,
    /// Bytes of blocks sent.
    pub bytes: u64,
}

/// One call that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When it arrived, in microseconds since the server's start.
    pub start_us: u64,
    /// When its answer was handed to the connection, on the same clock.
    pub end_us: u64,
    /// What was called; `None` where it is none of the API's.
    pub action: Option<Action>,
    /// The snapshot (of `ListChangedBlocks` the second).
    pub snapshot: Option<String>,
    /// The block, or the first block that a listing asks for.
    pub index: Option<u64>,
    /// The access key; `None` where the signature names none.
    pub caller: Option<String>,
    /// As in [`ActionStats::results`].
    pub result: String,
}

#[derive(Debug)]
pub(crate) struct Books {
    epoch: Instant,
    page: Mutex<Page>,
}

#[derive(Debug, Default)]
struct Page {
    stats: Stats,
    seen: HashSet<(String, u64)>,
    log: Vec<LogEntry>,
}

/// A call in flight. Dropping it ends the call.
#[derive(Debug)]
pub(crate) struct OpenCall {
    books: Arc<Books>,
    start_us: u64,
    action: Option<Action>,
    snapshot: Option<String>,
    pub(crate) index: Option<u64>,
    pub(crate) caller: Option<String>,
    result: String,
    status: u16,
}

impl Books {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { epoch: Instant::now(), page: Mutex::default() })
    }

    /// Starts a call; also gives how many are in flight with it.
    pub(crate) fn open(self: &Arc<Self>, call: Option<Call<'_>>) -> (OpenCall, u64) {
        let start_us = self.now();
        let mut page = lock(&self.page);
        page.stats.in_flight += 1;
        page.stats.max_in_flight = page.stats.max_in_flight.max(page.stats.in_flight);
        let open = OpenCall {
            books: Arc::clone(self),
            start_us,
            action: call.map(|call| call.action),
            snapshot: call.map(|call| call.snapshot.to_owned()),
            index: call.and_then(|call| call.block),
            caller: None,
            result: "cancelled".to_owned(),
            status: 0,
        };
        (open, page.stats.in_flight)
    }

    pub(crate) fn stats(&self) -> Stats {
        lock(&self.page).stats.clone()
    }

    pub(crate) fn log(&self) -> Vec<LogEntry> {
        lock(&self.page).log.clone()
    }

    pub(crate) fn take_log(&self) -> Vec<LogEntry> {
        std::mem::take(&mut lock(&self.page).log)
    }

    /// Sets all counts to zero and empties the log; calls in flight stay counted as such.
    pub(crate) fn reset(&self) {
        let mut page = lock(&self.page);
        let in_flight = page.stats.in_flight;
        *page = Page::default();
        page.stats.in_flight = in_flight;
        page.stats.max_in_flight = in_flight;
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl OpenCall {
    /// Sets what the call ended with; `status` 0 is no answer.
    pub(crate) fn ended(&mut self, result: impl Into<String>, status: u16) {
        self.result = result.into();
        self.status = status;
    }

    /// Books a block that is being sent.
    pub(crate) fn sent_block(&self, snapshot: &str, index: u64, bytes: u64) {
        lock(&self.books.page).sent_block(snapshot, index, bytes);
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let entry = LogEntry {
            start_us: self.start_us,
            end_us: self.books.now(),
            action: self.action,
            snapshot: self.snapshot.take(),
            index: self.index,
            caller: self.caller.take(),
            result: std::mem::take(&mut self.result),
        };
        lock(&self.books.page).close(entry, self.status);
    }
}

impl Page {
    fn sent_block(&mut self, snapshot: &str, index: u64, bytes: u64) {
        let new = u64::from(self.seen.insert((snapshot.to_owned(), index)));
        self.stats.blocks += 1;
        self.stats.distinct_blocks += new;
        self.stats.bytes += bytes;
        let of_snapshot = self.stats.snapshots.entry(snapshot.to_owned()).or_default();
        of_snapshot.blocks += 1;
        of_snapshot.distinct_blocks += new;
        of_snapshot.bytes += bytes;
    }

    fn close(&mut self, entry: LogEntry, status: u16) {
        self.stats.in_flight = self.stats.in_flight.saturating_sub(1);
        self.stats.calls += 1;
        *self.stats.statuses.entry(status).or_default() += 1;
        let name = entry.action.map_or("unknown".to_owned(), |action| format!("{action:?}"));
        let caller = entry.caller.clone().unwrap_or_else(|| "unsigned".to_owned());
        *self.stats.callers.entry(caller).or_default().entry(name.clone()).or_default() += 1;
        let action = self.stats.actions.entry(name).or_default();
        action.calls += 1;
        *action.results.entry(entry.result.clone()).or_default() += 1;
        if self.log.len() < LOG_LIMIT {
            self.log.push(entry);
        } else {
            self.stats.log_lost += 1;
        }
    }
}
