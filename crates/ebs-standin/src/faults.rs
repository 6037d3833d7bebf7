//! The settings of load and faults, as a test or `POST /_standin/faults` gives them.

use serde::{Deserialize, Serialize};

use crate::error::ErrorKind;

/// Everything that makes the stand-in slower or worse than a perfect service.
///
/// The default is a service without latency, limits or faults, whose block tokens live
/// seven days and page tokens one hour, as AWS's do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Seeds the jitter of the latencies.
    pub seed: u64,
    /// Latency of `ListSnapshotBlocks` and `ListChangedBlocks`.
    pub list_latency: Latency,
    /// Latency of `GetSnapshotBlock`.
    pub get_latency: Latency,
    /// Rates and concurrency that are allowed.
    pub limits: Limits,
    /// How listings are cut into pages.
    pub pages: Pages,
    /// How long tokens live.
    pub tokens: TokenLife,
    /// Faults of single calls, tried in order; the first that fires takes the call, and
    /// later rules do not see it.
    pub rules: Vec<Rule>,
}

impl Faults {
    /// Sets one fixed latency for all calls, in milliseconds.
    #[must_use]
    pub fn latency_ms(mut self, fixed_ms: u64) -> Self {
        self.list_latency.fixed_ms = fixed_ms;
        self.get_latency.fixed_ms = fixed_ms;
        self
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }
}

/// A latency: `fixed_ms` and up to `jitter_ms` more, drawn evenly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// The part that every call has, in milliseconds.
    pub fixed_ms: u64,
    /// The most that is added, in milliseconds.
    pub jitter_ms: u64,
}

/// What is refused with a throttling error. `None` is without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// `GetSnapshotBlock` of one account (AWS: 1,000/s): `ACCOUNT_THROTTLED`.
    pub account_get: Option<Rate>,
    /// Each of the two list calls of one account (AWS: 50/s): `ACCOUNT_THROTTLED`.
    pub account_list: Option<Rate>,
    /// `GetSnapshotBlock` of one snapshot (AWS: 1,000/s): `RESOURCE_LEVEL_THROTTLE`.
    pub snapshot_get: Option<Rate>,
    /// Calls in flight over the whole server: `ConcurrentLimitExceededException`.
    pub in_flight: Option<u64>,
}

/// A token bucket, full at first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Calls per second that are refilled; with zero, `burst` calls are all there are.
    pub per_second: f64,
    /// The most calls that can be saved up.
    pub burst: f64,
}

impl Rate {
    /// A bucket of `burst` calls, refilled with `per_second`.
    pub fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst }
    }
}

/// How listings are cut into pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pages {
    /// The most entries of a page, whatever `MaxResults` asks.
    pub short: Option<usize>,
    /// Every k-th page has no entry, but a `NextToken`. With 1 a listing never ends.
    pub empty_every: Option<u64>,
    /// The last entries come with a `NextToken` too; its page is empty and the last.
    pub empty_last: bool,
}

/// How long tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenLife {
    /// Seconds that a block token is good for.
    pub block_seconds: u64,
    /// Seconds that a page token is good for.
    pub page_seconds: u64,
    /// How often one block token may be used; `None` is without limit.
    pub block_uses: Option<u32>,
}

impl Default for TokenLife {
    fn default() -> Self {
        Self { block_seconds: 7 * 24 * 3600, page_seconds: 3600, block_uses: None }
    }
}

/// One fault: which calls, which of these, and what happens to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The call; `None` is any.
    #[serde(default)]
    pub action: Option<Action>,
    /// The snapshot (of `ListChangedBlocks` the second); `None` is any.
    #[serde(default)]
    pub snapshot: Option<String>,
    /// The lineage (the volume) of the snapshot; `None` is any. It finds snapshots that do not
    /// exist yet when the rule is set.
    #[serde(default)]
    pub lineage: Option<String>,
    /// The block indexes; `None` is any. A listing has none, so a list here matches none.
    #[serde(default)]
    pub blocks: Option<Vec<u64>>,
    /// Which of the calls that match.
    #[serde(default)]
    pub when: When,
    /// What happens.
    pub effect: Effect,
}

impl Rule {
    /// A rule for every call.
    pub fn any(effect: Effect) -> Self {
        let (action, snapshot, lineage, blocks) = (None, None, None, None);
        Self { action, snapshot, lineage, blocks, when: When::Always, effect }
    }

    /// A rule for every call of `action`.
    pub fn on(action: Action, effect: Effect) -> Self {
        Self { action: Some(action), ..Self::any(effect) }
    }

    /// Narrows the rule to a snapshot.
    #[must_use]
    pub fn snapshot(mut self, id: impl Into<String>) -> Self {
        self.snapshot = Some(id.into());
        self
    }

    /// Narrows the rule to the snapshots of one lineage.
    #[must_use]
    pub fn lineage(mut self, lineage: impl Into<String>) -> Self {
        self.lineage = Some(lineage.into());
        self
    }

    /// Narrows the rule to blocks.
    #[must_use]
    pub fn blocks(mut self, blocks: impl IntoIterator<Item = u64>) -> Self {
        self.blocks = Some(blocks.into_iter().collect());
        self
    }

    /// Narrows the rule to some of the calls that match.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

/// Which of the calls that match a rule are its own, counted from when the faults were set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All.
    #[default]
    Always,
    /// The first n.
    First(u64),
    /// The first n of each block index.
    FirstPerBlock(u64),
    /// All but the first n.
    After(u64),
    /// The k-th, the 2k-th and so on.
    Every(u64),
}

/// What happens to a call. Those of the body leave errors and listings as they are, except
/// where said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is answered with an error.
    Error(ErrorKind),
    /// It waits so many milliseconds more, and is then answered well.
    Delay(u64),
    /// A byte of the block is flipped; the checksum is that of the true block.
    CorruptBody,
    /// Half the block is sent, with a `Content-Length` and `x-amz-Data-Length` of that half.
    ShortBody,
    /// `x-amz-Data-Length` is one less than the truth.
    WrongDataLength,
    /// The checksum headers are left out.
    OmitChecksum,
    /// `Content-Length` is true, half the body is sent, then the connection breaks
    /// (listings too).
    TruncateBody,
    /// The connection is closed without an answer (any call).
    DropConnection,
    /// There is no answer, and the connection stays (any call).
    Stall,
    /// Half the body is sent, then nothing more, and the connection stays (listings too).
    StallBody,
}

/// A call of the API that the stand-in knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    /// `GET /snapshots/{id}/blocks`.
    ListSnapshotBlocks,
    /// `GET /snapshots/{id}/changedblocks`.
    ListChangedBlocks,
    /// `GET /snapshots/{id}/blocks/{index}`.
    GetSnapshotBlock,
}
