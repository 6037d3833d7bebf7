//! Mounts that fstab, mount units and partition types name.

mod left;
mod names;
mod order;
mod refused;
mod unmounted;

use super::{LINUX, Part, STATUS, Seen, debian, disk, file, part, part_with, status, with};
use std::path::PathBuf;
use tempfile::TempDir;

const VAR_LABEL: &[&str] = &["-L", "var"];

fn made(parts: &[Part]) -> (TempDir, PathBuf) {
    let work = tempfile::tempdir().expect("a folder");
    let image = disk(work.path(), "disk.img", parts);
    (work, image)
}

/// A root without packages, and with an empty `/var`.
fn bare(more: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let mut files = with(debian("12", "root"), vec![file("var/", "")]);
    files.retain(|(path, _)| *path != STATUS);
    with(files, more)
}

fn var(package: &str) -> Vec<(&'static str, String)> {
    vec![status("lib/dpkg/status", package)]
}

const UNIT: &str = "[Unit]\nBefore=local-fs.target\n[Mount]\nWhat=/dev/disk/by-label/var\nWhere=/var\nType=ext4\n[Install]\nWantedBy=local-fs.target\n";
const WANTS: &str = "etc/systemd/system/local-fs.target.wants/var.mount";

#[test]
fn a_mount_unit_that_is_started_joins_its_filesystem() {
    let unit = file("etc/systemd/system/var.mount", UNIT);
    let link = file(WANTS, "-> ../var.mount");
    // `/var` of the root has something stale: a unit that is started hides it.
    let root = with(debian("12", "stale"), vec![unit, link]);
    let (_work, image) = made(&[part("root", root), part_with("data", VAR_LABEL, var("good"))]);
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.mounts(), ["/ disk.img:p1", "/var disk.img:p2"]);
}

#[test]
fn the_name_of_a_unit_is_its_place_and_a_drop_in_counts() {
    let unit = UNIT.replace("Where=/var\n", "").replace("by-label/var", "by-label/gone");
    let root = bare(vec![
        file("usr/lib/systemd/system/var-lib-my\\x2dapp.mount", &unit),
        file(
            "etc/systemd/system/var-lib-my\\x2dapp.mount.d/10-disk.conf",
            "[Mount]\nWhat=/dev/disk/by-label/var\n",
        ),
        file(
            "usr/lib/systemd/system/local-fs.target.requires/var-lib-my\\x2dapp.mount",
            "-> ../var-lib-my\\x2dapp.mount",
        ),
        file("var/lib/my-app/", ""),
        status(STATUS, "good"),
    ]);
    let (_work, image) = made(&[part("root", root), part_with("data", VAR_LABEL, var("other"))]);
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.mounts()[1], "/var/lib/my-app disk.img:p2");
}

#[test]
fn a_started_unit_without_its_disk_is_a_gap_and_an_idle_one_is_not() {
    let unit = file("etc/systemd/system/var.mount", UNIT);
    let link = file(WANTS, "-> ../var.mount");
    let (_work, image) =
        made(&[part("root", with(debian("12", "good"), vec![unit.clone(), link]))]);
    let seen = Seen::of(&[&image]);
    let told =
        "/var: a mount unit mounts /dev/disk/by-label/var here; no disk of this scan holds it";
    assert_eq!((seen.code, seen.gaps()), (3, vec![told.to_owned()]));
    let (_work, image) = made(&[part("root", with(debian("12", "good"), vec![unit]))]);
    Seen::of(&[&image]).is_whole(&["good"]);
}

#[test]
fn an_idle_unit_hides_nothing() {
    let unit = file("etc/systemd/system/var.mount", UNIT);
    let full = with(debian("12", "root"), vec![unit.clone()]);
    let (_work, image) = made(&[part("root", full), part_with("data", VAR_LABEL, var("data"))]);
    let seen = Seen::of(&[&image]);
    assert_eq!((seen.packages(), seen.gaps().len()), (vec!["root"], 1));
    let empty = bare(vec![unit]);
    let (_work, image) = made(&[part("root", empty), part_with("data", VAR_LABEL, var("data"))]);
    Seen::of(&[&image]).is_whole(&["data"]);
}

#[test]
fn fstab_comes_before_units_of_the_distribution_and_a_mask_before_all() {
    let other: &[&str] = &["-L", "other"];
    let root = bare(vec![
        file("etc/fstab", "LABEL=other /var ext4 defaults 0 2\n"),
        file("usr/lib/systemd/system/var.mount", UNIT),
        file(WANTS, "-> /usr/lib/systemd/system/var.mount"),
    ]);
    let (_work, image) = made(&[
        part("root", root),
        part_with("unit", VAR_LABEL, var("unit")),
        part_with("fstab", other, var("fstab")),
    ]);
    assert_eq!(Seen::of(&[&image]).packages(), ["fstab"]);
    let masked = with(
        debian("12", "root"),
        vec![
            file("usr/lib/systemd/system/var.mount", UNIT),
            file("etc/systemd/system/var.mount", "-> /dev/null"),
            file(WANTS, "-> ../var.mount"),
        ],
    );
    let (_work, image) = made(&[part("root", masked), part_with("unit", VAR_LABEL, var("unit"))]);
    assert_eq!(Seen::of(&[&image]).packages(), ["root"]);
}

/// As snapd writes them: the image is a file, which is listed from its store.
#[test]
fn a_unit_that_mounts_a_file_is_no_disk() {
    let snap = "[Mount]\nWhat=/var/lib/app/core_1.img\nWhere=/snap/core/1\nType=squashfs\nOptions=nodev,ro\n[Install]\nWantedBy=multi-user.target\n";
    let root = with(
        debian("12", "good"),
        vec![
            file("etc/systemd/system/snap-core-1.mount", snap),
            file(
                "etc/systemd/system/multi-user.target.wants/snap-core-1.mount",
                "-> ../snap-core-1.mount",
            ),
        ],
    );
    let (_work, image) = made(&[part("root", root)]);
    Seen::of(&[&image]).is_whole(&["good"]);
}

#[test]
fn units_that_cannot_be_understood_are_gaps_where_they_matter() {
    let started = |place: &str, what: &str| format!("[Mount]\nWhat={what}\nWhere={place}\n");
    let root = with(
        debian("12", "good"),
        vec![
            file("etc/systemd/system/var.mount", &started("/var", "/dev/disk/by-label/%H")),
            file(WANTS, "-> ../var.mount"),
            file("etc/systemd/system/srv.mount", &started("/srv", "/dev/disk/by-label/%H")),
            file("etc/systemd/system/local-fs.target.wants/srv.mount", "-> ../srv.mount"),
        ],
    );
    let (_work, image) = made(&[part("root", root)]);
    let seen = Seen::of(&[&image]);
    let told = "/var: /etc/systemd/system/var.mount: its specifiers are not known";
    assert_eq!((seen.packages(), seen.gaps()), (vec!["good"], vec![told.to_owned()]));
}

#[test]
fn binds_wait_for_what_they_show() {
    let fstab = "/mnt/data/var /var none bind 0 0\nLABEL=var /mnt/data ext4 defaults 0 2\n";
    let root = bare(vec![file("etc/fstab", fstab), file("mnt/data/", "")]);
    let data = vec![status("var/lib/dpkg/status", "good")];
    let (_work, image) = made(&[part("root", root), part_with("data", VAR_LABEL, data)]);
    Seen::of(&[&image]).is_whole(&["good"]);
}

/// fstab of a system whose `/usr` is mounted before its init runs.
#[test]
fn a_separate_usr_is_joined_and_tells_who_the_host_is() {
    let mut root = debian("12", "good");
    root.retain(|(path, _)| !matches!(*path, "etc/os-release" | "usr/bin/"));
    let root = with(
        root,
        vec![
            file("etc/os-release", "-> ../usr/lib/os-release"),
            file("etc/fstab", "PARTLABEL=usr /usr ext4 ro,x-initrd.mount 0 0\n"),
            file("usr/", ""),
            file("lib", "-> usr/lib"),
        ],
    );
    let usr = vec![
        file("lib/os-release", "ID=debian\nVERSION_ID=13\n"),
        file("lib/modules/6.12.1-amd64/modules.builtin", ""),
    ];
    let (_work, image) = made(&[part("usr", usr), part("root", root)]);
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(
        (seen.os(), &seen.report["host"]["kernels"][0]),
        (("debian", "13"), &"6.12.1-amd64".into())
    );
}

/// As Bottlerocket lays a folder that can be written over one that cannot.
#[test]
fn an_overlay_with_an_empty_upper_folder_shows_the_lower_one() {
    let fstab = "overlay /var/lib/dpkg overlay lowerdir=/usr/share/dpkg-base,upperdir=/var/up,workdir=/var/w 0 0\n";
    let root = |upper: &'static str| {
        bare(vec![
            file("etc/fstab", fstab),
            status("usr/share/dpkg-base/status", "lower"),
            file("var/lib/dpkg/", ""),
            file(upper, ""),
        ])
    };
    let (_work, image) = made(&[part("root", root("var/up/"))]);
    Seen::of(&[&image]).is_whole(&["lower"]);
    let (_work, image) = made(&[part("root", root("var/up/status"))]);
    let seen = Seen::of(&[&image]);
    let told =
        "/var/lib/dpkg: fstab mounts overlay (overlay) here, which is on no disk of this host";
    assert!(seen.gaps().contains(&told.to_owned()), "{:?}", seen.gaps());
}

const GPT_ROOT: &str = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
const GPT_USR: &str = "8484680c-9521-48c6-9c11-b0720656f69e";
const GPT_VAR: &str = "4d21b016-b534-45c2-a9fb-5c16e091fd2d";
const GPT_HOME: &str = "933ac7e1-2eb4-4f13-b844-0e14e2aef915";

fn typed(kind: &'static str, files: Vec<(&'static str, String)>) -> Part {
    Part { kind, ..part("", files) }
}

#[test]
fn types_of_partitions_mount_what_no_line_does() {
    let root = || {
        let mut root = bare(vec![file("home/", ""), file("usr/", "")]);
        root.retain(|(path, _)| !matches!(*path, "etc/os-release" | "usr/bin/"));
        root
    };
    let usr = || vec![file("lib/os-release", "ID=arch\nVERSION_ID=1\n")];
    let home = || vec![file("someone/notes", "text")];
    let (_work, image) = made(&[
        typed(GPT_HOME, home()),
        typed(GPT_VAR, var("good")),
        typed(GPT_USR, usr()),
        typed(GPT_ROOT, root()),
    ]);
    let seen = Seen::of(&[&image]);
    assert_eq!((seen.os(), seen.packages()), (("arch", "1"), vec!["good"]));
    let expected = ["/ disk.img:p4", "/home disk.img:p1", "/usr disk.img:p3", "/var disk.img:p2"];
    assert_eq!((seen.mounts(), seen.gaps()), (expected.map(str::to_owned).to_vec(), Vec::new()));
    // Bit 63 says that it is not to be mounted.
    let (_work, image) = made(&[
        Part { bits: &[63], ..typed(GPT_VAR, var("wrong")) },
        typed(GPT_USR, usr()),
        typed(GPT_ROOT, with(root(), vec![status(STATUS, "right")])),
    ]);
    assert_eq!(Seen::of(&[&image]).packages(), ["right"]);
    // fstab has a line for it.
    let line = file("etc/fstab", "PARTLABEL=mine /var ext4 defaults 0 2\n");
    let (_work, image) = made(&[
        typed(GPT_VAR, var("wrong")),
        typed(GPT_ROOT, with(root(), vec![line])),
        Part { kind: LINUX, ..part("mine", var("right")) },
    ]);
    assert_eq!(Seen::of(&[&image]).packages(), ["right"]);
}
