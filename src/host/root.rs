//! Which of the candidates is the root of the host.
//!
//! First counts what starts it: the boot configurations that are on the disks, each for the root
//! that its default entry names, and the bits of the partition table where a system is kept twice.
//! Then the signs that each has of a root, then the order of the disks. A system that is not taken
//! ends as a gap.

use super::boot::{Arguments, Configuration};
use super::candidates::{self, Candidate, Survey};
use super::devices::Devices;
use super::slots::Slots;
use super::spec::Spec;
use super::{Found, Tree};
use crate::model::{Gap, GapReason, printable_str};
use std::cmp::Reverse;

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

/// What the default entry of a configuration starts.
enum Target {
    /// This one of the candidates.
    Candidate(usize),
    /// A root that is not among the filesystems, or not read: its name.
    Absent(String),
    /// It does not say.
    Unsaid,
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
    let targets: Vec<Target> = configurations
        .iter()
        .map(|(on, configuration)| target(found, &mut survey.candidates, *on, configuration))
        .collect();
    let chosen_by_slot = by_slot(found, &mut survey.candidates, slots);
    let candidates = &survey.candidates;
    let votes = |index: usize| -> u32 {
        let by_slot = if chosen_by_slot.contains(&index) { BY_SLOT } else { 0 };
        let configurations = configurations.iter().zip(&targets);
        let own = configurations
            .filter(|(_, target)| matches!(target, Target::Candidate(it) if *it == index));
        by_slot + own.map(|((on, _), _)| weight(candidates, *on, index)).sum::<u32>()
    };
    let (index, root) = candidates.iter().enumerate().max_by_key(|(index, it)| {
        let disk = Reverse(found[it.found].disk);
        let signs = it.signs.min(ENOUGH_SIGNS);
        (votes(*index), signs, disk, it.signs, it.modified, Reverse(*index))
    })?;
    let own = configurations.iter().zip(&targets);
    let own = own.filter(|(_, target)| matches!(target, Target::Candidate(it) if *it == index));
    let own: Vec<_> = own.map(|(configuration, _)| configuration).collect();
    if own.is_empty() {
        gaps.extend(contradiction(found, root, &configurations, &targets));
        gaps.extend(untold(found, root, candidates));
    }
    let boot = own.iter().find(|(_, it)| it.is_boot).map(|(on, _)| *on);
    let arguments = own.first().map(|(_, it)| it.arguments.clone()).unwrap_or_default();
    Some(Choice { root: root.clone(), arguments, boot })
}

/// How much a configuration counts for a candidate.
fn weight(candidates: &[Candidate], on: usize, index: usize) -> u32 {
    let is_beside_another = candidates.iter().any(|it| it.found == on)
        && candidates.get(index).is_some_and(|it| it.found != on);
    if is_beside_another { FOR_ANOTHER } else { FOR_ITSELF }
}

/// What a configuration starts. A filesystem that it names is a candidate, whatever its signs.
fn target(
    found: &[Found],
    candidates: &mut Vec<Candidate>,
    on: usize,
    configuration: &Configuration,
) -> Target {
    let Arguments { root, ostree, .. } = &configuration.arguments;
    let device = root.as_deref().map(Spec::parse);
    let devices = Devices { found, disk: found[on].disk, disk_name: None, joined: &[] };
    let named = device.as_ref().and_then(|spec| devices.find(spec, "auto"));
    if let Some(link) = ostree {
        let deployed = deployed(candidates, named, link);
        return deployed.map_or(Target::Unsaid, Target::Candidate);
    }
    let absent = || Target::Absent(printable_str(root.as_deref().unwrap_or_default()));
    match named {
        None if device.is_some_and(|it| it.is_lasting()) => absent(),
        None => Target::Unsaid,
        Some(named) => match &found[named].filesystem {
            None => absent(),
            Some(filesystem) => Target::Candidate(candidate(candidates, named, filesystem)),
        },
    }
}

/// The candidate that a filesystem is; it becomes one if it is none.
fn candidate(
    candidates: &mut Vec<Candidate>,
    found: usize,
    filesystem: &std::sync::Arc<dyn crate::filesystem::FileSystem>,
) -> usize {
    // That `rootflags=` names a subvolume decides here between those of one filesystem.
    candidates.iter().position(|it| it.found == found).unwrap_or_else(|| {
        candidates.push(candidates::whole(found, filesystem));
        candidates.len() - 1
    })
}

/// The deployment that a link leads to, on the filesystem that is named, or on any.
fn deployed(candidates: &[Candidate], named: Option<usize>, link: &str) -> Option<usize> {
    candidates.iter().position(|it| {
        let node = || Tree::new(it.filesystem.clone()).find(link.as_bytes()).ok().flatten();
        it.folder.is_some()
            && named.is_none_or(|named| named == it.found)
            && node().is_some_and(|at| at.node == it.node)
    })
}

/// The roots that the bits of partition tables start, or that go with the `/usr` that they do.
fn by_slot(found: &[Found], candidates: &mut Vec<Candidate>, slots: &Slots) -> Vec<usize> {
    let beside = slots.usr.iter().filter_map(|usr| {
        let disk = found[*usr].disk;
        (0..found.len()).find(|root| found[*root].disk == disk && found[*root].is_called("ROOT"))
    });
    let roots = slots.roots.iter().copied().chain(beside);
    let readable = roots.filter_map(|root| Some((root, found[root].filesystem.as_ref()?)));
    readable.map(|(root, filesystem)| candidate(candidates, root, filesystem)).collect()
}

/// The gap of a boot configuration that starts something else, when nothing starts what is taken.
fn contradiction(
    found: &[Found],
    root: &Candidate,
    configurations: &[(usize, Configuration)],
    targets: &[Target],
) -> Option<Gap> {
    let place = &found[root.found];
    let (on, configuration, named) =
        configurations.iter().zip(targets).find_map(|((on, configuration), target)| {
            let Target::Absent(named) = target else { return None };
            (found[*on].disk == place.disk).then_some((*on, configuration, named))
        })?;
    let detail = format!(
        "{}{} starts the system on {named}, which is not among what could be read; this one was scanned instead",
        found[on].device, configuration.place
    );
    Some(Gap::new(&place.device, GapReason::Missing, detail))
}

/// The gap of a deployment that nothing says is the one that is started.
fn untold(found: &[Found], root: &Candidate, candidates: &[Candidate]) -> Option<Gap> {
    let folder = root.folder.as_ref()?;
    let count = candidates.iter().filter(|it| it.found == root.found).count();
    let detail = format!(
        "no boot entry tells which of {count} deployments is started; the newest, {folder}, was scanned"
    );
    (count > 1).then(|| Gap::new(&found[root.found].device, GapReason::Missing, detail))
}
