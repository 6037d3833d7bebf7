//! What became of the subvolumes of the filesystems that are mounted: shown somewhere in the tree, a
//! snapshot or another state of what is, another system, or files that nothing shows.

use super::candidates::{Candidate, Survey};
use super::{Found, Tree, leftover};
use crate::filesystem::{FileSystem, Kind, NodeId, Subvolume};
use crate::model::{Gap, GapReason, PartState, SubvolumePart};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most that are told of one filesystem; container engines make one for each layer.
const MOST: usize = 1000;
/// Most folders in which files are looked for.
const MOST_FOLDERS: usize = 256;
/// Where timeshift keeps its snapshots, and what it knows of them.
const TIMESHIFT: &[u8] = b"timeshift-btrfs";

/// What is mounted of a filesystem, and where.
pub struct Shown {
    /// The filesystem.
    pub found: usize,
    /// The root of the subvolume.
    pub top: NodeId,
    /// Path in the tree.
    pub path: String,
}

/// Those of each device that has any.
pub fn of(
    found: &[Found],
    survey: &Survey,
    root: &Candidate,
    tree: &Tree,
    shown: &[Shown],
    gaps: &mut Vec<Gap>,
) -> BTreeMap<String, Vec<SubvolumePart>> {
    let mut states = BTreeMap::new();
    for (index, subvolumes) in &survey.subvolumes {
        let Some(filesystem) = &found[*index].filesystem else { continue };
        let judge = Judge::new(*index, filesystem, survey, root, tree, shown);
        let device = &found[*index].device;
        let mut sorted: Vec<&Subvolume> = subvolumes.iter().collect();
        sorted.sort_by_cached_key(|it| {
            (judge.mounts(it).is_empty(), it.snapshot_of.is_some(), it.path.clone())
        });
        if sorted.len() > MOST {
            let detail = format!("{} subvolumes; {MOST} of them are told", sorted.len());
            gaps.push(Gap::new(device, GapReason::Limit, detail));
            sorted.truncate(MOST);
        }
        let mut told = BTreeSet::new();
        let parts: Vec<_> = sorted.iter().map(|it| judge.part(it)).collect();
        for (part, subvolume) in parts.iter().zip(&sorted) {
            if part.state == PartState::Gap && told.insert(subvolume.family) {
                gaps.extend(judge.gap(device, subvolume));
            }
        }
        gaps.extend(judge.top(device));
        states.insert(device.clone(), parts);
    }
    states
}

/// What tells the state of a filesystem's subvolumes.
struct Judge<'a> {
    filesystem: &'a Arc<dyn FileSystem>,
    tree: &'a Tree,
    /// Those that are mounted: where, and from which path of the filesystem.
    mounted: Vec<(&'a Shown, &'a str)>,
    subvolumes: &'a [Subvolume],
    /// Families of what is mounted.
    families: BTreeSet<u64>,
    /// Other systems, by their families.
    systems: BTreeMap<u64, &'a str>,
}

impl<'a> Judge<'a> {
    fn new(
        index: usize,
        filesystem: &'a Arc<dyn FileSystem>,
        survey: &'a Survey,
        root: &Candidate,
        tree: &'a Tree,
        shown: &'a [Shown],
    ) -> Self {
        let subvolumes = survey.subvolumes.get(&index).map(Vec::as_slice).unwrap_or_default();
        let own = shown.iter().filter(|it| it.found == index);
        let own = own.filter(|it| filesystem.subvolume_root(it.top).is_some());
        let path = |top| subvolumes.iter().find(|it| it.root == top).map_or("", |it| &it.path);
        let mounted: Vec<_> = own.map(|it| (it, path(it.top))).collect();
        let families = mounted.iter().filter_map(|(it, _)| filesystem.subvolume_root(it.top));
        let families = families.map(|it| it.family).collect();
        let systems = survey.candidates.iter().filter(|it| it.found == index && it.is_system());
        let systems = systems.filter(|it| !leftover::is_state(it, root));
        let systems = systems.map(|it| (it.family(), it.name())).collect();
        Self { filesystem, tree, mounted, subvolumes, families, systems }
    }

    fn part(&self, subvolume: &Subvolume) -> SubvolumePart {
        let mut mounts = self.mounts(subvolume);
        let (state, detail) = if !mounts.is_empty() {
            (PartState::Scanned, None)
        } else if self.families.contains(&subvolume.family) {
            (PartState::NotNeeded, Some(self.origin(subvolume)))
        } else if let Some(path) = self.path_to(subvolume) {
            if subvolume.read_only && subvolume.snapshot_of.is_some() {
                (PartState::NotNeeded, Some(self.origin(subvolume)))
            } else if let Some(name) = self.systems.get(&subvolume.family) {
                (PartState::Gap, Some(format!("another system, {name}, at {path}")))
            } else {
                mounts.push(path);
                (PartState::Scanned, None)
            }
        } else if let Some(name) = self.systems.get(&subvolume.family) {
            (PartState::Gap, Some(format!("another system, {name}")))
        } else if let Some(past) = self.past_around(subvolume) {
            (PartState::NotNeeded, Some(format!("below {past}, which is not started")))
        } else if has_files(self.filesystem.as_ref(), subvolume.root) {
            (PartState::Gap, Some("nothing mounts it".to_owned()))
        } else {
            (PartState::NotNeeded, Some("it holds no files".to_owned()))
        };
        SubvolumePart {
            id: subvolume.id,
            path: subvolume.path.clone(),
            read_only: subvolume.read_only,
            snapshot_of: subvolume.source.and_then(|source| self.name(source)),
            mounts,
            state,
            detail,
        }
    }

    /// Where it is mounted.
    fn mounts(&self, subvolume: &Subvolume) -> Vec<String> {
        let own = self.mounted.iter().filter(|(it, _)| it.top == subvolume.root);
        own.map(|(it, _)| it.path.clone()).collect()
    }

    /// Where the tree shows it below what is mounted.
    fn path_to(&self, subvolume: &Subvolume) -> Option<String> {
        let below = self.mounted.iter().filter_map(|(it, above)| {
            let rest = subvolume.path.strip_prefix(above)?;
            let is_whole = above.is_empty() || rest.starts_with('/');
            let rest = rest.trim_start_matches('/');
            is_whole.then(|| format!("{}/{rest}", it.path.trim_end_matches('/')))
        });
        let shown =
            |path: &String| self.tree.shows(path.as_bytes(), self.filesystem, subvolume.root);
        below.filter(shown).min()
    }

    /// The one that it hangs in, if that is a state of what is mounted, and not mounted itself.
    fn past_around(&self, subvolume: &Subvolume) -> Option<&'a str> {
        let is_around = |it: &&Subvolume| {
            let rest = subvolume.path.strip_prefix(it.path.as_str());
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let around = self.subvolumes.iter().filter(is_around).max_by_key(|it| it.path.len())?;
        let is_past = self.families.contains(&around.family) && self.mounts(around).is_empty();
        is_past.then_some(around.path.as_str())
    }

    fn name(&self, id: u64) -> Option<String> {
        Some(self.subvolumes.iter().find(|it| it.id == id)?.path.clone())
    }

    /// What one is a state of.
    fn origin(&self, subvolume: &Subvolume) -> String {
        if let Some(source) = subvolume.source {
            let name = self.name(source).unwrap_or_else(|| "the top".to_owned());
            return format!("a snapshot of {name}");
        }
        let same = |top| {
            self.filesystem.subvolume_root(top).is_some_and(|it| it.family == subvolume.family)
        };
        match self.mounted.iter().find(|(it, _)| same(it.top)) {
            Some((_, "")) => "another state of the top".to_owned(),
            Some((_, path)) => format!("another state of {path}"),
            None => "a snapshot of what is gone".to_owned(),
        }
    }

    /// The gap of the files that nothing shows. Other systems are told already, and a filesystem
    /// that is not mounted at all is.
    fn gap(&self, device: &str, subvolume: &Subvolume) -> Option<Gap> {
        if self.mounted.is_empty() || self.systems.contains_key(&subvolume.family) {
            return None;
        }
        let detail = "a subvolume that nothing mounts: its files were not looked at";
        Some(Gap::new(format!("{device}/{}", subvolume.path), GapReason::Missing, detail))
    }

    /// The gap of files at the top of the filesystem, beside the subvolumes.
    fn top(&self, device: &str) -> Option<Gap> {
        let top = self.filesystem.subtree("subvolid=5").ok().flatten()?;
        let family = self.filesystem.subvolume_root(top)?.family;
        let is_told = self.mounted.is_empty()
            || self.families.contains(&family)
            || self.systems.contains_key(&family);
        if is_told || !has_files(self.filesystem.as_ref(), top) {
            return None;
        }
        let detail = "files beside its subvolumes, which nothing mounts, were not looked at";
        Some(Gap::new(device, GapReason::Missing, detail))
    }
}

/// Whether there are files in a subvolume itself; where that would take long, it is said that there
/// are.
fn has_files(filesystem: &dyn FileSystem, top: NodeId) -> bool {
    let (mut folders, mut looked_at) = (vec![top], 0);
    while let Some(folder) = folders.pop() {
        looked_at += 1;
        let Ok(listing) = filesystem.read_dir(folder) else { return true };
        if looked_at > MOST_FOLDERS || !listing.damage.is_empty() {
            return true;
        }
        for entry in listing.entries {
            let is_known = folder == top && entry.name == TIMESHIFT;
            if is_known || filesystem.subvolume_root(entry.node).is_some() {
                continue;
            }
            match filesystem.metadata(entry.node).map(|it| it.kind) {
                Ok(Kind::Directory) => folders.push(entry.node),
                Ok(Kind::Other) => {}
                Ok(Kind::File | Kind::Symlink) | Err(_) => return true,
            }
        }
    }
    false
}
