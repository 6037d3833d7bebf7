//! Hosts on btrfs: the root in a subvolume, as distributions lay it out, among snapshots and other
//! systems. Filesystems are made by mkfs.btrfs and filled through the kernel, which says as well what
//! a mount with the root's options shows.

mod devices;
mod firmware;
mod layouts;
mod told;

use super::{Content, LINUX, MIB, Part, Seen, disk, file, part_with, text};
use crate::support::tool;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SIZE: u64 = 128;

/// A small system in a folder: its id, its version and one package.
const SYSTEM: &str = r#"
system() {
    mkdir -p "$1/etc" "$1/var/lib/dpkg" "$1/boot" "$1/home" "$1/usr/bin"
    printf 'ID=%s\nVERSION_ID=%s\nPRETTY_NAME="%s %s"\n' "$2" "$3" "$2" "$3" > "$1/etc/os-release"
    echo root:x:0:0::/root:/bin/sh > "$1/etc/passwd"
    : > "$1/etc/fstab"
    package "$1" "$4"
}
package() {
    printf 'Package: %s\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n' "$2" \
        > "$1/var/lib/dpkg/status"
}
new() { for it; do btrfs -q subvolume create "$it" > /dev/null; done; }
snapshot() { btrfs -q subvolume snapshot "$@" > /dev/null; }
default() { btrfs subvolume set-default "$1"; }
"#;

/// The image of a filesystem, filled by a script that runs at its top and knows its UUID as `ID`. Each
/// has another one: the kernel mounts no two of the same.
pub(super) fn filesystem(work: &Path, name: &str, script: &str) -> PathBuf {
    let (image, place) = (work.join(name), work.join(format!("{name}.place")));
    let script = format!(
        r#"set -e; truncate -s {SIZE}M "$1"; mkfs.btrfs -q "$1" > /dev/null; mkdir "$2"
        ID=$(blkid -p -o value -s UUID "$1")
        mount -o loop "$1" "$2"; trap 'cd /; umount "$2"' EXIT; cd "$2"
        {SYSTEM}
        {script}"#
    );
    tool("bash", &["-c", &script, "bash", text(&image), text(&place)]);
    image
}

/// The UUID of a filesystem.
fn id(image: &Path) -> String {
    tool("blkid", &["-p", "-o", "value", "-s", "UUID", text(image)]).trim().to_owned()
}

/// What the kernel shows of a file, mounted with these options.
fn shown(image: &Path, options: &str, path: &str) -> String {
    let place = tempfile::tempdir().expect("a folder");
    let options = format!("loop,ro,{options}");
    let options = options.trim_end_matches(',');
    let script = r#"set -e; mount -o "$1" "$2" "$3"; trap 'umount "$3"' EXIT; cat "$3/$4""#;
    tool("bash", &["-c", script, "bash", options, text(image), text(place.path()), path])
}

/// The package that the kernel shows in dpkg's status, where `options` mount the root.
fn installed(image: &Path, options: &str, path: &str) -> String {
    let status = shown(image, options, path);
    let name = status.lines().find_map(|line| line.strip_prefix("Package: "));
    name.expect("a package").to_owned()
}

/// A partition of the filesystem.
pub(super) fn on(image: &Path) -> Part {
    Part {
        label: "btrfs",
        kind: LINUX,
        bits: &[],
        mib: SIZE,
        content: Content::Image(image.to_owned()),
    }
}

/// A disk of one partition, filled by a script.
fn host(script: &str) -> (TempDir, PathBuf, PathBuf) {
    let work = tempfile::tempdir().expect("a folder");
    let filesystem = filesystem(work.path(), "filesystem", script);
    let image = disk(work.path(), "disk.img", &[on(&filesystem)]);
    (work, filesystem, image)
}

/// `/boot` on ext4 with one entry of the boot loader specification, which starts the filesystem with
/// these options.
fn boot(image: &Path, options: &str) -> Part {
    let id = id(image);
    let entry = format!(
        "title Fedora\nversion 6.8.5\nlinux /vmlinuz-6.8.5\noptions root=UUID={id} ro {options}\n"
    );
    let script = "set default=\"${saved_entry}\"\ninsmod blscfg\nblscfg\n";
    let files = vec![
        file("grub2/grub.cfg", script),
        file("loader/entries/m-6.8.5.conf", &entry),
        file("vmlinuz-6.8.5", "kernel"),
    ];
    part_with("boot", &["-L", "boot"], files)
}

/// What became of a subvolume: `state place`, where the place is where it is mounted, or why not.
fn state(seen: &Seen, part: &str, path: &str) -> String {
    let parts = seen.report["coverage"]["parts"].as_array().expect("parts");
    let part = parts.iter().find(|it| it["name"] == part).expect("the part");
    let all = part["subvolumes"].as_array().unwrap_or_else(|| panic!("no subvolumes: {part}"));
    let it = all.iter().find(|it| it["path"] == path).unwrap_or_else(|| panic!("{path}: {all:?}"));
    let mounts: Vec<_> = it["mounts"].as_array().into_iter().flatten().collect();
    let mounts: Vec<_> = mounts.iter().filter_map(|it| it.as_str()).collect();
    let place = it["detail"].as_str().map_or_else(|| mounts.join(" "), str::to_owned);
    format!("{} {place}", it["state"].as_str().expect("a state"))
}

/// `path subvolume` of each mount.
fn roots(seen: &Seen) -> Vec<String> {
    let mounts = seen.report["host"]["mounts"].as_array().expect("mounts");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    mounts.iter().map(|it| format!("{} {}", text(&it["path"]), text(&it["root"]))).collect()
}
