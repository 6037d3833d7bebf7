//! Runs a sweep: the hosts side by side, each with an outcome, whatever happens to the others.

use super::failure::Failure;
use super::host::{Scanned, Scanner};
use super::ledger::Held;
use super::selection::Selection;
use crate::cloud::{Account, Error, Instance, Tagged};
use crate::model::{HostStatus, Leftovers, SkipReason, SweptHost};
use crate::pipeline::Progress;
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Scans the instances that are asked for and gives each one's outcome as it comes.
pub fn run(
    scanner: &Scanner<'_>,
    selection: &Selection,
    instances: Vec<Instance>,
    progress: &(dyn Fn() -> Box<dyn Progress> + Sync),
    mut sink: impl FnMut(SweptHost) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (skipped, wanted): (Vec<_>, Vec<_>) = instances
        .into_iter()
        .map(|instance| (selection.refuses(&instance), instance))
        .partition(|(reason, _)| reason.is_some());
    for (reason, instance) in skipped {
        sink(unscanned(&instance, HostStatus::Skipped, reason, None))?;
    }
    let wanted: Vec<Instance> = wanted.into_iter().map(|(_, instance)| instance).collect();
    let next = AtomicUsize::new(0);
    // One outcome waits at most, so that reports do not pile up before a slow disk.
    let (sender, outcomes) = mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        for _ in 0..scanner.settings.parallel.clamp(1, wanted.len().max(1)) {
            let (sender, next, wanted) = (sender.clone(), &next, &wanted);
            scope.spawn(move || {
                while let Some(instance) = wanted.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let (host, held) = outcome(scanner, instance, progress);
                    let heard = sender.send(host).is_ok();
                    drop(held);
                    if !heard {
                        return;
                    }
                }
            });
        }
        drop(sender);
        outcomes.into_iter().try_for_each(&mut sink)
    })
}

/// The outcome, and what holds the snapshots until it is told.
fn outcome(
    scanner: &Scanner<'_>,
    instance: &Instance,
    progress: &(dyn Fn() -> Box<dyn Progress> + Sync),
) -> (SweptHost, Option<Held>) {
    if scanner.ledger.is_closed() {
        let detail = Some("the sweep was told to end".to_owned());
        let reason = Some(SkipReason::Interrupted);
        return (unscanned(instance, HostStatus::Failed, reason, detail), None);
    }
    // A host whose disk brings a parser down must not take the others along.
    let end = catch_unwind(AssertUnwindSafe(|| scanner.scan(instance, &*progress())));
    let Scanned { outcome, held } = end.unwrap_or_else(|_| Scanned {
        outcome: Err(Failure::new(SkipReason::Error, "the scan broke off; please report this")),
        held: None,
    });
    let host = match outcome {
        Ok(scan) => SweptHost {
            instance_id: instance.id().to_owned(),
            name: instance.context.instance_name.clone(),
            status: HostStatus::Scanned,
            reason: None,
            detail: None,
            cloud: None,
            report: Some(scan.report),
        },
        Err(failure) => {
            let Failure { mut reason, detail } = failure;
            if scanner.ledger.is_closed() {
                reason = SkipReason::Interrupted;
            }
            unscanned(instance, HostStatus::Failed, Some(reason), Some(detail))
        }
    };
    (host, held)
}

fn unscanned(
    instance: &Instance,
    status: HostStatus,
    reason: Option<SkipReason>,
    detail: Option<String>,
) -> SweptHost {
    SweptHost {
        instance_id: instance.id().to_owned(),
        name: instance.context.instance_name.clone(),
        status,
        reason,
        detail,
        cloud: Some(instance.context.clone()),
        report: None,
    }
}

/// Deletes snapshots that bear our tags and that `unwanted` picks.
pub fn clean_up(account: &Account, unwanted: impl Fn(&Tagged) -> bool) -> Result<Leftovers, Error> {
    let mut leftovers = Leftovers::default();
    for tagged in account.tagged_snapshots()?.iter().filter(|tagged| unwanted(tagged)) {
        leftovers.expired += 1;
        match account.delete_snapshot(&tagged.snapshot) {
            Ok(()) => leftovers.deleted += 1,
            Err(error) => leftovers.failed.push(format!("{}: {error}", tagged.snapshot)),
        }
    }
    Ok(leftovers)
}

/// Whether a snapshot's time is over; one whose tag says no time has none.
pub fn is_expired(tagged: &Tagged) -> bool {
    tagged.expires.parse::<Timestamp>().map_or(true, |end| end < Timestamp::now())
}
