//! What configuration names, and a running system does not mount by it: what is below its place stays seen.

use super::super::{Seen, debian, file, part, part_with, status, with};
use super::{UNIT, VAR_LABEL, bare, made, var};

/// A root with a package of its own and this fstab; what is found with a disk that has another.
fn with_fstab(line: &str, more: Vec<(&'static str, String)>) -> Seen {
    let root = with(debian("12", "root"), vec![file("etc/fstab", line)]);
    let (_work, image) =
        made(&[part("root", with(root, more)), part_with("data", VAR_LABEL, var("data"))]);
    Seen::of(&[&image])
}

/// The root's own is seen, and the disk is told with this.
#[track_caller]
fn is_left(seen: &Seen, why: &str) {
    let detail = format!(
        "ext4 filesystem: fstab mounts LABEL=var at /var{why}; its files were not looked at"
    );
    assert_eq!(
        (seen.packages(), seen.gaps()),
        (vec!["root"], vec![format!("disk.img:p2: {detail}")])
    );
    assert_eq!((seen.code, seen.part("disk.img:p2")), (3, ("gap", detail.as_str())));
}

#[test]
fn noauto_hides_nothing() {
    let seen = with_fstab("LABEL=var /var ext4 noauto 0 2\n", Vec::new());
    is_left(&seen, ", but only when it is asked to (noauto)");
    // One that is mounted when somebody looks there is mounted.
    let seen = with_fstab("LABEL=var /var ext4 noauto,x-systemd.automount 0 2\n", Vec::new());
    seen.is_whole(&["data"]);
}

#[test]
fn a_type_that_the_filesystem_is_not_of_mounts_nothing() {
    for kind in ["xfs", "btrfs,vfat"] {
        let seen = with_fstab(&format!("LABEL=var /var {kind} nofail 0 2\n"), Vec::new());
        is_left(&seen, &format!(" as {kind}, which it is not"));
    }
    // The kernel's driver of ext4 takes them all.
    for kind in ["auto", "ext3", "ext2", "xfs,ext4"] {
        with_fstab(&format!("LABEL=var /var {kind} nofail 0 2\n"), Vec::new()).is_whole(&["data"]);
    }
}

#[test]
fn a_unit_that_is_masked_masks_a_line_of_fstab() {
    for mask in ["-> /dev/null", ""] {
        let unit = vec![file("etc/systemd/system/var.mount", mask)];
        let seen = with_fstab("LABEL=var /var ext4 defaults 0 2\n", unit);
        is_left(&seen, ", but its unit is masked");
    }
}

/// systemd.unit(5): `/etc/systemd/system` comes before what generators make of fstab.
#[test]
fn a_unit_in_etc_comes_before_a_line_of_fstab() {
    let unit = vec![file("etc/systemd/system/var.mount", UNIT)];
    with_fstab("LABEL=gone /var ext4 defaults 0 2\n", unit).is_whole(&["data"]);
    let unit = vec![file("usr/lib/systemd/system/var.mount", UNIT)];
    let seen = with_fstab("LABEL=gone /var ext4 defaults 0 2\n", unit);
    assert_eq!((seen.packages(), seen.gaps().len()), (vec!["root"], 2));
}

#[test]
fn a_unit_that_is_started_when_somebody_looks_is_mounted() {
    let more = vec![
        file("etc/systemd/system/var.mount", UNIT),
        file("etc/systemd/system/var.automount", "[Automount]\nWhere=/var\n"),
        file(
            "etc/systemd/system/multi-user.target.wants/var.automount",
            "-> /etc/systemd/system/var.automount",
        ),
    ];
    with_fstab("", more).is_whole(&["data"]);
}

/// A distribution whose `/lib` is not that of `/usr`.
#[test]
fn a_unit_in_lib_without_a_merged_usr_is_found() {
    let more = vec![
        file("usr/lib/systemd/", ""),
        file("lib/systemd/system/var.mount", UNIT),
        file("lib/systemd/system/local-fs.target.wants/var.mount", "-> ../var.mount"),
    ];
    with_fstab("", more).is_whole(&["data"]);
}

/// systemd makes the folder that a filesystem is mounted on.
#[test]
fn a_folder_that_is_not_there_is_made() {
    let root = bare(vec![file("etc/fstab", "LABEL=var /var/lib ext4 nofail 0 2\n")]);
    let data = vec![status("dpkg/status", "data")];
    let (_work, image) = made(&[part("root", root), part_with("data", VAR_LABEL, data)]);
    Seen::of(&[&image]).is_whole(&["data"]);
}
