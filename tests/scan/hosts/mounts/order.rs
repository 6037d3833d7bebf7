//! In what order is mounted what fstab, mount units and partition types name: as systemd does, by
//! their places over all of them.

use super::super::{Seen, debian, file, part, part_with, status, with};
use super::{GPT_ROOT, GPT_VAR, UNIT, VAR_LABEL, WANTS, bare, made, typed};

const LIB: &[&str] = &["-L", "lib"];
const SRV: &[&str] = &["-L", "srv"];

/// A unit that is started, and mounts the filesystem of this label.
fn started(name: &'static str, link: &'static str, label: &str) -> Vec<(&'static str, String)> {
    let place = link.rsplit_once('/').map_or("", |(_, name)| name);
    let unit = format!("[Mount]\nWhat=/dev/disk/by-label/{label}\nType=ext4\n");
    vec![file(name, &unit), file(link, &format!("-> ../{place}"))]
}

fn srv() -> Vec<(&'static str, String)> {
    started(
        "etc/systemd/system/srv.mount",
        "etc/systemd/system/local-fs.target.wants/srv.mount",
        "srv",
    )
}

#[test]
fn fstab_mounts_inside_what_a_unit_mounts() {
    let root = bare(vec![
        file("etc/fstab", "LABEL=lib /var/lib ext4 defaults 0 2\n"),
        file("etc/systemd/system/var.mount", UNIT),
        file(WANTS, "-> ../var.mount"),
    ]);
    let var = vec![file("lib/", ""), file("log/", "")];
    let (_work, image) = made(&[
        part("root", root),
        part_with("var", VAR_LABEL, var),
        part_with("lib", LIB, vec![status("dpkg/status", "good")]),
    ]);
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.mounts(), ["/ disk.img:p1", "/var disk.img:p2", "/var/lib disk.img:p3"]);
}

#[test]
fn fstab_binds_what_a_unit_mounts() {
    let fstab = file("etc/fstab", "/srv/var /var none bind 0 0\n");
    // What the root has at the source is hidden too.
    let root = with(
        debian("12", "stale"),
        [vec![fstab, status("srv/var/lib/dpkg/status", "old")], srv()].concat(),
    );
    let (_work, image) = made(&[
        part("root", root),
        part_with("srv", SRV, vec![status("var/lib/dpkg/status", "good")]),
    ]);
    Seen::of(&[&image]).is_whole(&["good"]);
}

#[test]
fn fstab_mounts_inside_what_the_partition_table_does() {
    let fstab = file("etc/fstab", "LABEL=lib /var/lib ext4 defaults 0 2\n");
    let var = vec![file("lib/", ""), file("log/", "")];
    let (_work, image) = made(&[
        typed(GPT_ROOT, bare(vec![fstab])),
        typed(GPT_VAR, var),
        part_with("lib", LIB, vec![status("dpkg/status", "good")]),
    ]);
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.mounts(), ["/ disk.img:p1", "/var disk.img:p2", "/var/lib disk.img:p3"]);
}

/// The unit is on what fstab mounts, and fstab binds what the unit mounts.
#[test]
fn a_unit_of_a_separate_usr_comes_before_a_bind_of_what_it_mounts() {
    let fstab = "LABEL=usr /usr ext4 defaults 0 2\n/srv/var /var none bind 0 0\n";
    let mut root = with(debian("12", "stale"), vec![file("etc/fstab", fstab), file("usr/", "")]);
    root.retain(|(path, _)| *path != "usr/bin/");
    root.push(file("srv/", ""));
    let usr = started(
        "lib/systemd/system/srv.mount",
        "lib/systemd/system/local-fs.target.wants/srv.mount",
        "srv",
    );
    let (_work, image) = made(&[
        part("root", root),
        part_with("usr", &["-L", "usr"], with(usr, vec![file("bin/", "")])),
        part_with("srv", SRV, vec![status("var/lib/dpkg/status", "good")]),
    ]);
    Seen::of(&[&image]).is_whole(&["good"]);
}

/// An overlay of fstab shows a folder of what a unit mounts.
#[test]
fn an_overlay_waits_for_its_lower_folder() {
    let fstab =
        "overlay /var/lib/dpkg overlay lowerdir=/srv/base,upperdir=/srv/up,workdir=/srv/w 0 0\n";
    let more = vec![
        file("etc/fstab", fstab),
        file("var/lib/dpkg/", ""),
        status("srv/base/status", "old"),
        file("srv/up/", ""),
    ];
    let root = bare([more, srv()].concat());
    let lower = vec![status("base/status", "good"), file("up/", "")];
    let (_work, image) = made(&[part("root", root), part_with("srv", SRV, lower)]);
    Seen::of(&[&image]).is_whole(&["good"]);
}

/// Of two binds that show each other the first line of fstab comes first, as for `mount -a`.
#[test]
fn a_circle_of_binds_ends() {
    let fstab =
        "/opt/b /srv/b none bind 0 0\n/srv/b/x /opt none bind 0 0\n/opt /opt none bind 0 0\n";
    let root = with(
        debian("12", "good"),
        vec![file("etc/fstab", fstab), file("opt/b/x/", ""), file("srv/b/", "")],
    );
    let (_work, image) = made(&[part("root", root)]);
    Seen::of(&[&image]).is_whole(&["good"]);
}
