//! One host of a sweep: its snapshots are made, waited for, scanned and deleted.

use super::failure::{Failure, interrupted, name_keys, refused, unreadable};
use super::ledger::{Held, Ledger};
use super::selection::{OPT_OUT, left_out, opted_out};
use super::{Settings, Turns, now};
use crate::cloud::{Account, Error, Instance, Kind, Purpose, State};
use crate::model::{CloudContext, CloudVolume, Gap, GapReason, ScanReport, SkipReason};
use crate::pipeline::{self, Advisories, Progress, Request, Scan, Stage, Target, TargetError};
use crate::source::ebs_snapshot;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Waits between two looks at snapshots that are on their way.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// A snapshot that was just made may not be listed yet.
const UNLISTED: Duration = Duration::from_secs(30);

/// What came of scanning an instance. Its snapshots are there until this is dropped, so that what came
/// of it need not wait for their end.
pub struct Scanned {
    /// The scan, or why there is none.
    pub outcome: Result<Scan, Failure>,
    pub(super) held: Option<Held>,
}

impl Scanned {
    /// The outcome, once the snapshots are gone.
    pub fn finish(self) -> Result<Scan, Failure> {
        drop(self.held);
        self.outcome
    }
}

/// What the scans of a sweep share.
pub struct Scanner<'a> {
    /// The account.
    pub account: Arc<Account>,
    /// The same account, for blocks.
    pub ebs: ebs_snapshot::Account,
    /// The snapshots of this process.
    pub ledger: Arc<Ledger>,
    /// What packages are matched with.
    pub advisories: &'a Advisories,
    /// How the sweep goes about its work.
    pub settings: Settings,
    /// Id of the sweep.
    pub sweep: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// Looking for room and taking it go together.
    pub room: Mutex<()>,
    /// Who may read.
    pub turns: Turns,
}

impl Scanner<'_> {
    /// When all hosts are done: deletes what was made by calls whose answers were lost.
    pub fn sweep_up(&self) -> Result<(), Error> {
        self.ledger.sweep_up()
    }

    /// Scans an instance. However this ends, its snapshots are gone when what is given back is dropped.
    pub fn scan(&self, instance: &Instance, progress: &dyn Progress) -> Scanned {
        let mut instance = instance.clone();
        match self.create(&mut instance) {
            Ok(held) => {
                let outcome = self.scan_held(&instance, &held, progress);
                Scanned { outcome, held: Some(held) }
            }
            Err(failure) => Scanned { outcome: Err(failure), held: None },
        }
    }

    fn scan_held(
        &self,
        instance: &Instance,
        held: &Held,
        progress: &dyn Progress,
    ) -> Result<Scan, Failure> {
        let left_out = left_out(instance);
        let unwanted = |id: &String| left_out.iter().any(|(volume, ..)| volume.id == *id);
        let gap =
            |&(volume, reason, why): &(&CloudVolume, _, _)| Gap::new(place(volume), reason, why);
        let mut gaps: Vec<Gap> = left_out.iter().map(gap).collect();
        let mut context = instance.context.clone();
        context.volumes = instance.volumes.iter().map(|volume| volume.context.clone()).collect();
        for volume in &mut context.volumes {
            let own = held.created.iter().find(|created| created.volume == volume.id);
            volume.snapshot = own.map(|created| created.snapshot.clone());
            if volume.snapshot.is_none() && !unwanted(&volume.id) {
                let detail = "AWS made no snapshot of it: it was detached meanwhile";
                gaps.push(Gap::new(place(volume), GapReason::Missing, detail));
            }
        }
        for new in
            held.created.iter().filter(|it| !context.volumes.iter().any(|v| v.id == it.volume))
        {
            // Its owner's tags are not known, so its snapshot is not read.
            let detail = "it was attached after the instance was listed";
            gaps.push(Gap::new(&new.volume, GapReason::Missing, detail));
        }
        let failed = self.wait(held)?;
        self.read(context, &failed, &mut gaps, progress)
    }

    /// Scans one volume, attached or not. However this ends, its snapshot is gone.
    pub fn scan_volume(&self, id: &str, progress: &dyn Progress) -> Result<Scan, Failure> {
        let mut context = self.account.volume(id).map_err(|error| refused(&error))?;
        let mut tags = vec![context.tags.clone()];
        if let Some(instance) = context.instance_id.clone() {
            let found = self.account.instances(&[instance]).map_err(|error| refused(&error))?;
            tags.extend(found.into_iter().map(|instance| instance.context.tags));
        }
        tags.iter().try_for_each(|tags| wanted(id, tags))?;
        self.with_snapshot(id, |snapshot| {
            for volume in &mut context.volumes {
                volume.snapshot = Some(snapshot.to_owned());
            }
            self.read(context, &BTreeMap::new(), &mut Vec::new(), progress)
        })?
    }

    /// Makes a snapshot of a volume, lets `work` have it when it is completed, and deletes it.
    pub fn with_snapshot<T>(
        &self,
        volume: &str,
        work: impl FnOnce(&str) -> T,
    ) -> Result<T, Failure> {
        let purpose = self.purpose();
        let make = |account: &Account| Ok(vec![account.create_snapshot(volume, &purpose)?]);
        let held = self.ledger.create(make).ok_or_else(interrupted)?;
        let held = held.map_err(|error| refused(&error))?;
        self.wait(&held)?;
        Ok(work(&held.created[0].snapshot))
    }

    /// Scans the snapshots that an AMI has already.
    pub fn scan_image(&self, id: &str, progress: &dyn Progress) -> Result<Scan, Failure> {
        let context = self.account.image(id).map_err(|error| refused(&error))?;
        wanted(id, &context.tags)?;
        self.read(context, &BTreeMap::new(), &mut Vec::new(), progress)
    }

    /// Scans the volumes whose snapshots the context names, but for those that failed.
    fn read(
        &self,
        mut context: CloudContext,
        failed: &BTreeMap<String, Failure>,
        gaps: &mut Vec<Gap>,
        progress: &dyn Progress,
    ) -> Result<Scan, Failure> {
        let (mut targets, mut unopened) = (Vec::new(), Vec::new());
        for volume in &context.volumes {
            let Some(snapshot) = &volume.snapshot else { continue };
            match failed.get(snapshot) {
                Some(failure) => {
                    let detail = &failure.detail;
                    unopened.push(Gap::new(place(volume), GapReason::Unreadable, detail));
                }
                None => {
                    targets.push(Target::Snapshot { id: snapshot.clone(), name: place(volume) });
                }
            }
        }
        let request = Request {
            account: Some(&self.ebs),
            unopened: &unopened,
            inventory: self.settings.inventory.clone(),
            ..Request::new(&targets, self.settings.cache_bytes)
        };
        let turn = self.turns.take();
        let scanned = pipeline::scan(&request, progress);
        drop(turn);
        let mut scan = scanned.map_err(|error| unreadable(&error, &context))?;
        let report = &mut scan.report;
        // The end of the sweep took the snapshots away while they were read.
        if self.ledger.is_closed() && !report.gaps.is_empty() {
            return Err(interrupted());
        }
        self.check_read(report, &targets).map_err(|error| unreadable(&error, &context))?;
        progress.stage(Stage::Matching);
        let matched = pipeline::add_findings(report, self.advisories);
        matched.map_err(|error| Failure::new(SkipReason::Error, error))?;
        context.snapshots = std::mem::take(&mut report.host.cloud.snapshots);
        report.host.cloud = context;
        report.gaps.append(gaps);
        name_keys(report);
        report.gaps.sort();
        Ok(scan)
    }

    /// A host of which nothing was read, for its blocks could not be, is not scanned: its first
    /// blocks tell why.
    fn check_read(&self, report: &ScanReport, targets: &[Target]) -> Result<(), TargetError> {
        let packages = report.assets.iter().any(|asset| !asset.packages.is_empty());
        let found = packages || !report.host.os.id.is_empty();
        let denied = |gap: &Gap| matches!(gap.reason, GapReason::Unreadable | GapReason::Encrypted);
        if found || !report.gaps.iter().any(denied) {
            return Ok(());
        }
        for target in targets {
            if let Target::Snapshot { id, name } = target {
                let read = self.ebs.snapshot(id).and_then(|snapshot| snapshot.first_block());
                read.map_err(|error| TargetError::snapshot(name, &error))?;
            }
        }
        Ok(())
    }

    /// Makes the snapshots of an instance, which is listed anew if its volumes are no longer those that
    /// were listed.
    fn create(&self, instance: &mut Instance) -> Result<Held, Failure> {
        let until = Instant::now() + self.settings.room_timeout;
        let mut wait = FIRST_WAIT;
        let mut listed_again = false;
        loop {
            match self.try_create(instance, &unwanted(instance)?) {
                Some(Ok(held)) => return Ok(held),
                Some(Err(error)) if error.kind == Kind::Parameter && !listed_again => {
                    listed_again = true;
                    self.list_again(instance)?;
                    continue;
                }
                Some(Err(error)) if error.kind != Kind::Limit => return Err(refused(&error)),
                None if self.ledger.is_closed() => return Err(interrupted()),
                Some(Err(_)) | None if Instant::now() < until => {}
                Some(Err(error)) => return Err(refused(&error)),
                None => {
                    let detail = "too many snapshots of this account are on their way";
                    return Err(Failure::new(SkipReason::PendingLimit, detail));
                }
            }
            self.ledger.pause(jittered(wait));
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn list_again(&self, instance: &mut Instance) -> Result<(), Failure> {
        let found = self.account.instances(&[instance.id().to_owned()]);
        let found = found.map_err(|error| refused(&error))?.pop();
        let gone = || Failure::new(SkipReason::Terminated, "it is no longer there");
        *instance = found.ok_or_else(gone)?;
        Ok(())
    }

    /// `None` if there is no room among the account's pending snapshots, or the sweep ends.
    fn try_create(&self, instance: &Instance, left_out: &[String]) -> Option<Result<Held, Error>> {
        let wanted = instance.volumes.len() - left_out.len();
        let _one_at_a_time = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        match self.account.pending_snapshots() {
            // A host with more volumes than there may be on their way goes alone.
            Ok(pending) if pending > 0 && pending + wanted > self.settings.most_pending => {
                return None;
            }
            Ok(_) => {}
            Err(error) => return Some(Err(error)),
        }
        let purpose = self.purpose();
        self.ledger.create(|account| account.create_snapshots(instance, left_out, &purpose))
    }

    /// What the tags of a snapshot made now say.
    fn purpose(&self) -> Purpose {
        let (created, expires) = now(self.settings.lifetime);
        Purpose { sweep: self.sweep.clone(), created, expires }
    }

    /// Waits until all snapshots are readable or never will be; those that failed, if any is
    /// readable.
    fn wait(&self, held: &Held) -> Result<BTreeMap<String, Failure>, Failure> {
        let started = Instant::now();
        let mut pending: Vec<String> = held.created.iter().map(|it| it.snapshot.clone()).collect();
        let mut failed = BTreeMap::new();
        let mut wait = FIRST_WAIT;
        loop {
            let states = self.account.snapshot_states(&pending).map_err(|error| refused(&error))?;
            pending.retain(|id| match states.get(id) {
                Some(State::Completed) => false,
                Some(State::Pending(_)) => true,
                Some(State::Failed(why)) => {
                    let detail = format!("snapshot {id} ended in error: {why}");
                    failed.insert(id.clone(), Failure::new(SkipReason::SnapshotFailed, detail));
                    false
                }
                None if started.elapsed() < self.settings.unlisted => true,
                None => {
                    let detail = format!("snapshot {id} is gone before it was read");
                    failed.insert(id.clone(), Failure::new(SkipReason::SnapshotVanished, detail));
                    false
                }
            });
            if pending.is_empty() {
                return some_left(held, failed);
            }
            if self.ledger.is_closed() {
                return Err(interrupted());
            }
            if started.elapsed() > self.settings.snapshot_timeout {
                let detail = format!("snapshot {} is still not completed", pending[0]);
                return Err(Failure::new(SkipReason::SnapshotTimeout, detail));
            }
            self.ledger.pause(jittered(wait));
            wait = (wait * 3 / 2).min(LONGEST_WAIT);
        }
    }
}

/// The volumes that no snapshot is made of; fails if none is left.
fn unwanted(instance: &Instance) -> Result<Vec<String>, Failure> {
    let left_out = left_out(instance);
    match left_out.first() {
        Some((_, _, why)) if left_out.len() == instance.volumes.len() => {
            Err(Failure::new(SkipReason::Error, format!("none of its volumes is scanned: {why}")))
        }
        None if instance.volumes.is_empty() => {
            Err(Failure::new(SkipReason::InstanceStore, "it has no volumes any more"))
        }
        _ => Ok(left_out.iter().map(|(volume, ..)| volume.id.clone()).collect()),
    }
}

/// What [`Settings::unlisted`] is by default.
pub(super) const fn unlisted() -> Duration {
    UNLISTED
}

/// The failures, unless nothing is left to scan.
fn some_left(
    held: &Held,
    mut failed: BTreeMap<String, Failure>,
) -> Result<BTreeMap<String, Failure>, Failure> {
    match failed.pop_first() {
        Some((_, failure)) if failed.len() + 1 == held.created.len() => Err(failure),
        Some((id, failure)) => {
            failed.insert(id, failure);
            Ok(failed)
        }
        None => Ok(failed),
    }
}

/// Between half of it and all of it, so that hosts do not ask in step.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// The name of a volume in reports.
pub fn place(volume: &CloudVolume) -> String {
    let name = if volume.id.is_empty() { volume.snapshot.as_deref() } else { Some(&*volume.id) };
    match name.unwrap_or_default() {
        name if volume.device.is_empty() => name.to_owned(),
        name => format!("{name} ({})", volume.device),
    }
}

/// Refuses what its owner says is never to be scanned, whoever names it.
fn wanted(id: &str, tags: &BTreeMap<String, String>) -> Result<(), Failure> {
    let detail = format!("{id}: its owner's tag {} says never", OPT_OUT.0);
    if opted_out(tags) { Err(Failure::new(SkipReason::OptedOut, detail)) } else { Ok(()) }
}
