//! What could be the root of a system: each filesystem, each subvolume and each folder of one that is
//! a root by itself, with the signs that it has of one; and what they hold of boot configuration.

use super::boot::{self, Configuration};
use super::devices::Devices;
use super::wanted::Wanted;
use super::{Found, Tree, fstab, gpt_auto, identity, ostree, subvolumes, windows};
use crate::filesystem::{FileSystem, NodeId, Subvolume};
use crate::model::{Gap, GapReason, Os};
use std::collections::BTreeMap;
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
const WINDOWS: (&str, u32) = (windows::SOFTWARE, 8);

/// Something that could be a root.
#[derive(Clone)]
pub struct Candidate {
    /// The filesystem's place in the list.
    pub found: usize,
    /// The filesystem.
    pub filesystem: Arc<dyn FileSystem>,
    /// What is mounted: the root of the filesystem, or that of a subvolume.
    pub top: NodeId,
    /// Path of the subvolume, if it is one that has a name.
    pub subvolume: Option<String>,
    /// The folder below, if that is the root: a deployment.
    pub folder: Option<String>,
    /// The root.
    pub node: NodeId,
    /// The weights of its signs.
    pub signs: u32,
    /// What it says of itself.
    pub os: Os,
    /// Whether its own fstab mounts just this subvolume as the root.
    pub names_itself: bool,
    /// Whether its own fstab mounts the filesystem that it is on as the root.
    pub names_filesystem: bool,
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
        if !self.is_named() {
            return "which does not say its name";
        }
        if self.os.pretty_name.is_empty() { &self.os.id } else { &self.os.pretty_name }
    }

    /// Its place in the filesystem, where that is not the root.
    pub fn place(&self) -> Option<String> {
        let subvolume = self.subvolume.as_ref().map(|path| format!("/{path}"));
        match (subvolume, &self.folder) {
            (None, folder) => folder.clone(),
            (Some(path), folder) => Some(path + folder.as_deref().unwrap_or_default()),
        }
    }

    /// Number of the family of its subvolume; zero where there are no subvolumes.
    pub fn family(&self) -> u64 {
        self.filesystem.subvolume_root(self.top).map_or(0, |it| it.family)
    }

    /// Whether it is what a mount without options shows.
    pub fn is_default(&self) -> bool {
        self.top == self.filesystem.root()
    }

    /// Whether it says what system it is.
    pub fn is_named(&self) -> bool {
        !matches!(self.os.id.as_str(), "" | "unknown")
    }

    /// Whether it is a system: one with `/usr` elsewhere may not say which.
    pub fn is_system(&self) -> bool {
        self.is_named() || self.names_filesystem
    }
}

/// What was found on all filesystems.
#[derive(Default)]
pub struct Survey {
    /// Roots.
    pub candidates: Vec<Candidate>,
    /// Boot configurations, each with the place of its filesystem in the list.
    pub configurations: Vec<(usize, Configuration)>,
    /// Subvolumes, by the place of their filesystem, where there are any.
    pub subvolumes: BTreeMap<usize, Vec<Subvolume>>,
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
        for (look, (index, found)) in outcomes.into_iter().zip(some) {
            gaps.extend(look.gaps.into_iter().map(|gap| on(found, gap)));
            survey.candidates.extend(look.candidates);
            survey.configurations.extend(look.configurations.into_iter().map(|it| (*index, it)));
            if !look.subvolumes.is_empty() {
                survey.subvolumes.insert(*index, look.subvolumes);
            }
        }
    }
    if is_choice || survey.candidates.len() > 1 {
        firmware(found, &mut survey, gaps);
    }
    if is_choice {
        for candidate in &mut survey.candidates {
            candidate.names_filesystem = names_filesystem(candidate, found);
        }
    }
    survey
}

/// Whether the line for `/` in fstab names this filesystem, and by a name that is its own.
fn names_filesystem(candidate: &Candidate, found: &[Found]) -> bool {
    let Some(line) = root_line(&candidate.tree()) else { return false };
    let disk = found[candidate.found].disk;
    let devices = Devices { found, disk, disk_name: None, joined: &[], named: &[] };
    line.spec.is_lasting() && devices.find(&line.spec, &line.kind) == Some(candidate.found)
}

/// The line for `/` in fstab. What of it cannot be read is told when it is the host that is read.
fn root_line(tree: &Tree) -> Option<Wanted> {
    let text = identity::text(tree, "/etc/fstab", &mut Vec::new())?;
    fstab::parse(&text).into_iter().find(|line| line.path == "/")
}

/// The gap of a filesystem's path.
fn on(found: &Found, gap: Gap) -> Gap {
    Gap { place: format!("{}{}", found.device, gap.place), ..gap }
}

/// Boot entries on the filesystems of the firmware, which are read only where their disk has no others.
fn firmware(found: &[Found], survey: &mut Survey, gaps: &mut Vec<Gap>) {
    for (index, it) in found.iter().enumerate() {
        let beside = |(on, known): &(usize, Configuration)| {
            known.is_menu && *on != index && found[*on].disk == it.disk
        };
        let Some(unopened) = &it.unopened else { continue };
        if survey.configurations.iter().any(beside) {
            continue;
        }
        match unopened.open() {
            Ok(filesystem) => {
                let mut unread = Vec::new();
                let configuration = boot::read_firmware(&Tree::new(filesystem.into()), &mut unread);
                survey.configurations.extend(configuration.map(|it| (index, it)));
                gaps.extend(unread.into_iter().map(|gap| on(it, gap)));
            }
            Err(error) => {
                let detail = format!("its boot entries were not read: {error}");
                gaps.push(Gap::new(&it.device, GapReason::Unreadable, detail));
            }
        }
    }
}

/// What one filesystem holds.
#[derive(Default)]
struct Look {
    candidates: Vec<Candidate>,
    configurations: Vec<Configuration>,
    subvolumes: Vec<Subvolume>,
    gaps: Vec<Gap>,
}

/// Looks at one filesystem.
fn look(index: usize, found: &Found, is_choice: bool) -> Look {
    let Some(filesystem) = &found.filesystem else { return Look::default() };
    let mut look = Look { subvolumes: filesystem.subvolumes(), ..Look::default() };
    let tops = subvolumes::worth_a_look(filesystem.as_ref(), &look.subvolumes, &mut look.gaps);
    let is_choice = is_choice || !tops.is_empty();
    look_at(&whole(index, filesystem, &look.subvolumes), found, is_choice, &mut look);
    for top in tops {
        let top = Candidate { top, ..whole(index, filesystem, &[]) };
        look_at(&at(top, &look.subvolumes), found, is_choice, &mut look);
    }
    look
}

/// Looks at a filesystem or a subvolume, and at the deployments in it.
fn look_at(whole: &Candidate, found: &Found, is_choice: bool, look: &mut Look) {
    let tree = whole.tree();
    let gaps = &mut look.gaps;
    let deployments = ostree::deployments(&tree, gaps);
    let is_choice = is_choice || !deployments.is_empty();
    look.configurations.extend(is_choice.then(|| boot::read(&tree, gaps)).flatten());
    let folders = deployments.into_iter().map(|it| Candidate {
        folder: Some(it.folder),
        node: it.node,
        modified: it.modified,
        ..whole.clone()
    });
    let mut candidates: Vec<_> = folders.chain([whole.clone()]).collect();
    for candidate in &mut candidates {
        weigh(candidate, found, gaps);
    }
    // What is beside deployments is not a system, but for one with all signs.
    let is_deployed = candidates.len() > 1;
    candidates.retain(|it| it.folder.is_some() || !is_deployed || it.signs >= FULL);
    let bare = candidates.iter().filter(|it| it.signs < LEAST).filter_map(|it| it.folder.clone());
    let detail = "a deployment whose folder holds no system: its image is not read";
    gaps.extend(bare.map(|folder| Gap::new(folder, GapReason::Unsupported, detail)));
    candidates.retain(|it| it.signs >= LEAST);
    look.candidates.extend(candidates);
}

/// The filesystem itself, without signs.
pub fn whole(
    found: usize,
    filesystem: &Arc<dyn FileSystem>,
    subvolumes: &[Subvolume],
) -> Candidate {
    let whole = Candidate {
        found,
        filesystem: filesystem.clone(),
        top: filesystem.root(),
        subvolume: None,
        folder: None,
        node: filesystem.root(),
        signs: 0,
        os: Os::default(),
        names_itself: false,
        names_filesystem: false,
        modified: 0,
    };
    at(whole, subvolumes)
}

/// Makes a filesystem that something names a candidate, whatever its signs, if nothing of it is one.
pub fn must_have(found: &[Found], survey: &mut Survey, index: usize) {
    let is_there = survey.candidates.iter().any(|it| it.found == index);
    if let Some(filesystem) = found[index].filesystem.as_ref().filter(|_| !is_there) {
        let subvolumes = survey.subvolumes.get(&index).map(Vec::as_slice).unwrap_or_default();
        survey.candidates.push(whole(index, filesystem, subvolumes));
    }
}

/// One at its top, with the name of that.
fn at(candidate: Candidate, subvolumes: &[Subvolume]) -> Candidate {
    let known = subvolumes.iter().find(|it| it.root == candidate.top);
    Candidate { node: candidate.top, subvolume: known.map(|it| it.path.clone()), ..candidate }
}

/// A subvolume that something names, with its signs.
pub fn named(
    found: (usize, &Found),
    filesystem: &Arc<dyn FileSystem>,
    top: NodeId,
    subvolumes: &[Subvolume],
) -> Candidate {
    let whole = Candidate { top, ..whole(found.0, filesystem, &[]) };
    let mut candidate = at(whole, subvolumes);
    // What of it cannot be read is told when it is the host that is read.
    weigh(&mut candidate, found.1, &mut Vec::new());
    candidate
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
        candidate.names_itself = names_itself(candidate, &tree);
    }
}

/// Whether the line for `/` in fstab mounts this subvolume by its name or number.
fn names_itself(candidate: &Candidate, tree: &Tree) -> bool {
    if candidate.family() == 0 {
        return false;
    }
    let named =
        root_line(tree).and_then(|line| candidate.filesystem.subtree(&line.options).ok().flatten());
    named == Some(candidate.top)
}
