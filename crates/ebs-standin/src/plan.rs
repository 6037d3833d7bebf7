//! The faults at work: which call meets which rule, its latency, and its place in the
//! throttling. Setting new faults makes a new plan, so all counts start again.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    faults::{Action, Effect, Faults, Rule, When},
    sync::lock,
    throttle::Throttle,
};

/// A call as the faults see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) action: Action,
    pub(crate) snapshot: &'a str,
    pub(crate) block: Option<u64>,
    /// Of the snapshot; `None` where it has none, or does not exist.
    pub(crate) lineage: Option<&'a str>,
}

/// What awaits one call.
#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) delay: Duration,
    pub(crate) effect: Option<Effect>,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) faults: Faults,
    throttle: Throttle,
    counts: Mutex<Vec<Count>>,
    draws: AtomicU64,
    pages: AtomicU64,
}

/// How many calls a rule has seen.
#[derive(Clone, Debug, Default)]
struct Count {
    total: u64,
    per_block: HashMap<u64, u64>,
}

impl Plan {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            counts: Mutex::new(vec![Count::default(); faults.rules.len()]),
            throttle: Throttle::new(faults.limits),
            draws: AtomicU64::new(0),
            pages: AtomicU64::new(0),
            faults,
        }
    }

    /// Decides at the call's arrival, so that the order of arrival decides.
    pub(crate) fn meet(&self, call: Call<'_>, account: &str, in_flight: u64) -> Fate {
        let refused = self.throttle.refuse(call, account, in_flight).map(Effect::Error);
        let effect = refused.or_else(|| self.rule_for(call));
        let mut delay = self.latency(call.action);
        if let Some(Effect::Delay(more)) = effect {
            delay += Duration::from_millis(more);
        }
        Fate { delay, effect }
    }

    /// Counts a page of a listing; true where it is to be without entries.
    pub(crate) fn page_is_empty(&self) -> bool {
        let page = self.pages.fetch_add(1, Ordering::Relaxed) + 1;
        self.faults.pages.empty_every.is_some_and(|every| every > 0 && page.is_multiple_of(every))
    }

    fn rule_for(&self, call: Call<'_>) -> Option<Effect> {
        let mut counts = lock(&self.counts);
        for (rule, count) in self.faults.rules.iter().zip(counts.iter_mut()) {
            if matches(rule, call) && count.fires(rule.when, call.block) {
                return Some(rule.effect);
            }
        }
        None
    }

    fn latency(&self, action: Action) -> Duration {
        let latency = match action {
            Action::GetSnapshotBlock => self.faults.get_latency,
            Action::ListSnapshotBlocks | Action::ListChangedBlocks => self.faults.list_latency,
        };
        let mut micros = latency.fixed_ms.saturating_mul(1000);
        if latency.jitter_ms > 0 {
            let draw = mix(self.faults.seed, self.draws.fetch_add(1, Ordering::Relaxed));
            micros = micros.saturating_add(draw % latency.jitter_ms.saturating_mul(1000).max(1));
        }
        Duration::from_micros(micros)
    }
}

impl Count {
    /// Counts a call that the rule matches, and says whether it is one of the rule's own.
    fn fires(&mut self, when: When, block: Option<u64>) -> bool {
        self.total += 1;
        match when {
            When::Always => true,
            When::First(n) => self.total <= n,
            When::After(n) => self.total > n,
            When::Every(k) => k > 0 && self.total.is_multiple_of(k),
            When::FirstPerBlock(n) => {
                let Some(block) = block else { return false };
                let seen = self.per_block.entry(block).or_default();
                *seen += 1;
                *seen <= n
            }
        }
    }
}

fn matches(rule: &Rule, call: Call<'_>) -> bool {
    rule.action.is_none_or(|action| action == call.action)
        && rule.snapshot.as_deref().is_none_or(|id| id == call.snapshot)
        && rule.lineage.as_deref().is_none_or(|lineage| call.lineage == Some(lineage))
        && rule
            .blocks
            .as_ref()
            .is_none_or(|blocks| call.block.is_some_and(|block| blocks.contains(&block)))
}

/// The n-th number of the seed's sequence (SplitMix64).
fn mix(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Latency;

    #[test]
    fn jitter_is_the_same_for_the_same_seed() {
        let draw = |seed| {
            let get_latency = Latency { fixed_ms: 10, jitter_ms: 20 };
            let plan = Plan::new(Faults { seed, get_latency, ..Faults::default() });
            (0..50).map(|_| plan.latency(Action::GetSnapshotBlock)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let range = Duration::from_millis(10)..Duration::from_millis(30);
        assert!(draw(1).iter().all(|latency| range.contains(latency)));
    }
}
