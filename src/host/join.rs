//! Joins the filesystems that were found on a host's disks into one tree.
//!
//! The root is chosen by evidence ([`super::root`]); then its fstab, its mount units, the kernel
//! command line and the types of partitions say where the others belong. A place is taken by the
//! first that wants it, in this order: kernel command line, fstab, units in `/etc`, units in
//! `/usr/lib`, the partition table; a unit in `/etc` stands for the line of fstab of its place. Then all are mounted in one order ([`wanted::in_order`]).

use super::candidates::{self, Candidate, Survey};
use super::devices::Devices;
use super::leftover::Left;
use super::root::{self, Choice};
use super::spec::Spec;
use super::states::{self, Shown};
use super::wanted::{self, Origin, Wanted};
use super::{Found, Tree, fstab, gpt_auto, identity, leftover, ostree, slots, units};
use crate::filesystem::{NodeId, Subvolume};
use crate::model::{Gap, GapReason, Mount, SubvolumePart, printable_str};
use std::collections::{BTreeMap, BTreeSet};

/// Most mounts of one kind of configuration that are followed.
const MOST_MOUNTS: usize = 256;

/// How the gap ends of what is mounted and was not found.
pub const ON_NO_DISK: &str = "no disk of this scan holds it";

/// A host's filesystems.
#[derive(Default)]
pub struct Joined {
    /// The joined tree; none if no filesystem looks like a root.
    pub tree: Option<Tree>,
    /// What is mounted in it.
    pub mounts: Vec<Mount>,
    /// What is to be known of a device beside that, such as why nothing of it is needed.
    pub notes: BTreeMap<String, String>,
    /// What became of the subvolumes of a device, where it has any.
    pub subvolumes: BTreeMap<String, Vec<SubvolumePart>>,
}

/// Joins all.
pub fn join(found: &[Found], gaps: &mut Vec<Gap>) -> Joined {
    let slots = slots::find(found);
    let mut notes = leftover::inactive(found, &slots);
    let mut survey = candidates::survey(found, gaps);
    let Some(choice) = root::choose(found, &mut survey, &slots, gaps) else {
        return Joined { notes, ..Joined::default() };
    };
    let Choice { root, arguments, boot } = choice;
    let mut joining = Joining::new(found, &survey, &root, gaps);
    let named = [(arguments.usr, "/usr"), (arguments.boot, "/boot")];
    let mut first: Vec<_> = named
        .into_iter()
        .filter_map(|(device, path)| Some(Wanted::new(&device?, path, Origin::CommandLine)))
        .collect();
    let lines = joining.fstab();
    first.extend(units::over_fstab(&joining.tree, lines));
    first.extend(slots.wanted(found, root.found));
    first.extend(gpt_auto::usr(found, root.found));
    // Units may be on what is mounted, and what is mounted may have to wait for units: so they are
    // read from a tree that is put up for that alone, which tells no gap a second time.
    let mut untold = Vec::new();
    let mut before = Joining::new(found, &survey, &root, &mut untold);
    before.disk_name.clone_from(&joining.disk_name);
    before.mount_all([first.clone()]);
    // Bottlerocket's binds are units of its own, and subvolumes may be mounted by some.
    let is_something_left = before.is_something_left()
        || !slots.roots.is_empty()
        || survey.subvolumes.contains_key(&root.found);
    let units = units::wanted(&before.tree, is_something_left, joining.gaps);
    joining.mount_all([first, units, gpt_auto::wanted(found, root.found)]);
    joining.boot(boot);
    let Joining { tree, mut mounts, joined, refused, shown, .. } = joining;
    let left = Left { found, joined: &joined, refused: &refused };
    leftover::report(&left, &survey.candidates, &root, &mut notes, gaps);
    let subvolumes = states::of(found, &survey, &root, &tree, &shown, gaps);
    mounts.sort();
    Joined { tree: Some(tree), mounts, notes, subvolumes }
}

/// A tree that grows.
struct Joining<'a> {
    found: &'a [Found],
    subvolumes: &'a BTreeMap<usize, Vec<Subvolume>>,
    disk: usize,
    /// What the kernel calls the root's disk, as far as fstab tells.
    disk_name: Option<String>,
    tree: Tree,
    mounts: Vec<Mount>,
    joined: Vec<usize>,
    shown: Vec<Shown>,
    /// Places that something wants already.
    taken: BTreeSet<Vec<String>>,
    /// What is named by names that last.
    named: Vec<usize>,
    /// Why what some configuration names is not mounted by it, by its place in the list.
    refused: BTreeMap<usize, String>,
    gaps: &'a mut Vec<Gap>,
}

impl<'a> Joining<'a> {
    fn new(
        found: &'a [Found],
        survey: &'a Survey,
        root: &Candidate,
        gaps: &'a mut Vec<Gap>,
    ) -> Self {
        let mut tree = root.tree();
        let mut mounts = vec![mount("/", &found[root.found], root.place())];
        let shown = |path: &str, top| Shown { found: root.found, top, path: path.to_owned() };
        let mut all_shown = vec![shown("/", root.node)];
        for (path, folder) in ostree::mount(&mut tree, root, gaps) {
            let place = Candidate { folder, ..root.clone() }.place();
            mounts.push(mount(path, &found[root.found], place));
            // `/var` is a folder, and begins no subvolume.
            all_shown.extend((path == "/sysroot").then(|| shown(path, root.top)));
        }
        Self {
            found,
            subvolumes: &survey.subvolumes,
            shown: all_shown,
            disk: found[root.found].disk,
            disk_name: None,
            tree,
            mounts,
            joined: vec![root.found],
            taken: BTreeSet::from([Vec::new()]),
            named: Vec::new(),
            refused: BTreeMap::new(),
            gaps,
        }
    }

    /// What fstab wants; it may tell as well what the kernel calls the root's disk.
    fn fstab(&mut self) -> Vec<Wanted> {
        let text = identity::text(&self.tree, "/etc/fstab", self.gaps).unwrap_or_default();
        let lines = fstab::parse(&text);
        let line = lines.iter().find(|line| line.path == "/");
        self.disk_name = line.and_then(|line| line.spec.disk()).map(str::to_owned);
        lines
    }

    /// Mounts what several kinds of configuration want. A place is the first's that wants it; then
    /// all that have one are mounted in one order, whoever wants them.
    fn mount_all<const N: usize>(&mut self, kinds: [Vec<Wanted>; N]) {
        let mut winners = Vec::new();
        for mut wanted in kinds {
            self.limit(&mut wanted);
            let is_first = |it: &Wanted| self.taken.insert(it.names().map(str::to_owned).collect());
            wanted.retain(is_first);
            winners.append(&mut wanted);
        }
        let lasting = winners.iter().filter(|line| line.spec.is_lasting());
        self.named = lasting.filter_map(|line| self.find(line)).collect();
        for line in wanted::in_order(winners) {
            self.mount(&line);
        }
    }

    fn limit(&mut self, wanted: &mut Vec<Wanted>) {
        if wanted.len() > MOST_MOUNTS {
            let detail = format!("{} mounts; only {MOST_MOUNTS} were followed", wanted.len());
            self.gaps.push(Gap::new("/", GapReason::Limit, detail));
            wanted.truncate(MOST_MOUNTS);
        }
    }

    fn is_something_left(&self) -> bool {
        let mut all = self.found.iter().enumerate();
        all.any(|(index, it)| !it.optional && !self.joined.contains(&index))
    }

    fn mount(&mut self, line: &Wanted) {
        let path = line.path.as_bytes();
        if line.origin == Origin::Masked {
            return self.refuse(line, self.find(line), ", but its unit is masked");
        }
        if line.yields() && !self.tree.is_bare(path).unwrap_or(false) {
            if line.is_noauto() && line.is_on_disk() {
                self.refuse(line, self.find(line), ", but only when it is asked to (noauto)");
            }
            return;
        }
        if line.kind == "overlay" && self.overlay(line) {
            return;
        }
        if line.is_bind() {
            self.bind(line);
        } else if line.hides_system() {
            let (kind, told) = (printable_str(&line.kind), line.told());
            let detail = format!("{told} ({kind}) here, which is on no disk of this host");
            self.gap(line, GapReason::Unsupported, detail);
        } else if line.is_on_disk() && is_image(line) {
            self.image(line);
        } else if line.is_on_disk() {
            match self.find(line) {
                Some(index) => {
                    self.tell_guess(line, index);
                    self.put(line, index);
                }
                None => self.absent(line),
            }
        }
    }

    fn devices(&self) -> Devices<'_> {
        Devices {
            found: self.found,
            disk: self.disk,
            disk_name: self.disk_name.as_deref(),
            joined: &self.joined,
            named: &self.named,
        }
    }

    /// The filesystem that a line names.
    fn find(&self, line: &Wanted) -> Option<usize> {
        self.devices().find(&line.spec, &line.kind)
    }

    /// Says that it is a guess which disk a line means, if it is one.
    fn tell_guess(&mut self, line: &Wanted, index: usize) {
        let found = &self.found[index];
        if found.disk == self.disk || !self.devices().is_guess(&line.spec, &line.kind) {
            return;
        }
        let detail = format!(
            "{} here; that this is {} was guessed from the order of the disks",
            line.told(),
            found.device
        );
        self.gap(line, GapReason::Missing, detail);
    }

    /// Leaves a filesystem alone, and keeps why.
    fn refuse(&mut self, line: &Wanted, index: Option<usize>, why: &str) {
        let Some(index) = index else { return };
        let (kind, told) = (&self.found[index].kind, line.told());
        let place = printable_str(&line.path);
        let detail =
            format!("{kind} filesystem: {told} at {place}{why}; its files were not looked at");
        self.refused.entry(index).or_insert(detail);
    }

    /// Mounts a filesystem; one that is not read is noted all the same. One that could not be mounted
    /// is left.
    fn put(&mut self, line: &Wanted, index: usize) {
        let found = &self.found[index];
        let Some(filesystem) = &found.filesystem else {
            return self.joined(line, index, None);
        };
        if !line.takes(&found.kind) {
            let why = format!(" as {}, which it is not", printable_str(&line.kind));
            return self.refuse(line, Some(index), &why);
        }
        // The folder that options name, a subvolume, is mounted instead of the root.
        let root = match filesystem.subtree(&line.options) {
            Ok(named) => named.unwrap_or_else(|| filesystem.root()),
            Err(_) if line.is_noauto() => return,
            Err(error) => {
                let detail = format!("{} with {}: {error}", found.device, line.options);
                return self.gap(line, GapReason::Missing, detail);
            }
        };
        let path = line.path.as_bytes();
        match self.tree.mount(path, filesystem.clone(), root) {
            Ok(true) => {
                self.joined(line, index, self.subvolume(index, root));
                self.shown.push(Shown { found: index, top: root, path: line.path.clone() });
            }
            // Boot firmware's own holds nothing that could be missed.
            Ok(false) if found.optional => self.joined(line, index, None),
            Ok(false) => {
                let who = line.told();
                let who = who.split_once(" mounts ").map_or(who.as_str(), |(who, _)| who);
                let detail =
                    format!("{who} mounts {} here, and there is no such folder", found.device);
                self.gap(line, GapReason::Missing, detail);
            }
            Err(error) => self.gap(line, error.reason(), error),
        }
    }

    fn joined(&mut self, line: &Wanted, index: usize, root: Option<String>) {
        self.joined.push(index);
        self.mounts.push(mount(&line.path, &self.found[index], root));
    }

    /// The subvolume whose root a node is, if it has a name.
    fn subvolume(&self, found: usize, root: NodeId) -> Option<String> {
        let subvolume = self.subvolumes.get(&found)?.iter().find(|it| it.root == root)?;
        Some(format!("/{}", subvolume.path))
    }

    fn bind(&mut self, line: &Wanted) {
        match self.tree.bind(line.device.as_bytes(), line.path.as_bytes()) {
            Ok(false) if !line.is_noauto() && line.origin != Origin::IdleUnit => {
                let detail = format!("{} here, and one is not there", line.told());
                self.gap(line, GapReason::Missing, detail);
            }
            Ok(_) => {}
            Err(error) => self.gap(line, error.reason(), error),
        }
    }

    /// An overlay whose upper folder holds nothing shows its lower one; `false` if it is another.
    fn overlay(&mut self, line: &Wanted) -> bool {
        let Some(lower) = line.option("lowerdir") else { return false };
        let lower = lower.split(':').collect::<Vec<_>>();
        let upper = line.option("upperdir").unwrap_or_default();
        let ([lower], Ok(true)) = (lower.as_slice(), self.tree.is_bare(upper.as_bytes())) else {
            return false;
        };
        self.tree.bind(lower.as_bytes(), line.path.as_bytes()).unwrap_or(false)
    }

    /// An image in a file of the tree; what snapd mounts is listed from its store.
    fn image(&mut self, line: &Wanted) {
        if line.is_of_system() && !line.is_noauto() && !line.yields() {
            let detail = format!("{} here, an image in a file, which is not read", line.told());
            self.gap(line, GapReason::Unsupported, detail);
        }
    }

    fn absent(&mut self, line: &Wanted) {
        if !line.is_noauto() && !line.yields() {
            let detail = format!("{} here; {ON_NO_DISK}", line.told());
            self.gap(line, GapReason::Missing, detail);
        }
    }

    /// The filesystem that the boot configuration is on, if nothing else says where it is mounted.
    fn boot(&mut self, boot: Option<usize>) {
        let Some(index) = boot.filter(|index| !self.joined.contains(index)) else { return };
        let is_free = self.taken.insert(vec!["boot".to_owned()]);
        if is_free && self.tree.is_bare(b"/boot").unwrap_or(false) {
            self.put(&slots::mount(self.found, index, "/boot"), index);
        }
    }

    fn gap(&mut self, line: &Wanted, reason: GapReason, detail: impl ToString) {
        self.gaps.push(Gap::new(printable_str(&line.path), reason, detail));
    }
}

/// Whether it mounts a file of the tree.
fn is_image(line: &Wanted) -> bool {
    line.spec == Spec::Other && line.device.starts_with('/') && !line.device.starts_with("/dev/")
}

fn mount(path: &str, found: &Found, root: Option<String>) -> Mount {
    Mount {
        path: printable_str(path),
        device: found.device.clone(),
        filesystem: found.kind.clone(),
        root,
    }
}
