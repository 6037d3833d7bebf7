//! Which of the candidates is the root of the host.
//!
//! First the filesystem. What starts it counts most: the boot configurations that are on the disks,
//! each for the root that its default entry names, and the bits of the partition table where a system
//! is kept twice. Then a filesystem whose own fstab mounts it as the root, then the signs that each has of a
//! root, then the order of the disks.
//!
//! Then what of it, if it has subvolumes or deployments: what a boot configuration names, what its own
//! fstab mounts as the root, what a mount without options shows, then the signs. A system that is not
//! taken ends as a gap.

use super::Found;
use super::boot::{Arguments, Configuration};
use super::candidates::{self, Candidate, Survey};
use super::slots::Slots;
use super::target::{Target, target};
use crate::model::{Gap, GapReason};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Signs beyond this make a root no more of a root: those of a small system may be fewer.
const ENOUGH_SIGNS: u32 = 8;
/// A configuration beside a root of its own counts for another one less than for itself.
const FOR_ITSELF: u32 = 2;
const FOR_ANOTHER: u32 = 1;
const BY_SLOT: u32 = 8;

/// The root of the host.
pub struct Choice {
    /// The root.
    pub root: Candidate,
    /// The kernel command line that starts it, if one is known.
    pub arguments: Arguments,
    /// The filesystem that has its boot configuration at the top, and so is its `/boot`.
    pub boot: Option<usize>,
}

/// Chooses; `None` if nothing looks like a root.
pub fn choose(
    found: &[Found],
    survey: &mut Survey,
    slots: &Slots,
    gaps: &mut Vec<Gap>,
) -> Option<Choice> {
    survey.candidates.retain(|it| !slots.inactive.contains(&it.found));
    let configurations = std::mem::take(&mut survey.configurations);
    let started = configurations.into_iter().map(|(on, configuration)| {
        let target = target(found, survey, on, &configuration);
        Started { on, configuration, target }
    });
    let started: Vec<Started> = started.collect();
    let chosen_by_slot = by_slot(found, survey, slots);
    let candidates = &survey.candidates;
    let filesystem = filesystem(found, candidates, &started, &chosen_by_slot)?;
    let inside = candidates.iter().enumerate().filter(|(_, it)| it.found == filesystem);
    let (index, root) = inside.max_by_key(|(index, it)| {
        let by = |is_menu| named_by(&started, *index, is_menu);
        let how = (by(true), by(false), it.names_itself, it.is_default());
        (how, it.signs.min(ENOUGH_SIGNS), it.signs, it.modified, Reverse(*index))
    })?;
    let mut own: Vec<_> = started.iter().filter(|it| it.starts(index, filesystem)).collect();
    own.sort_by_key(|it| !it.configuration.is_menu);
    if own.is_empty() {
        gaps.extend(contradiction(found, root, &started));
    }
    if !own.iter().any(|it| matches!(it.target, Target::Candidate(_))) {
        gaps.extend(untold(found, root, candidates));
    }
    let boot = own.iter().find(|it| it.configuration.is_boot).map(|it| it.on);
    let arguments = own.first().map(|it| it.configuration.arguments.clone()).unwrap_or_default();
    Some(Choice { root: root.clone(), arguments, boot })
}

/// A boot configuration and what it starts.
struct Started {
    /// The place of its filesystem.
    on: usize,
    configuration: Configuration,
    target: Target,
}

impl Started {
    fn starts(&self, candidate: usize, filesystem: usize) -> bool {
        match self.target {
            Target::Candidate(it) => it == candidate,
            Target::FileSystem(it) => it == filesystem,
            _ => false,
        }
    }

    fn filesystem(&self, candidates: &[Candidate]) -> Option<usize> {
        match self.target {
            Target::Candidate(it) => candidates.get(it).map(|it| it.found),
            Target::FileSystem(it) => Some(it),
            _ => None,
        }
    }

    /// How much it counts for a filesystem.
    fn weight(&self, candidates: &[Candidate], filesystem: usize) -> u32 {
        let is_beside_another =
            self.on != filesystem && candidates.iter().any(|it| it.found == self.on);
        if is_beside_another { FOR_ANOTHER } else { FOR_ITSELF }
    }
}

/// The filesystem that the root is on.
fn filesystem(
    found: &[Found],
    candidates: &[Candidate],
    started: &[Started],
    by_slot: &[usize],
) -> Option<usize> {
    let votes = |filesystem: usize| -> u32 {
        // Snapshots have a copy of the configuration each, so that those on one disk count once.
        let mut by_place: BTreeMap<usize, u32> = BTreeMap::new();
        for it in started.iter().filter(|it| it.filesystem(candidates) == Some(filesystem)) {
            let weight = by_place.entry(it.on).or_default();
            *weight = it.weight(candidates, filesystem).max(*weight);
        }
        let by_slot = if by_slot.contains(&filesystem) { BY_SLOT } else { 0 };
        by_slot + by_place.values().sum::<u32>()
    };
    let names_filesystem =
        |on: usize| candidates.iter().any(|it| it.found == on && it.names_filesystem);
    let best = candidates.iter().max_by_key(|it| {
        let disk = Reverse(found[it.found].disk);
        let signs = it.signs.min(ENOUGH_SIGNS);
        (
            votes(it.found),
            names_filesystem(it.found),
            signs,
            disk,
            it.signs,
            it.modified,
            Reverse(it.found),
        )
    })?;
    Some(best.found)
}

/// How often a candidate is named, by menus or by what entries are made from.
fn named_by(started: &[Started], candidate: usize, is_menu: bool) -> usize {
    let own = started.iter().filter(|it| it.configuration.is_menu == is_menu);
    own.filter(|it| matches!(it.target, Target::Candidate(it) if it == candidate)).count()
}

/// The filesystems that the bits of partition tables start, or that go with the `/usr` that they do.
fn by_slot(found: &[Found], survey: &mut Survey, slots: &Slots) -> Vec<usize> {
    let beside = slots.usr.iter().filter_map(|usr| {
        let disk = found[*usr].disk;
        (0..found.len()).find(|root| found[*root].disk == disk && found[*root].is_called("ROOT"))
    });
    let roots = slots.roots.iter().copied().chain(beside);
    let readable = roots.filter(|root| found[*root].filesystem.is_some());
    readable.inspect(|root| candidates::must_have(found, survey, *root)).collect()
}

/// The gap of a boot configuration that starts something else, when nothing starts what is taken.
fn contradiction(found: &[Found], root: &Candidate, started: &[Started]) -> Option<Gap> {
    let place = &found[root.found];
    let mut beside = started.iter().filter(|it| found[it.on].disk == place.disk);
    let (it, named) = beside.find_map(|it| match &it.target {
        Target::Absent(named) => Some((it, named)),
        _ => None,
    })?;
    let detail = format!(
        "{}{} starts the system on {named}, which is not among what could be read; this one was scanned instead",
        found[it.on].device, it.configuration.place
    );
    Some(Gap::new(&place.device, GapReason::Missing, detail))
}

/// The gap of a deployment, or of one state of a subvolume, that nothing says is the one that is
/// started. Where it is another system that is not started, that one is told.
fn untold(found: &[Found], root: &Candidate, candidates: &[Candidate]) -> Option<Gap> {
    let place = root.place()?;
    let is_told = root.folder.is_none() && (root.names_itself || root.is_default());
    let same = |it: &&Candidate| it.found == root.found && it.family() == root.family();
    let count = candidates.iter().filter(same).count();
    let detail = match root.folder {
        Some(_) => format!(
            "no boot entry tells which of {count} deployments is started; the newest, {place}, was scanned"
        ),
        None => format!(
            "nothing tells which of {count} states of a subvolume is started; {place} was scanned"
        ),
    };
    (count > 1 && !is_told).then(|| Gap::new(&found[root.found].device, GapReason::Missing, detail))
}
