//! Image-based systems that are kept twice on a disk: one is started, the other waits for the next
//! update.
//!
//! Which one is started stands in bits of the partition table, as ChromeOS has them: bits 48 to 51
//! are a priority, 52 to 55 the tries that are left, 56 tells that it was started with success. The
//! highest priority counts of those that may be tried; right after an update was written, that is the
//! system that the next boot starts.
//!
//! Layouts: Bottlerocket (<https://github.com/bottlerocket-os/bottlerocket/tree/develop/sources/updater/signpost>),
//! Flatcar and CoreOS Container Linux (<https://www.flatcar.org/docs/latest/reference/developer-guides/sdk-disk-partitions>),
//! ChromeOS and Container-Optimized OS (<https://www.chromium.org/chromium-os/chromiumos-design-docs/disk-format>).

use super::Found;
use super::spec::Spec;
use super::wanted::{Origin, Wanted};

/// A kind of system that is kept twice.
struct Family {
    /// Name of its partitions before the letter, and their type.
    image: &'static str,
    kind: &'static str,
    /// Name of the partitions whose bits count.
    bits: &'static str,
    holds: Holds,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Root,
    Usr,
}

const FAMILIES: &[Family] = &[
    Family {
        image: "BOTTLEROCKET-ROOT-",
        kind: "5526016a-1a97-4ea4-b39a-b7c8c6ca4502",
        bits: "BOTTLEROCKET-BOOT-",
        holds: Holds::Root,
    },
    Family {
        image: "USR-",
        kind: "5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6",
        bits: "USR-",
        holds: Holds::Usr,
    },
    Family {
        image: "ROOT-",
        kind: "3cb8e202-3b7e-47dd-8a3c-7ff2a13cfcec",
        bits: "KERN-",
        holds: Holds::Root,
    },
];
const LETTERS: [&str; 3] = ["A", "B", "C"];
/// Bottlerocket's data, on its own disk or behind the system.
const DATA: [&str; 3] = ["BOTTLEROCKET-DATA", "BOTTLEROCKET-DATA-B", "BOTTLEROCKET-DATA-A"];

/// What the partition tables say of systems that are kept twice.
#[derive(Debug, Default)]
pub struct Slots {
    /// Filesystems of systems that are not started.
    pub inactive: Vec<usize>,
    /// Roots that are started.
    pub roots: Vec<usize>,
    /// Partitions of `/usr` that are used, each with the disk that its root is on.
    pub usr: Vec<usize>,
}

/// Looks at all disks.
pub fn find(found: &[Found]) -> Slots {
    let mut slots = Slots::default();
    let disks = found.iter().map(|found| found.disk).max().map_or(0, |last| last + 1);
    for disk in 0..disks {
        for family in FAMILIES {
            family.take(found, disk, &mut slots);
        }
    }
    slots
}

impl Slots {
    /// What the layout mounts beside what configuration does.
    pub fn wanted(&self, found: &[Found], root: usize) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let mut want = |index: usize, path: &str| wanted.push(mount(found, index, path));
        let disk = found[root].disk;
        if let Some(usr) = self.usr.iter().find(|usr| found[**usr].disk == disk) {
            want(*usr, "/usr");
        }
        if found[root].part_label.as_deref().is_some_and(|it| it.starts_with(FAMILIES[0].image)) {
            let named = |label: &str| find_label(found, label);
            let boot = LETTERS.iter().filter_map(|letter| {
                let index = named(&format!("{}{letter}", FAMILIES[0].bits))?;
                (!self.inactive.contains(&index)).then_some(index)
            });
            boot.take(1).for_each(|boot| want(boot, "/boot"));
            DATA.iter()
                .find_map(|label| named(label))
                .into_iter()
                .for_each(|it| want(it, "/local"));
        }
        wanted
    }
}

/// A mount of a filesystem that its place in the layout tells.
pub fn mount(found: &[Found], index: usize, path: &str) -> Wanted {
    let device = &found[index].device;
    Wanted { spec: Spec::Found(index), ..Wanted::new(device, path, Origin::Layout) }
}

fn find_label(found: &[Found], label: &str) -> Option<usize> {
    found.iter().position(|found| found.part_label.as_deref() == Some(label))
}

impl Family {
    fn take(&self, found: &[Found], disk: usize, slots: &mut Slots) {
        let on_disk = |name: String| {
            found.iter().position(|it| it.disk == disk && it.part_label.as_ref() == Some(&name))
        };
        let images = LETTERS.iter().filter_map(|letter| {
            let image = on_disk(format!("{}{letter}", self.image))?;
            let bits = on_disk(format!("{}{letter}", self.bits));
            found[image].is_one_of(&[self.kind]).then_some((image, bits))
        });
        let images: Vec<_> = images.collect();
        let rank = |bits: &Option<usize>| bits.and_then(|bits| rank(found[bits].part_attributes));
        // Of equal ones the first is started.
        let active = images
            .iter()
            .filter_map(|(image, bits)| Some((*image, rank(bits)?)))
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        let active = match (active, images.as_slice()) {
            (Some((active, _)), _) => active,
            (None, [(only, _)]) => *only,
            (None, _) => return,
        };
        for (image, bits) in images.into_iter().filter(|(image, _)| *image != active) {
            slots.inactive.push(image);
            slots.inactive.extend(bits.filter(|bits| *bits != image));
        }
        match self.holds {
            Holds::Root => slots.roots.push(active),
            Holds::Usr => slots.usr.push(active),
        }
    }
}

/// The priority of a system that may be started.
fn rank(attributes: u64) -> Option<u64> {
    let field = |shift: u32, width: u32| (attributes >> shift) & ((1 << width) - 1);
    let (priority, tries, successful) = (field(48, 4), field(52, 4), field(56, 1));
    (priority > 0 && (tries > 0 || successful > 0)).then_some(priority)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits as `cgpt show` of ChromeOS explains them.
    #[test]
    fn what_may_be_started() {
        for (priority, tries, successful, expected) in [
            (1, 0, 1, Some(1)),
            (2, 1, 0, Some(2)),
            (2, 0, 0, None),
            (0, 5, 1, None),
            (15, 15, 1, Some(15)),
        ] {
            let attributes = (priority << 48) | (tries << 52) | (successful << 56) | 4;
            assert_eq!(rank(attributes), expected, "{attributes:x}");
        }
    }
}
