//! Which filesystem a name means: by its ids, or by the kernel's name of its disk.

use super::Found;
use super::spec::Spec;

/// What is known when a name looks for its filesystem.
pub struct Devices<'a> {
    /// All that were found.
    pub found: &'a [Found],
    /// The disk that the name is written on, or that the root is on.
    pub disk: usize,
    /// What the kernel calls that disk, if that is known.
    pub disk_name: Option<&'a str>,
    /// Those that are mounted already.
    pub joined: &'a [usize],
}

impl Devices<'_> {
    /// The filesystem of this type (or of any, `auto`) that the name means.
    pub fn find(&self, spec: &Spec, kind: &str) -> Option<usize> {
        match spec {
            Spec::Uuid(uuid) => self
                .best(|found| found.identity().uuid.as_ref() == Some(uuid))
                .or_else(|| self.only_unread(kind)),
            Spec::Label(label) => self
                .best(|found| found.identity().label.as_ref() == Some(label))
                .or_else(|| self.only_unread(kind)),
            Spec::PartUuid(uuid) => self.best(|found| found.part_uuid.as_ref() == Some(uuid)),
            Spec::PartLabel(label) => self.best(|found| found.part_label.as_ref() == Some(label)),
            Spec::Name(name) => self
                .best(|found| found.names.contains(name))
                .or_else(|| self.only_unnamed_array(name)),
            Spec::Disk { disk, partition } => self.by_name(kind, disk, *partition),
            Spec::Found(index) => Some(*index),
            Spec::Other => None,
        }
    }

    /// Ids are not unique where a disk and its copy are attached to one host: one that nothing
    /// mounts yet is meant before one that is mounted, and one on the root's disk before others.
    fn best(&self, test: impl Fn(&Found) -> bool) -> Option<usize> {
        let fits = (0..self.found.len()).filter(|index| test(&self.found[*index]));
        fits.min_by_key(|index| {
            (self.is_taken(*index), self.found[*index].disk != self.disk, *index)
        })
    }

    /// A filesystem that is recognised but not read has no identity: the only one of the wanted
    /// type that nothing mounts yet is meant.
    fn only_unread(&self, kind: &str) -> Option<usize> {
        self.only(|found| found.filesystem.is_none() && found.kind == kind)
    }

    /// Old arrays have no name, and any may be started under any number: the only one that nothing
    /// mounts yet is meant.
    fn only_unnamed_array(&self, name: &str) -> Option<usize> {
        name.strip_prefix("md").filter(|rest| !rest.is_empty())?;
        self.only(|found| found.device.starts_with("md:"))
    }

    /// Kernel names of disks change with the instance type: a name says for certain only whether
    /// it is the root's disk. On the others, the partition number and the type decide when they
    /// leave one choice, else the order of the disks.
    fn by_name(&self, kind: &str, disk: &str, partition: Option<u32>) -> Option<usize> {
        let fits =
            |found: &Found| found.partition == partition && (kind == "auto" || found.kind == kind);
        let is_own_disk = self.disk_name.map_or(order(disk) == Some(0), |root| root == disk);
        if is_own_disk {
            return self.found.iter().position(|found| found.disk == self.disk && fits(found));
        }
        let others = |found: &Found| found.disk != self.disk && fits(found);
        self.only(others).or_else(|| {
            let order = order(disk)?;
            self.found.iter().position(|found| found.disk == order && others(found))
        })
    }

    fn only(&self, fits: impl Fn(&Found) -> bool) -> Option<usize> {
        let mut left =
            (0..self.found.len()).filter(|i| !self.is_taken(*i) && fits(&self.found[*i]));
        left.next().filter(|_| left.next().is_none())
    }

    /// Whether it is mounted, and can be only once; of a btrfs each subvolume can.
    fn is_taken(&self, index: usize) -> bool {
        self.joined.contains(&index) && self.found[index].kind != "btrfs"
    }
}

/// Place of a disk by its name: `xvdb` is 1, `nvme2n1` is 2.
fn order(disk: &str) -> Option<usize> {
    if let Some(rest) = disk.strip_prefix("nvme") {
        return rest.split('n').next()?.parse().ok();
    }
    let letter = disk.bytes().last()?;
    Some(usize::from(letter.checked_sub(b'a')?))
}
