//! A root on btrfs over two disks, with both of them and without one.

use super::{SYSTEM, Seen, roots, text};
use crate::support::tool;
use std::path::{Path, PathBuf};

/// Two disks without a table, each a device of one filesystem.
fn disks(work: &Path, profile: &str) -> [PathBuf; 2] {
    let images = ["one.img", "two.img"].map(|name| work.join(name));
    let script = format!(
        r#"set -e; truncate -s 300M "$1" "$2"; mkdir "$3"
        one=$(losetup -f --show "$1"); two=$(losetup -f --show "$2")
        trap 'cd /; mountpoint -q "$3" && umount "$3"; losetup -d $one $two' EXIT
        mkfs.btrfs -q -d {profile} -m raid1 $one $two > /dev/null
        mount -t btrfs -o device=$one,device=$two $one "$3"; cd "$3"
        {SYSTEM}
        new @; system @ debian 12 good
        echo 'LABEL=x / btrfs subvol=@ 0 0' > @/etc/fstab
        for it in $(seq 4000); do
            printf 'Package: p%d\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n' $it
        done >> @/var/lib/dpkg/status"#
    );
    let [one, two] = [&images[0], &images[1]];
    tool("bash", &["-c", &script, "bash", text(one), text(two), text(&work.join("place"))]);
    images
}

#[test]
fn a_root_over_two_disks() {
    if !test_material::root() {
        return;
    }
    for profile in ["raid1", "raid0"] {
        let work = tempfile::tempdir().expect("a folder");
        let [one, two] = disks(work.path(), profile);
        for order in [[&one, &two], [&two, &one]] {
            let seen = Seen::of(&order.map(PathBuf::as_path));
            assert_eq!((seen.gaps(), seen.packages().len()), (Vec::new(), 4001), "{profile}");
            assert_eq!(roots(&seen), ["/ /@"]);
            for part in ["one.img", "two.img"] {
                assert_eq!(seen.part(part).0, "scanned");
            }
        }
    }
}

#[test]
fn a_mirror_without_one_disk_is_read_and_that_is_told() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    for image in disks(work.path(), "raid1") {
        let seen = Seen::of(&[&image]);
        assert_eq!((seen.code, seen.packages().len()), (3, 4001));
        assert!(
            matches!(&seen.gaps()[..], [gap] if gap.contains("of 2 is missing")),
            "{:?}",
            seen.gaps()
        );
    }
}

/// What is only on the other disk is a gap of its file, and no list of packages that is said to be whole.
#[test]
fn stripes_without_one_disk_are_a_gap() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    for image in disks(work.path(), "raid0") {
        let seen = Seen::of(&[&image]);
        assert_eq!(seen.code, 3);
        let gaps = seen.gaps();
        assert!(gaps.iter().any(|gap| gap.contains("of 2 is missing")), "{gaps:?}");
        let status = gaps.iter().filter(|gap| gap.starts_with("/var/lib/dpkg/status"));
        assert!(status.count() > 0 && seen.packages().len() < 4001, "{gaps:?}");
    }
}
