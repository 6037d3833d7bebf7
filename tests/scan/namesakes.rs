//! Disks, groups and arrays that have the name or the id of another: none is left out without a word.

use crate::support::{root, scan, sidelight, tool};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A file with an ext4 root whose system has this name.
fn system(work: &Path, name: &str, bytes: u64) -> PathBuf {
    let folder = work.join(format!("{name}-root"));
    fs::create_dir_all(folder.join("etc")).expect("made");
    let release = format!("ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"{name}\"\n");
    fs::write(folder.join("etc/os-release"), release).expect("written");
    let image = work.join(format!("{name}.ext4"));
    File::create(&image).expect("made").set_len(bytes).expect("grown");
    tool("mke2fs", &["-q", "-F", "-t", "ext4", "-d", text(&folder), text(&image)]);
    image
}

/// A loop device, until it is dropped.
struct Loop(String);

impl Loop {
    fn of(image: &Path) -> Self {
        Self(tool("losetup", &["--find", "--show", text(image)]).trim().to_owned())
    }

    /// Runs a command of LVM that sees this device only, and needs no device-mapper.
    fn lvm(&self, arguments: &[&str]) {
        let filter = format!(
            "devices {{ filter = [ \"a|^{}$|\", \"r|.*|\" ] use_devicesfile = 0 }}",
            self.0
        );
        tool("lvm", &[arguments, &["--driverloaded", "n", "--config", &filter]].concat());
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = std::process::Command::new("losetup").args(["-d", &self.0]).status();
    }
}

/// A disk that is a group of this name with a system in its only volume.
fn group(work: &Path, group: &str, system_name: &str) -> PathBuf {
    let inside = system(work, system_name, 8 << 20);
    let disk = work.join(format!("{system_name}.img"));
    File::create(&disk).expect("made").set_len(20 << 20).expect("grown");
    let device = Loop::of(&disk);
    device.lvm(&["pvcreate", "-qq", "-ff", "-y", &device.0]);
    device.lvm(&["vgcreate", "-qq", group, &device.0]);
    device.lvm(&["lvcreate", "-qq", "-y", "-an", "-Zn", "-Wn", "-n", "root", "-l", "2", group]);
    drop(device);
    // The first extent is where LVM puts it by default, at 1 MiB.
    let bytes = fs::read(inside).expect("there");
    let out = OpenOptions::new().write(true).open(&disk).expect("there");
    out.write_all_at(&bytes, 1 << 20).expect("written");
    disk
}

fn gaps_at<'a>(report: &'a Value, place: &str) -> Vec<&'a str> {
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    let here = gaps.filter(|gap| gap["place"].as_str().is_some_and(|it| it.starts_with(place)));
    here.filter_map(|gap| gap["detail"].as_str()).collect()
}

#[test]
fn of_two_groups_of_one_name_both_are_seen() {
    if !root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let (one, two) = (group(work.path(), "vg", "First"), group(work.path(), "vg", "Second"));
    for disks in [[&one, &two], [&two, &one]] {
        let (code, report) = scan(&disks.map(PathBuf::as_path));
        assert_eq!(code, 3);
        let scanned = report["host"]["os"]["pretty_name"].as_str().expect("a name");
        let other = if scanned == "First" { "Second" } else { "First" };
        let told = gaps_at(&report, "vg");
        assert!(told.iter().any(|it| it.contains(&format!("another system, {other}"))), "{told:?}");
        let parts = report["coverage"]["parts"].as_array().expect("parts");
        assert_eq!(parts.iter().filter(|part| part["holds"] == "ext4").count(), 2, "{parts:?}");
    }
}

#[test]
fn a_copy_of_a_physical_volume_is_a_gap() {
    if !root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let disk = group(work.path(), "vg", "First");
    let copy = work.path().join("copy.img");
    fs::copy(&disk, &copy).expect("copied");
    let (code, report) = scan(&[&disk, &copy]);
    assert_eq!(code, 3);
    assert_eq!(gaps_at(&report, "copy.img").len(), 1, "{}", report["gaps"]);
    let parts = report["coverage"]["parts"].as_array().expect("parts");
    let part = parts.iter().find(|part| part["name"] == "copy.img").expect("a part");
    assert_eq!(part["state"], "gap");
}

#[test]
fn a_copy_of_a_member_of_an_array_is_a_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("disk-fixtures/md/raid0");
    let mut disks = Vec::new();
    for name in ["m1", "m2"] {
        let disk = work.path().join(format!("{name}.img"));
        let packed = File::open(folder.join(format!("{name}.img.zst"))).expect("there");
        zstd::stream::copy_decode(packed, File::create(&disk).expect("made")).expect("zstd");
        disks.push(disk);
    }
    let copy = work.path().join("copy.img");
    fs::copy(&disks[0], &copy).expect("copied");
    let (code, report) = scan(&[&disks[0], &copy, &disks[1]]);
    assert_eq!(code, 3);
    let told = [gaps_at(&report, "copy.img"), gaps_at(&report, "m1.img")].concat();
    assert_eq!(told.len(), 1, "{}", report["gaps"]);
}

#[test]
fn two_disks_with_one_file_name_are_told_apart_and_none_is_taken_twice() {
    let work = tempfile::tempdir().expect("a folder");
    let mut disks = Vec::new();
    for name in ["First", "Second"] {
        let folder = work.path().join(name);
        fs::create_dir(&folder).expect("made");
        let disk = folder.join("disk.img");
        fs::rename(system(work.path(), name, 8 << 20), &disk).expect("moved");
        disks.push(disk);
    }
    let (code, report) = scan(&[&disks[0], &disks[1]]);
    assert_eq!(code, 3);
    let parts = report["coverage"]["parts"].as_array().expect("parts");
    let states: Vec<_> = parts.iter().map(|part| (&part["name"], &part["state"])).collect();
    assert_eq!(states[0], (&text(&disks[0]).into(), &"scanned".into()));
    assert_eq!(states[1], (&text(&disks[1]).into(), &"gap".into()));
    let output = sidelight(&["disks", text(&disks[0]), text(&disks[0])]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("named twice"));
}
