//! What names in fstab mean where several filesystems could be meant.

use super::super::{Content, MIB, Part, Seen, debian, disk, file, part, part_with, text, with};
use super::var;
use crate::support::tool;
use std::fs::File;
use std::path::Path;

const ESP: &str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

/// A partition of the firmware whose filesystem has this serial number.
fn firmware(work: &Path, serial: &str) -> Part {
    let image = work.join(serial);
    File::create(&image).expect("made").set_len(4 * MIB).expect("grown");
    tool("mkfs.vfat", &["-i", serial, text(&image)]);
    Part { kind: ESP, mib: 4, content: Content::Image(image), ..part("esp", Vec::new()) }
}

#[test]
fn of_two_firmware_filesystems_the_one_with_the_serial_number_is_mounted() {
    let work = tempfile::tempdir().expect("a folder");
    let seen = |serial: &str| {
        let fstab = format!("UUID={serial} /boot/efi vfat umask=0077 0 1\n");
        let root =
            with(debian("12", "good"), vec![file("etc/fstab", &fstab), file("boot/efi/", "")]);
        let first =
            disk(work.path(), "a.img", &[firmware(work.path(), "ABCD1234"), part("root", root)]);
        let second = disk(work.path(), "b.img", &[firmware(work.path(), "00005678")]);
        Seen::of(&[&first, &second])
    };
    for (serial, expected) in [("ABCD-1234", "a.img:p1"), ("0000-5678", "b.img:p1")] {
        let seen = seen(serial);
        seen.is_whole(&["good"]);
        assert_eq!(seen.mounts()[1], format!("/boot/efi {expected}"));
    }
    let told = "/boot/efi: fstab mounts UUID=FFFF-FFFF here; no disk of this scan holds it";
    assert_eq!(seen("FFFF-FFFF").gaps(), [told]);
}

/// The kernel's names of disks are in the order in which it met them.
#[test]
fn a_name_of_the_kernel_that_could_be_of_either_disk_is_told() {
    let work = tempfile::tempdir().expect("a folder");
    let seen = |fstab: &str| {
        let folders = vec![file("etc/fstab", fstab), file("srv/", ""), file("opt/", "")];
        let root = part("root", with(debian("12", "good"), folders));
        let root = disk(work.path(), "root.img", &[root]);
        let a = disk(work.path(), "a.img", &[part_with("a", &["-L", "a"], var("a"))]);
        let b = disk(work.path(), "b.img", &[part_with("b", &["-L", "b"], var("b"))]);
        Seen::of(&[&root, &a, &b])
    };
    let guessed =
        seen("/dev/nvme1n1p1 /srv ext4 defaults 0 2\n/dev/nvme2n1p1 /opt ext4 defaults 0 2\n");
    let told = |path: &str, name: &str, disk: &str| {
        format!(
            "{path}: fstab mounts /dev/{name} here; that this is {disk} was guessed from the order of the disks"
        )
    };
    let expected = [told("/opt", "nvme2n1p1", "b.img:p1"), told("/srv", "nvme1n1p1", "a.img:p1")];
    assert_eq!((guessed.code, guessed.gaps()), (3, expected.to_vec()));
    // The other is named by its label.
    let known = seen("/dev/nvme1n1p1 /srv ext4 defaults 0 2\nLABEL=a /opt ext4 defaults 0 2\n");
    known.is_whole(&["good"]);
    assert_eq!(known.mounts()[1..], ["/opt a.img:p1", "/srv b.img:p1"]);
}

/// As udev calls volumes of EBS; a sweep calls disks so.
#[test]
fn a_volume_of_ebs_is_known_by_its_id() {
    let work = tempfile::tempdir().expect("a folder");
    let id = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol";
    let fstab = format!(
        "{id}0123456789abcdef0_1-part1 /srv ext4 defaults 0 2\n{id}0fedcba9876543210-part1 /opt ext4 defaults 0 2\n"
    );
    let folders = vec![file("etc/fstab", &fstab), file("srv/", ""), file("opt/", "")];
    let root = part("root", with(debian("12", "good"), folders));
    let root = disk(work.path(), "root.img", &[root]);
    let disks = ["vol-0fedcba9876543210", "vol-0123456789abcdef0"]
        .map(|name| disk(work.path(), name, &[part("data", var("data"))]));
    let seen = Seen::of(&[&root, &disks[0], &disks[1]]);
    seen.is_whole(&["good"]);
    let expected = ["/opt vol-0fedcba9876543210:p1", "/srv vol-0123456789abcdef0:p1"];
    assert_eq!(seen.mounts()[1..], expected);
}
