//! What is to be mounted where, whoever says so: fstab, a mount unit, the kernel command line, the
//! type of a partition, the layout of an image-based system.

use super::spec::Spec;
use crate::model::printable_str;

/// A mount that some configuration wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What is mounted.
    pub spec: Spec,
    /// What is mounted, as written.
    pub device: String,
    /// Where.
    pub path: String,
    /// Type, or `auto`.
    pub kind: String,
    /// Options, with commas between them.
    pub options: String,
    /// Who says so.
    pub origin: Origin,
}

/// Who wants a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `/etc/fstab`.
    Fstab,
    /// A mount unit that is started at boot.
    Unit,
    /// A mount unit of which nothing says that it is started: mounted only where it hides nothing.
    IdleUnit,
    /// `/etc/fstab`, but the unit that is made of the line is masked: not mounted.
    Masked,
    /// The kernel command line.
    CommandLine,
    /// The type or label of a partition: mounted only where it hides nothing.
    Layout,
}

/// Types without content of their own, or with content that is gone when the host is.
const VIRTUAL: &[&str] = &[
    "tmpfs",
    "proc",
    "sysfs",
    "devpts",
    "devtmpfs",
    "cgroup",
    "cgroup2",
    "debugfs",
    "tracefs",
    "fusectl",
    "bpf",
    "pstore",
    "securityfs",
    "selinuxfs",
    "hugetlbfs",
    "mqueue",
    "efivarfs",
    "swap",
    "none",
    "binfmt_misc",
    "ramfs",
    "configfs",
    "rpc_pipefs",
    "nfsd",
    "xenfs",
    "fuse.lxcfs",
    "fuse.gvfsd-fuse",
    "fuse.portal",
];
/// Types whose content is on other machines, or put together by a program.
const ELSEWHERE: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "efs",
    "lustre",
    "ceph",
    "glusterfs",
    "9p",
    "virtiofs",
    "overlay",
];
/// Where packages are installed; what is mounted elsewhere holds data.
const SYSTEM: &[&str] = &["etc", "usr", "var", "opt", "lib", "lib64", "bin", "sbin", "boot"];
/// The longest path that Linux takes; a longer one is above nothing.
const LONGEST: usize = 4096;

impl Wanted {
    /// A mount of a filesystem by its name.
    pub fn new(device: &str, path: &str, origin: Origin) -> Self {
        Self {
            spec: Spec::parse(device),
            device: device.to_owned(),
            path: path.to_owned(),
            kind: "auto".to_owned(),
            options: String::new(),
            origin,
        }
    }

    /// Whether it mounts a filesystem from a disk.
    pub fn is_on_disk(&self) -> bool {
        self.names().next().is_some()
            && self.path.starts_with('/')
            && !self.is_bind()
            && !VIRTUAL.contains(&self.kind.as_str())
            && !self.is_elsewhere()
    }

    /// Whether it hides a part of the system behind what is on no disk of this host.
    pub fn hides_system(&self) -> bool {
        self.is_elsewhere()
            && !self.is_noauto()
            && self.origin != Origin::IdleUnit
            && self.is_of_system()
    }

    /// Whether packages are installed where it is mounted.
    pub fn is_of_system(&self) -> bool {
        self.names().next().is_some_and(|name| SYSTEM.contains(&name))
    }

    /// Not mounted at boot, nor when somebody looks there.
    pub fn is_noauto(&self) -> bool {
        self.has(&["noauto"]) && !self.has(&["x-systemd.automount"])
    }

    /// Whether the kernel mounts a filesystem of this kind by its type; its driver of ext4 takes all ext.
    pub fn takes(&self, kind: &str) -> bool {
        let driver = |kind: &str| match kind {
            "ext2" | "ext3" | "ext4" => "ext4".to_owned(),
            "msdos" | "vfat" => "vfat".to_owned(),
            "ntfs" | "ntfs3" | "ntfs-3g" | "fuseblk" => "ntfs".to_owned(),
            other => other.to_owned(),
        };
        let any = ["", "auto"].contains(&self.kind.as_str());
        any || self.kind.split(',').any(|it| driver(it) == driver(kind))
    }

    /// Shows another part of the tree, which `device` names.
    pub fn is_bind(&self) -> bool {
        self.has(&["bind", "rbind"])
    }

    /// Whether it may only stand where it hides nothing.
    pub fn yields(&self) -> bool {
        let is_idle = self.origin == Origin::Fstab && self.is_noauto();
        is_idle || matches!(self.origin, Origin::IdleUnit | Origin::Layout)
    }

    /// The names of its path.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        names(&self.path)
    }

    /// Whether this one has to be mounted before the other: it is above the other's place, or above
    /// what the other shows.
    fn is_before(&self, other: &Self) -> bool {
        let is_above = |path: &str| {
            let mut path = names(path);
            self.path.len() <= LONGEST && self.names().all(|name| path.next() == Some(name))
        };
        !self.names().eq(other.names()) && (is_above(&other.path) || other.shows().any(is_above))
    }

    /// The parts of the tree that it shows: a bind's source, the layers of an overlay. Of those only
    /// one with a single lower layer is read.
    fn shows(&self) -> impl Iterator<Item = &str> {
        let source = self.is_bind().then_some(self.device.as_str());
        let is_overlay = self.kind == "overlay";
        let layers = ["lowerdir", "upperdir"].into_iter().filter(move |_| is_overlay);
        source.into_iter().chain(layers.filter_map(|name| self.option(name)))
    }

    /// The value of an option, such as `lowerdir`.
    pub fn option(&self, name: &str) -> Option<&str> {
        let mut options = self.options.split(',').filter_map(|option| option.split_once('='));
        options.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// "fstab mounts /dev/sdb", for a gap.
    pub fn told(&self) -> String {
        let who = match self.origin {
            Origin::Fstab | Origin::Masked => "fstab",
            Origin::Unit | Origin::IdleUnit => "a mount unit",
            Origin::CommandLine => "the kernel command line",
            Origin::Layout => "the partition table",
        };
        let verb = if self.is_bind() { "binds" } else { "mounts" };
        format!("{who} {verb} {}", printable_str(&self.device))
    }

    fn has(&self, wanted: &[&str]) -> bool {
        self.options.split(',').any(|option| wanted.contains(&option))
    }

    fn is_elsewhere(&self) -> bool {
        let kind = self.kind.as_str();
        ELSEWHERE.contains(&kind) || kind.starts_with("fuse.") || kind == "fuse"
    }
}

/// In the order in which systemd mounts them: outer ones before those inside them, and what is shown
/// elsewhere after what it lies on. Others stay as they are, and so do those that wait in a circle.
pub fn in_order(mut wanted: Vec<Wanted>) -> Vec<Wanted> {
    let waits_for = |it: &Wanted| wanted.iter().filter(|other| other.is_before(it)).count();
    let mut waits: Vec<usize> = wanted.iter().map(waits_for).collect();
    let mut ordered = Vec::with_capacity(wanted.len());
    while !wanted.is_empty() {
        let next = waits.iter().position(|count| *count == 0).unwrap_or(0);
        waits.remove(next);
        let next = wanted.remove(next);
        for (count, other) in waits.iter_mut().zip(&wanted) {
            *count -= usize::from(next.is_before(other));
        }
        ordered.push(next);
    }
    ordered
}

/// The names of a path.
pub fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".")
}
