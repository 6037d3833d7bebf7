//! Which filesystem a name means: by its ids, or by the kernel's name of its disk.

use super::Found;
use super::spec::Spec;
use crate::filesystem::Identity;

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
    /// Those that some mount names in a way that lasts.
    pub named: &'a [usize],
}

impl Devices<'_> {
    /// The filesystem of this type (or of any, `auto`) that the name means.
    pub fn find(&self, spec: &Spec, kind: &str) -> Option<usize> {
        match spec {
            Spec::Uuid(uuid) => self.by_identity(kind, |it| it.uuid.as_ref() == Some(uuid)),
            Spec::Label(label) => self.by_identity(kind, |it| it.label.as_ref() == Some(label)),
            Spec::PartUuid(uuid) => self.best(|found| found.part_uuid.as_ref() == Some(uuid)),
            Spec::PartLabel(label) => self.best(|found| found.part_label.as_ref() == Some(label)),
            Spec::Name(name) => self
                .best(|found| found.names.contains(name))
                .or_else(|| self.only_unnamed_array(name)),
            Spec::Ebs { volume, partition } => self.best(|found| {
                found.partition == *partition && is_named_after(&found.device, volume)
            }),
            Spec::Disk { disk, partition } => self.by_name(kind, disk, *partition),
            Spec::Found(index) => Some(*index),
            Spec::Other => None,
        }
    }

    /// Of several that were not opened the one that bears the id is meant, for which they are opened.
    fn by_identity(&self, kind: &str, is_it: impl Fn(&Identity) -> bool) -> Option<usize> {
        self.best(|found| is_it(&found.identity()))
            .or_else(|| self.only_unread(kind))
            .or_else(|| self.best(|found| found.unopened_identity().is_some_and(|it| is_it(&it))))
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
        let fits = |found: &Found| found.filesystem.is_none() && found.kind == kind;
        self.only(|index| fits(&self.found[index]))
    }

    /// Old arrays have no name, and any may be started under any number: the only one that nothing
    /// mounts yet is meant.
    fn only_unnamed_array(&self, name: &str) -> Option<usize> {
        name.strip_prefix("md").filter(|rest| !rest.is_empty())?;
        self.only(|index| self.found[index].device.starts_with("md:"))
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
        let is_other = |index: usize| {
            let found = &self.found[index];
            found.disk != self.disk && fits(found)
        };
        // What another name means for certain is not meant by this one.
        let is_free = |index: usize| is_other(index) && !self.named.contains(&index);
        let order = order(disk);
        let is_in_order = |index: &usize| Some(self.found[*index].disk) == order;
        let all = || 0..self.found.len();
        self.only(is_free)
            .or_else(|| all().filter(is_in_order).find(|index| is_free(*index)))
            .or_else(|| self.only(is_other))
            .or_else(|| all().filter(is_in_order).find(|index| is_other(*index)))
    }

    /// Whether a kernel name could as well be that of a disk other than the one that was taken.
    pub fn is_guess(&self, spec: &Spec, kind: &str) -> bool {
        let Spec::Disk { partition, .. } = spec else { return false };
        let fits = |(index, found): &(usize, &Found)| {
            found.disk != self.disk
                && found.partition == *partition
                && (kind == "auto" || found.kind == kind)
                && !found.optional
                && !self.named.contains(index)
        };
        self.found.iter().enumerate().filter(fits).count() > 1
    }

    fn only(&self, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let mut left = (0..self.found.len()).filter(|i| !self.is_taken(*i) && fits(*i));
        left.next().filter(|_| left.next().is_none())
    }

    /// Whether it is mounted, and can be only once; of a btrfs each subvolume can.
    fn is_taken(&self, index: usize) -> bool {
        self.joined.contains(&index) && self.found[index].kind != "btrfs"
    }
}

/// Whether a device has the name that a sweep gives a volume of EBS, `vol-0123 (/dev/sdf)`, or is in it.
fn is_named_after(device: &str, volume: &str) -> bool {
    let rest = device.strip_prefix(volume);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':']))
}

/// Place of a disk by its name: `xvdb` is 1, `nvme2n1` is 2.
fn order(disk: &str) -> Option<usize> {
    if let Some(rest) = disk.strip_prefix("nvme") {
        return rest.split('n').next()?.parse().ok();
    }
    let letter = disk.bytes().last()?;
    Some(usize::from(letter.checked_sub(b'a')?))
}
