//! Filesystems that fstab names and that could not be mounted: what they hold was not looked at.

use super::super::btrfs::{filesystem, on};
use super::super::{Seen, debian, disk, file, part, part_with, with};
use super::{VAR_LABEL, bare, made};

#[test]
fn a_subvolume_that_is_gone_leaves_its_disk_a_gap_and_noauto_too() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let data = filesystem(work.path(), "data", "new @data; echo x > @data/notes");
    let seen = |options: &str| {
        let fstab = format!("PARTLABEL=btrfs /home btrfs {options} 0 0\n");
        let root = with(debian("12", "good"), vec![file("etc/fstab", &fstab), file("home/", "")]);
        Seen::of(&[&disk(work.path(), "disk.img", &[part("root", root), on(&data)])])
    };
    let left = "btrfs filesystem that nothing mounts: its files were not looked at";
    for options in ["noauto,subvol=@gone", "subvol=@gone"] {
        let seen = seen(options);
        assert_eq!((seen.code, seen.part("disk.img:p2")), (3, ("gap", left)), "{options}");
        assert!(seen.gaps().contains(&format!("disk.img:p2: {left}")), "{:?}", seen.gaps());
    }
    let whole = seen("noauto,subvol=@data");
    whole.is_whole(&["good"]);
    assert_eq!(whole.part("disk.img:p2"), ("scanned", ""));
}

#[test]
fn a_place_that_cannot_be_made_leaves_its_disk_a_gap() {
    let fstab = file("etc/fstab", "LABEL=var /data/app ext4 defaults 0 2\n");
    let root = || with(debian("12", "good"), vec![fstab.clone(), file("data", "no folder")]);
    let data = vec![file("app/notes", "text")];
    let (_work, image) = made(&[part("root", root()), part_with("data", VAR_LABEL, data)]);
    let seen = Seen::of(&[&image]);
    let missing = "fstab mounts disk.img:p2 here, and there is no such folder";
    let left = "ext4 filesystem that nothing mounts: its files were not looked at";
    let expected = [format!("/data/app: {missing}"), format!("disk.img:p2: {left}")];
    assert_eq!((seen.code, seen.gaps()), (3, expected.to_vec()));
    assert_eq!(seen.part("disk.img:p2"), ("gap", left));
    // One that is empty holds nothing that could be missed.
    let (_work, image) = made(&[part("root", root()), part_with("data", VAR_LABEL, Vec::new())]);
    let seen = Seen::of(&[&image]);
    assert_eq!(seen.gaps(), [format!("/data/app: {missing}")]);
    assert_eq!(seen.part("disk.img:p2"), ("not_needed", "empty"));
}

/// A link that leads nowhere is no folder either.
#[test]
fn a_place_that_is_a_dead_link_leaves_its_disk_a_gap() {
    let fstab = file("etc/fstab", "LABEL=var /opt ext4 noauto 0 2\n");
    let root = bare(vec![fstab, file("opt", "-> gone"), super::status(super::STATUS, "good")]);
    let data = vec![file("app/notes", "text")];
    let (_work, image) = made(&[part("root", root), part_with("data", VAR_LABEL, data)]);
    assert_eq!(Seen::of(&[&image]).part("disk.img:p2").0, "gap");
}

/// systemd makes all folders above, too.
#[test]
fn folders_that_are_not_there_are_made() {
    let place = "/srv/not/there";
    let fstab = file(
        "etc/fstab",
        &format!("LABEL=var {place} ext4 nofail 0 2\n/srv/not/there /var/lib none bind 0 0\n"),
    );
    let root = bare(vec![fstab, file("srv/", ""), file("var/lib/", "")]);
    let data = vec![super::status("dpkg/status", "good")];
    let (_work, image) = made(&[part("root", root), part_with("data", VAR_LABEL, data)]);
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.mounts()[1], format!("{place} disk.img:p2"));
    let shown = crate::support::sidelight(&["ls", "-R", super::super::text(&image), "/"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("/srv/not/there/dpkg/status"), "{shown}");
}
