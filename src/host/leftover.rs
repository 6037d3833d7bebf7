//! What is left when the host is joined: other systems, the halves of those that are kept twice,
//! recovery partitions, and filesystems that nothing mounts.

use super::Found;
use super::candidates::Candidate;
use super::slots::Slots;
use crate::filesystem::{FileSystem, Kind};
use crate::model::{Gap, GapReason, printable};
use std::collections::{BTreeMap, BTreeSet};

/// Microsoft's type of recovery partitions.
const RECOVERY: &[&str] = &["de94bba4-06d1-4d40-a16a-bfd50179d6ac"];
/// Names at the top of partitions that Windows boots or recovers from, in lower case; those that
/// start with `$` are NTFS's own.
const WINDOWS_BOOT: &[&str] =
    &["boot", "bootmgr", "bootnxt", "bootsect.bak", "bootstat.dat", "recovery", "hiberfil.sys"];

/// What Windows keeps on each volume beside what starts with `$`.
const ON_EACH_VOLUME: &str = "system volume information";

/// Why nothing is needed of the halves that are not started.
pub fn inactive(found: &[Found], slots: &Slots) -> BTreeMap<String, String> {
    let note = "the other of a system that is kept twice, which is not started";
    let devices = slots.inactive.iter().map(|index| found[*index].device.clone());
    devices.map(|device| (device, note.to_owned())).collect()
}

/// What may be left.
pub struct Left<'a> {
    /// All that was found.
    pub found: &'a [Found],
    /// What is mounted of it, by place in the list.
    pub joined: &'a [usize],
    /// What is not, though some configuration names it, and why.
    pub refused: &'a BTreeMap<usize, String>,
}

/// Tells of all that is not a part of the host.
pub fn report(
    left: &Left,
    candidates: &[Candidate],
    root: &Candidate,
    notes: &mut BTreeMap<String, String>,
    gaps: &mut Vec<Gap>,
) {
    let Left { found, joined, refused } = *left;
    let others = other_systems(found, candidates, root, gaps);
    deployments(found, candidates, root, notes);
    for (index, left) in found.iter().enumerate() {
        let known = joined.contains(&index) || others.contains(&index) || left.optional;
        let Some(filesystem) = &left.filesystem else { continue };
        if known || notes.contains_key(&left.device) {
            continue;
        }
        if let Some(note) = windows_own(left, filesystem.as_ref()) {
            notes.insert(left.device.clone(), note.to_owned());
        } else if holds_more(filesystem.as_ref()) {
            let nothing = || {
                let kind = &left.kind;
                format!("{kind} filesystem that nothing mounts: its files were not looked at")
            };
            let detail = refused.get(&index).cloned().unwrap_or_else(nothing);
            gaps.push(Gap::new(&left.device, GapReason::Missing, detail));
        }
    }
}

/// Every other system is a gap, whether something mounts it or not: where it is mounted, it is not
/// where packages are looked for. What is another state of one that is told, or of the root, is none.
fn other_systems(
    found: &[Found],
    candidates: &[Candidate],
    root: &Candidate,
    gaps: &mut Vec<Gap>,
) -> BTreeSet<usize> {
    let mut told = BTreeSet::new();
    for other in candidates.iter().filter(|it| it.is_system() && !is_state(it, root)) {
        if told.insert((other.found, other.family())) {
            gaps.push(other_system(&found[other.found], other, root));
        }
    }
    told.into_iter().map(|(found, _)| found).collect()
}

/// Whether it is what the root is a state of, too.
pub fn is_state(other: &Candidate, root: &Candidate) -> bool {
    other.found == root.found
        && other.family() == root.family()
        && (other.folder.is_some() || root.folder.is_none())
}

fn other_system(on: &Found, other: &Candidate, root: &Candidate) -> Gap {
    let (device, name) = (&on.device, other.name());
    let subvolume = other.subvolume.as_ref();
    let within = subvolume.map_or(String::new(), |path| format!("subvolume /{path} of "));
    let where_ = if within.is_empty() { "on" } else { "in" };
    let detail =
        format!("another system, {name}, was found {where_} {within}{device} and not scanned");
    // The place of a device that is no part of the host is the device.
    let path = subvolume.filter(|_| other.found == root.found);
    let place = path.map_or_else(|| device.clone(), |path| format!("{device}/{path}"));
    Gap::new(place, GapReason::Unsupported, detail)
}

/// Older deployments are no gap: what runs is the one that is started.
fn deployments(
    found: &[Found],
    candidates: &[Candidate],
    root: &Candidate,
    notes: &mut BTreeMap<String, String>,
) {
    let is_other = |it: &&Candidate| it.top == root.top && it.folder != root.folder;
    let others = candidates.iter().filter(|it| it.found == root.found).filter(is_other);
    let others: Vec<&str> = others.filter_map(|it| it.folder.as_deref()).collect();
    if !others.is_empty() {
        let note = format!("other deployments, not scanned: {}", others.join(", "));
        notes.insert(found[root.found].device.clone(), note);
    }
}

/// Why nothing is needed of a partition on which there is nothing but what Windows itself put there.
fn windows_own(left: &Found, filesystem: &dyn FileSystem) -> Option<&'static str> {
    const STARTS: &str = "Windows boots or recovers from it";
    if left.kind != "ntfs" {
        return None;
    }
    if left.is_one_of(RECOVERY) {
        return Some(STARTS);
    }
    let listing = filesystem.read_dir(filesystem.root()).ok()?;
    let names = listing.entries.iter().map(|it| printable(&it.name).to_ascii_lowercase());
    let others: Vec<_> = names.filter(|it| !it.starts_with('$') && it != ON_EACH_VOLUME).collect();
    let is_own = others.iter().all(|name| WINDOWS_BOOT.contains(&name.as_str()));
    match is_own && listing.damage.is_empty() {
        true if others.is_empty() => Some("empty"),
        true => Some(STARTS),
        false => None,
    }
}

/// An empty data disk holds nothing that could be missed; one whose root cannot be read may.
fn holds_more(filesystem: &dyn FileSystem) -> bool {
    filesystem.read_dir(filesystem.root()).map_or(true, |listing| {
        let damaged = !listing.damage.is_empty();
        damaged
            || listing.entries.iter().any(|entry| {
                entry.name != b"lost+found"
                    && filesystem.metadata(entry.node).map_or(true, |it| it.kind != Kind::Other)
            })
    })
}
