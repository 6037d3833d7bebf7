//! Joins the filesystems that were found on a host's disks into one tree.
//!
//! The root is the filesystem that looks most like one; its fstab says where the others belong.

use super::fstab::{self, Line, Spec};
use super::{Tree, identity};
use crate::filesystem::{FileSystem, Kind};
use crate::model::{Gap, GapReason, Mount, printable_str};
use std::sync::Arc;

/// A filesystem on one of the host's disks.
#[derive(Clone)]
pub struct Found {
    /// Name of its device in this scan.
    pub device: String,
    /// Its place in the list of parts.
    pub part: usize,
    /// Which of the host's disks it is on, in the order they were given.
    pub disk: usize,
    /// What it is called below `/dev`, other than partitions are.
    pub names: Vec<String>,
    /// Partition number; none on a whole disk or volume.
    pub partition: Option<u32>,
    /// Partition label and id.
    pub part_label: Option<String>,
    /// Partition id.
    pub part_uuid: Option<String>,
    /// The filesystem; none if it is recognised but not read, then `kind` names it.
    pub filesystem: Option<Arc<dyn FileSystem>>,
    /// Type, as `mount` calls it.
    pub kind: String,
    /// Not worth a gap when nothing mounts it (an EFI system partition).
    pub optional: bool,
}

/// Filesystems that are looked at at the same time.
const AT_ONCE: usize = 32;

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

/// The joined tree and what is mounted in it; `None` if no filesystem looks like a root.
pub fn join(found: &[Found], gaps: &mut Vec<Gap>) -> Option<(Tree, Vec<Mount>)> {
    let root = find_root(found, gaps)?;
    let mut tree = Tree::new(found[root].filesystem.clone()?);
    let mut mounts = vec![mount("/", &found[root])];
    let mut joined = vec![root];
    let text = identity::text(&tree, "/etc/fstab", gaps).unwrap_or_default();
    let mut lines = fstab::parse(&text);
    lines.sort_by_key(Line::depth);
    let root_disk = lines.iter().find(|line| line.path == "/").and_then(|line| disk_of(&line.spec));
    for line in &lines {
        if line.bind {
            bind(&mut tree, line, gaps);
        } else if line.hides_system() {
            let (kind, device) = (printable_str(&line.kind), printable_str(&line.device));
            let detail =
                format!("fstab mounts {device} ({kind}) here, which is on no disk of this host");
            gaps.push(Gap::new(printable_str(&line.path), GapReason::Unsupported, detail));
        } else if line.is_on_disk() {
            let place = Place { root: &found[root], root_disk, joined: &joined };
            let Some(index) = place.find(found, line) else {
                gaps.extend(absent(line));
                continue;
            };
            joined.push(index);
            mounts.extend(put(&mut tree, line, &found[index], gaps));
        }
    }
    report_unjoined(found, &joined, gaps);
    mounts.sort();
    Some((tree, mounts))
}

/// Mounts a filesystem; one that is not read is noted all the same.
fn put(tree: &mut Tree, line: &Line, found: &Found, gaps: &mut Vec<Gap>) -> Option<Mount> {
    let Some(filesystem) = &found.filesystem else { return Some(mount(&line.path, found)) };
    match tree.mount(line.path.as_bytes(), filesystem.clone()) {
        Ok(true) => Some(mount(&line.path, found)),
        Ok(false) => {
            let detail = format!("fstab mounts {} here, and there is no such folder", found.device);
            gaps.push(Gap::new(printable_str(&line.path), GapReason::Missing, detail));
            None
        }
        Err(error) => {
            gaps.push(Gap::new(printable_str(&line.path), error.reason(), error));
            None
        }
    }
}

fn bind(tree: &mut Tree, line: &Line, gaps: &mut Vec<Gap>) {
    let place = printable_str(&line.path);
    match tree.bind(line.device.as_bytes(), line.path.as_bytes()) {
        Ok(true) => {}
        Ok(false) if line.noauto => {}
        Ok(false) => {
            let detail =
                format!("fstab binds {} here, and one is not there", printable_str(&line.device));
            gaps.push(Gap::new(place, GapReason::Missing, detail));
        }
        Err(error) => gaps.push(Gap::new(place, error.reason(), error)),
    }
}

fn absent(line: &Line) -> Option<Gap> {
    let device = printable_str(&line.device);
    let detail = format!("fstab mounts {device} here; no disk of this scan holds it");
    (!line.noauto).then(|| Gap::new(printable_str(&line.path), GapReason::Missing, detail))
}

fn mount(path: &str, found: &Found) -> Mount {
    Mount {
        path: printable_str(path),
        device: found.device.clone(),
        filesystem: found.kind.clone(),
    }
}

/// The filesystem with the most signs of a root; further ones with an OS of their own are gaps.
fn find_root(found: &[Found], gaps: &mut Vec<Gap>) -> Option<usize> {
    let mut scores = Vec::with_capacity(found.len());
    for some in found.chunks(AT_ONCE) {
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let work = |found: &Found| found.filesystem.as_ref().map_or((0, Vec::new()), score);
            let threads: Vec<_> = some.iter().map(|it| scope.spawn(move || work(it))).collect();
            let ends = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            ends.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        for ((score, unread), found) in outcomes.into_iter().zip(some) {
            let place = |gap: Gap| Gap { place: format!("{}{}", found.device, gap.place), ..gap };
            gaps.extend(unread.into_iter().map(place));
            scores.push(score);
        }
    }
    let best = *scores.iter().max().filter(|score| **score >= 2)?;
    scores.iter().position(|score| *score == best)
}

/// The weights of the signs that are there. One that cannot be read is a gap, and the others still
/// count.
fn score(filesystem: &Arc<dyn FileSystem>) -> (u32, Vec<Gap>) {
    let tree = Tree::new(filesystem.clone());
    let (mut total, mut gaps) = (0, Vec::new());
    for (path, weight) in SIGNS {
        match tree.find(path.as_bytes()) {
            Ok(Some(_)) => total += weight,
            Ok(None) => {}
            Err(error) => gaps.push(Gap::new(*path, error.reason(), error)),
        }
    }
    (total, gaps)
}

fn report_unjoined(found: &[Found], joined: &[usize], gaps: &mut Vec<Gap>) {
    let left = found.iter().enumerate().filter(|(index, _)| !joined.contains(index));
    for (_, left) in left.filter(|(_, left)| !left.optional) {
        let Some(filesystem) = &left.filesystem else { continue };
        // An empty data disk holds nothing that could be missed; one whose root cannot be read may.
        let holds_more = filesystem.read_dir(filesystem.root()).map_or(true, |listing| {
            let damaged = !listing.damage.is_empty();
            damaged
                || listing.entries.iter().any(|entry| {
                    entry.name != b"lost+found"
                        && filesystem.metadata(entry.node).map_or(true, |it| it.kind != Kind::Other)
                })
        });
        if holds_more {
            let detail = format!(
                "{} filesystem that no fstab line mounts: its files were not looked at",
                left.kind
            );
            gaps.push(Gap::new(&left.device, GapReason::Missing, detail));
        }
    }
}

fn disk_of(spec: &Spec) -> Option<&str> {
    match spec {
        Spec::Disk { disk, .. } => Some(disk),
        _ => None,
    }
}

/// What is known when a line looks for its filesystem.
struct Place<'a> {
    root: &'a Found,
    root_disk: Option<&'a str>,
    joined: &'a [usize],
}

impl Place<'_> {
    fn find(&self, found: &[Found], line: &Line) -> Option<usize> {
        let identity = |found: &Found| found.filesystem.as_ref().map(|f| f.identity());
        let best = |test: &dyn Fn(&Found) -> bool| self.best(found, test);
        match &line.spec {
            Spec::Uuid(uuid) => {
                best(&|found| identity(found).is_some_and(|id| id.uuid.as_ref() == Some(uuid)))
                    .or_else(|| self.only_unread(found, line))
            }
            Spec::Label(label) => {
                best(&|found| identity(found).is_some_and(|id| id.label.as_ref() == Some(label)))
                    .or_else(|| self.only_unread(found, line))
            }
            Spec::PartUuid(uuid) => best(&|found| found.part_uuid.as_ref() == Some(uuid)),
            Spec::PartLabel(label) => best(&|found| found.part_label.as_ref() == Some(label)),
            Spec::Name(name) => best(&|found| found.names.contains(name))
                .or_else(|| self.only_unnamed_array(found, name)),
            Spec::Disk { disk, partition } => self.by_name(found, line, disk, *partition),
            Spec::Other => None,
        }
    }

    /// Ids are not unique where a disk and its copy are attached to one host: one that nothing
    /// mounts yet is meant before one that is mounted, and one on the root's disk before others.
    fn best(&self, found: &[Found], test: &dyn Fn(&Found) -> bool) -> Option<usize> {
        let fits = (0..found.len()).filter(|index| test(&found[*index]));
        fits.min_by_key(|index| {
            (self.joined.contains(index), found[*index].disk != self.root.disk, *index)
        })
    }

    /// A filesystem that is recognised but not read has no identity: the only one of the line's
    /// type that nothing mounts yet is meant.
    fn only_unread(&self, found: &[Found], line: &Line) -> Option<usize> {
        self.only(found, |found| found.filesystem.is_none() && found.kind == line.kind)
    }

    /// Old arrays have no name, and any may be started under any number: the only one that nothing
    /// mounts yet is meant.
    fn only_unnamed_array(&self, found: &[Found], name: &str) -> Option<usize> {
        name.strip_prefix("md").filter(|rest| !rest.is_empty())?;
        self.only(found, |found| found.device.starts_with("md:"))
    }

    /// Kernel names of disks change with the instance type: a name says for certain only whether
    /// it is the root's disk. On the others, the partition number and the type decide when they
    /// leave one choice, else the order of the disks.
    fn by_name(
        &self,
        found: &[Found],
        line: &Line,
        disk: &str,
        partition: Option<u32>,
    ) -> Option<usize> {
        let fits = |found: &Found| {
            found.partition == partition && (line.kind == "auto" || found.kind == line.kind)
        };
        let is_root_disk = self.root_disk.map_or(is_first(disk), |root| root == disk);
        if is_root_disk {
            return found.iter().position(|found| found.disk == self.root.disk && fits(found));
        }
        let others = |found: &Found| found.disk != self.root.disk && fits(found);
        self.only(found, others).or_else(|| {
            let order = order(disk)?;
            found.iter().position(|found| found.disk == order && others(found))
        })
    }

    fn only(&self, found: &[Found], fits: impl Fn(&Found) -> bool) -> Option<usize> {
        let mut left = (0..found.len()).filter(|i| !self.joined.contains(i) && fits(&found[*i]));
        left.next().filter(|_| left.next().is_none())
    }
}

fn is_first(disk: &str) -> bool {
    order(disk) == Some(0)
}

/// Place of a disk by its name: `xvdb` is 1, `nvme2n1` is 2.
fn order(disk: &str) -> Option<usize> {
    if let Some(rest) = disk.strip_prefix("nvme") {
        return rest.split('n').next()?.parse().ok();
    }
    let letter = disk.bytes().last()?;
    Some(usize::from(letter.checked_sub(b'a')?))
}
