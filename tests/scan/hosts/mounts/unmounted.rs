//! What nothing mounts: whether it is missed.

use super::super::{MIB, Part, Seen, debian, file, part};
use super::made;
use std::fs::File;

/// The type of a partition makes nothing the firmware's own but what the firmware can read.
#[test]
fn a_filesystem_in_a_partition_of_the_firmware_or_boot_loader_is_told() {
    for kind in ["c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "21686148-6449-6e6f-744e-656564454649"] {
        let data = vec![file("app/notes", "text")];
        let data = Part { kind, mib: 6, ..part("data", data) };
        let (_work, image) = made(&[part("root", debian("12", "good")), data]);
        let left = "ext4 filesystem that nothing mounts: its files were not looked at";
        let seen = Seen::of(&[&image]);
        assert_eq!((seen.code, seen.part("disk.img:p2")), (3, ("gap", left)), "{kind}");
    }
}

#[test]
fn a_volume_that_was_never_written_is_not_needed() {
    let (work, image) = made(&[part("root", debian("12", "good"))]);
    let blank = work.path().join("blank.img");
    File::create(&blank).expect("made").set_len(64 * MIB).expect("grown");
    let seen = Seen::of(&[&image, &blank]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.part("blank.img"), ("not_needed", "blank"));
}
