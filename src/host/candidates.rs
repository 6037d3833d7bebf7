//! What could be the root of a system: each filesystem, and each folder of one that is a root by
//! itself, with the signs that it has of one; and what the filesystems hold of boot configuration.

use super::boot::{self, Configuration};
use super::{Found, Tree, gpt_auto, identity, ostree};
use crate::filesystem::{FileSystem, NodeId};
use crate::model::{Gap, GapReason, Os};
use std::sync::Arc;

/// Filesystems that are looked at at the same time.
const AT_ONCE: usize = 32;
/// The least that a root has of signs.
const LEAST: u32 = 2;
/// What a root has at least that cannot be a rest: its name, and more.
const FULL: u32 = 9;

/// Signs of a root, each with its weight.
const SIGNS: &[(&str, u32)] = &[
    ("/etc/os-release", 4),
    ("/usr/lib/os-release", 4),
    ("/etc/debian_version", 2),
    ("/etc/redhat-release", 2),
    ("/etc/system-release", 2),
    ("/etc/fstab", 2),
    ("/etc/passwd", 1),
    ("/var/lib/dpkg/status", 2),
];
/// The sign of a Windows.
const WINDOWS: (&str, u32) = (identity::WINDOWS, 8);

/// Something that could be a root.
#[derive(Clone)]
pub struct Candidate {
    /// The filesystem's place in the list.
    pub found: usize,
    /// The filesystem.
    pub filesystem: Arc<dyn FileSystem>,
    /// The folder that is the root, if it is not the filesystem's.
    pub folder: Option<String>,
    /// The root.
    pub node: NodeId,
    /// The weights of its signs.
    pub signs: u32,
    /// What it says of itself.
    pub os: Os,
    /// When a deployment was made.
    pub modified: i64,
}

impl Candidate {
    /// Its tree, with nothing mounted in it.
    pub fn tree(&self) -> Tree {
        Tree::at(self.filesystem.clone(), self.node)
    }

    /// What the system is called.
    pub fn name(&self) -> &str {
        if self.os.pretty_name.is_empty() { &self.os.id } else { &self.os.pretty_name }
    }

    /// Whether it says what system it is.
    pub fn is_system(&self) -> bool {
        !matches!(self.os.id.as_str(), "" | "unknown")
    }
}

/// What was found on all filesystems.
#[derive(Default)]
pub struct Survey {
    /// Roots.
    pub candidates: Vec<Candidate>,
    /// Boot configurations, each with the place of its filesystem in the list.
    pub configurations: Vec<(usize, Configuration)>,
}

/// Looks at all filesystems.
pub fn survey(found: &[Found], gaps: &mut Vec<Gap>) -> Survey {
    let read = |it: &&Found| it.filesystem.is_some() && !it.optional;
    // A single filesystem is what there is, whatever a boot configuration says.
    let is_choice = found.iter().filter(read).count() > 1;
    let mut survey = Survey::default();
    let all: Vec<_> = found.iter().enumerate().collect();
    for some in all.chunks(AT_ONCE) {
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let work = |index, found| look(index, found, is_choice);
            let threads: Vec<_> =
                some.iter().map(|(index, it)| scope.spawn(move || work(*index, it))).collect();
            let ends = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            ends.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        for ((candidates, configuration, unread), (index, found)) in outcomes.into_iter().zip(some)
        {
            let place = |gap: Gap| Gap { place: format!("{}{}", found.device, gap.place), ..gap };
            gaps.extend(unread.into_iter().map(place));
            survey.candidates.extend(candidates);
            survey.configurations.extend(configuration.map(|it| (*index, it)));
        }
    }
    survey
}

type Look = (Vec<Candidate>, Option<Configuration>, Vec<Gap>);

/// Looks at one filesystem.
fn look(index: usize, found: &Found, is_choice: bool) -> Look {
    let Some(filesystem) = &found.filesystem else { return Look::default() };
    let mut gaps = Vec::new();
    let whole = whole(index, filesystem);
    let tree = whole.tree();
    let deployments = ostree::deployments(&tree, &mut gaps);
    let is_choice = is_choice || !deployments.is_empty();
    let configuration = is_choice.then(|| boot::read(&tree, &mut gaps)).flatten();
    let folders = deployments.into_iter().map(|it| Candidate {
        folder: Some(it.folder),
        node: it.node,
        modified: it.modified,
        ..whole.clone()
    });
    // Subvolumes that are roots by themselves (btrfs) belong here too, as further folders.
    let mut candidates: Vec<_> = folders.chain([whole.clone()]).collect();
    for candidate in &mut candidates {
        weigh(candidate, found, &mut gaps);
    }
    // What is beside deployments is not a system, but for one with all signs.
    let is_deployed = candidates.len() > 1;
    candidates.retain(|it| it.folder.is_some() || !is_deployed || it.signs >= FULL);
    let bare = candidates.iter().filter(|it| it.signs < LEAST).filter_map(|it| it.folder.clone());
    let detail = "a deployment whose folder holds no system: its image is not read";
    gaps.extend(bare.map(|folder| Gap::new(folder, GapReason::Unsupported, detail)));
    candidates.retain(|it| it.signs >= LEAST);
    (candidates, configuration, gaps)
}

/// The filesystem itself, without signs.
pub fn whole(found: usize, filesystem: &Arc<dyn FileSystem>) -> Candidate {
    Candidate {
        found,
        filesystem: filesystem.clone(),
        folder: None,
        node: filesystem.root(),
        signs: 0,
        os: Os::default(),
        modified: 0,
    }
}

/// Counts the signs that are there. One that cannot be read is a gap, and the others still count.
fn weigh(candidate: &mut Candidate, found: &Found, gaps: &mut Vec<Gap>) {
    let tree = candidate.tree();
    let windows = (found.kind == "ntfs").then_some(&WINDOWS);
    for (path, weight) in SIGNS.iter().chain(windows) {
        match tree.holds(path.as_bytes()) {
            Ok(true) => candidate.signs += weight,
            Ok(false) => {}
            Err(error) => gaps.push(Gap::new(*path, error.reason(), error)),
        }
    }
    if candidate.signs > 0 {
        candidate.signs += u32::from(found.is_one_of(gpt_auto::ROOT));
        // What of it cannot be read is told when it is the host that is read.
        candidate.os = identity::os(&tree, &mut Vec::new());
    }
}
