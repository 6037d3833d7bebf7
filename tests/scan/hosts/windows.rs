//! Hosts that run Windows: told by what only Windows has. ntfs-3g writes the files.

use super::{Content, MIB, Part, Seen, debian, disk, part};
use crate::support::tool;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const BASIC: &str = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7";
const RESERVED: &str = "e3c9e316-0b5c-4db8-817d-f92df00215ae";
const RECOVERY: &str = "de94bba4-06d1-4d40-a16a-bfd50179d6ac";

/// An NTFS filesystem of these files.
fn ntfs(work: &Path, name: &str, files: &[&str]) -> PathBuf {
    let (image, folder) = (work.join(name), work.join(format!("{name}.mounted")));
    File::create(&image).expect("made").set_len(8 * MIB).expect("grown");
    fs::create_dir(&folder).expect("made");
    let (image_text, folder_text) =
        (image.to_str().expect("UTF-8"), folder.to_str().expect("UTF-8"));
    tool("mkntfs", &["-q", "-Q", "-F", "-f", "-p", "0", "-H", "0", "-S", "0", image_text]);
    tool("ntfs-3g", &[image_text, folder_text]);
    for file in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("below the root")).expect("made");
        fs::write(path, "content").expect("written");
    }
    tool("umount", &[folder_text]);
    // FUSE lets go of the image a moment after the unmount.
    while Command::new("fuser").args(["-s", image_text]).status().is_ok_and(|it| it.success()) {
        std::thread::yield_now();
    }
    image
}

fn windows_part(label: &'static str, kind: &'static str, image: PathBuf) -> Part {
    Part { label, kind, bits: &[], mib: 8, content: Content::Image(image) }
}

#[test]
fn a_windows_is_told_by_its_hives_and_its_recovery_is_no_gap() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let system = ntfs(work.path(), "system", &["Windows/System32/config/SOFTWARE", "Users/x/y"]);
    let boot = ntfs(work.path(), "boot", &["Boot/BCD", "bootmgr", "System Volume Information/x"]);
    let recovery = ntfs(work.path(), "recovery", &["Recovery/WindowsRE/Winre.wim"]);
    let data = ntfs(work.path(), "data", &["Programs/x"]);
    let image = disk(
        work.path(),
        "disk.img",
        &[
            windows_part("System Reserved", BASIC, boot),
            Part { label: "MSR", kind: RESERVED, bits: &[], mib: 2, content: Content::Noise },
            windows_part("Basic data partition", BASIC, system),
            windows_part("Recovery", RECOVERY, recovery),
            windows_part("Data", BASIC, data),
        ],
    );
    let seen = Seen::of(&[&image]);
    assert_eq!(seen.os(), ("windows", ""));
    assert_eq!(seen.mounts(), ["/ disk.img:p3"]);
    for part in ["disk.img:p1", "disk.img:p4"] {
        assert_eq!(seen.part(part), ("not_needed", "Windows boots or recovers from it"));
    }
    assert_eq!(seen.part("disk.img:p2"), ("not_needed", "reserved"));
    let gaps = seen.gaps();
    let of_parts: Vec<_> = gaps.iter().filter(|gap| gap.starts_with("disk.img")).collect();
    let expected = "disk.img:p5: ntfs filesystem that nothing mounts: its files were not looked at";
    assert_eq!(of_parts, [expected]);
}

#[test]
fn a_windows_beside_a_linux_is_another_system() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let system = ntfs(work.path(), "system", &["Windows/System32/config/SOFTWARE"]);
    let image = disk(
        work.path(),
        "disk.img",
        &[windows_part("Windows", BASIC, system), part("linux", debian("12", "good"))],
    );
    let seen = Seen::of(&[&image]);
    assert_eq!(seen.packages(), ["good"]);
    let told = "disk.img:p1: another system, Windows, was found on disk.img:p1 and not scanned";
    assert_eq!(seen.gaps(), [told]);
}
