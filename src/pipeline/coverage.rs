//! What became of the parts of the disks, once it is known what is mounted.

use super::discover::Discovery;
use crate::host::Joined;
use crate::model::{Coverage, Gap, Part, PartState};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Says of each filesystem where it is mounted, or why not.
/// What is known of a device beside that (`notes`) is told too.
pub fn coverage(discovery: Discovery, joined: &Joined, gaps: &[Gap]) -> Coverage {
    let Joined { mounts, notes, .. } = joined;
    let Discovery { found, mut parts } = discovery;
    let devices: BTreeSet<String> = found.iter().map(|it| it.device.clone()).collect();
    for found in found {
        let Some(part) = parts.get_mut(found.part) else { continue };
        let own = mounts.iter().filter(|mount| mount.device == found.device);
        part.mounts = own.map(|mount| mount.path.clone()).collect();
        let note = notes.get(&found.device);
        if part.state == PartState::Scanned && !part.mounts.is_empty() {
            part.detail = note.cloned();
        } else if part.state == PartState::Scanned {
            let unjoined = gaps.iter().find(|gap| gap.place == found.device);
            let (state, detail) = match unjoined {
                _ if note.is_some() => (PartState::NotNeeded, note.map_or("", String::as_str)),
                _ if found.optional => (PartState::NotNeeded, "boot firmware's own"),
                Some(gap) => (PartState::Gap, gap.detail.as_str()),
                None if mounts.is_empty() => (PartState::Gap, "no root was found"),
                None => (PartState::NotNeeded, "empty"),
            };
            (part.state, part.detail) = (state, Some(detail.to_owned()));
        }
        part.subvolumes = joined.subvolumes.get(&found.device).cloned().unwrap_or_default();
        if part.mounts.is_empty() {
            part.subvolumes.iter_mut().for_each(|it| (it.state, it.detail) = (part.state, None));
        }
    }
    further_pieces(&mut parts, &devices);
    empty_pools(&mut parts, gaps);
    Coverage::new(parts)
}

/// The further devices of a btrfs over several: what became of the filesystem became of them. It has
/// the name of the first.
fn further_pieces(parts: &mut [Part], filesystems: &BTreeSet<String>) {
    let known: BTreeMap<String, Part> = parts
        .iter()
        .filter(|part| filesystems.contains(&part.name))
        .map(|part| (part.name.clone(), part.clone()))
        .collect();
    let others = parts.iter_mut().filter(|part| !filesystems.contains(&part.name));
    for part in others.filter(|part| part.holds.as_deref() == Some("btrfs")) {
        if let Some(whole) = part.on.iter().find_map(|on| known.get(on)) {
            (part.state, part.mounts) = (whole.state, whole.mounts.clone());
            part.detail.clone_from(&whole.detail);
        }
    }
}

/// Parts of a table or of a pool on which nothing stands.
fn empty_pools(parts: &mut [Part], gaps: &[Gap]) {
    let below: BTreeSet<String> = parts.iter().flat_map(|part| part.on.clone()).collect();
    let bare = |part: &&mut Part| part.state == PartState::Scanned && part.mounts.is_empty();
    for part in parts.iter_mut().filter(bare).filter(|part| !below.contains(&part.name)) {
        let gap = gaps.iter().find(|gap| gap.place == part.name);
        (part.state, part.detail) = match gap {
            Some(gap) => (PartState::Gap, Some(gap.detail.clone())),
            None => (PartState::NotNeeded, Some("nothing is on it".to_owned())),
        };
    }
}

/// A disk that could not be opened: its size is not known.
pub fn of_unopened(gap: &Gap) -> Part {
    Part {
        name: gap.place.clone(),
        on: Vec::new(),
        size: 0,
        holds: None,
        label: None,
        uuid: None,
        mounts: Vec::new(),
        state: PartState::Gap,
        detail: Some(gap.detail.clone()),
        subvolumes: Vec::new(),
    }
}

/// A directory of this machine, taken as a root.
pub fn of_directory(path: &Path) -> Coverage {
    Coverage::new(vec![Part {
        name: path.display().to_string(),
        on: Vec::new(),
        size: 0,
        holds: Some("directory".to_owned()),
        label: None,
        uuid: None,
        mounts: vec!["/".to_owned()],
        state: PartState::Scanned,
        detail: None,
        subvolumes: Vec::new(),
    }])
}
