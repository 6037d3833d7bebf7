//! Disks that were cut off: what is there is read, and what is missing is a gap.

use crate::support::{root, scan, tool};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

const FIRST: u64 = 2048 * 512;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A folder that looks like a root, with one package.
fn folder(work: &Path) -> PathBuf {
    let root = work.join("root");
    fs::create_dir_all(root.join("etc")).expect("made");
    fs::create_dir_all(root.join("var/lib/dpkg")).expect("made");
    fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=12\n").expect("written");
    let status = "Package: good\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n";
    fs::write(root.join("var/lib/dpkg/status"), status).expect("written");
    root
}

/// Puts a filesystem into the only partition of a disk, and takes bytes off the disk's end.
fn disk(work: &Path, filesystem: &Path, cut: u64) -> PathBuf {
    let disk = work.join("disk.img");
    let bytes = fs::read(filesystem).expect("there");
    let length = FIRST + bytes.len() as u64;
    let file = File::create(&disk).expect("made");
    file.set_len(length).expect("grown");
    let script = work.join("table");
    fs::write(&script, format!("label: dos\n2048,{}\n", bytes.len() / 512)).expect("written");
    tool("sh", &["-c", &format!("sfdisk -q {} <{}", text(&disk), text(&script))]);
    let out = OpenOptions::new().write(true).open(&disk).expect("there");
    std::os::unix::fs::FileExt::write_all_at(&out, &bytes, FIRST).expect("written");
    out.set_len(length - cut).expect("cut");
    disk
}

fn check(work: &Path, filesystem: &Path, cut: u64) {
    let disk = disk(work, filesystem, cut);
    let (code, report) = scan(&[&disk]);
    let name = filesystem.display();
    assert_eq!(code, 3, "{name}");
    assert_eq!(report["assets"][0]["packages"][0]["name"], "good", "{name}: {}", report["gaps"]);
    let gaps = report["gaps"].as_array().expect("gaps");
    let told = |gap: &&serde_json::Value| {
        gap["detail"].as_str().is_some_and(|it| it.starts_with(&format!("the last {cut} bytes")))
    };
    assert_eq!(gaps.iter().filter(told).count(), 1, "{name}: {gaps:?}");
}

#[test]
fn a_partition_that_is_cut_off_is_read_as_far_as_it_is_there() {
    if !root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = folder(work.path());
    let make = |name: &str, bytes: u64| {
        let image = work.path().join(name);
        File::create(&image).expect("made").set_len(bytes).expect("grown");
        image
    };
    let xfs = make("xfs", 300 << 20);
    tool("mkfs.xfs", &["-q", text(&xfs)]);
    let place = work.path().join("place");
    fs::create_dir(&place).expect("made");
    tool("mount", &["-o", "loop", text(&xfs), text(&place)]);
    tool("cp", &["-r", &format!("{}/.", text(&root)), text(&place)]);
    tool("umount", &[text(&place)]);
    check(work.path(), &xfs, 512);
    check(work.path(), &xfs, 11 << 20);
    let btrfs = make("btrfs", 120 << 20);
    tool("mkfs.btrfs", &["-q", "--rootdir", text(&root), text(&btrfs)]);
    check(work.path(), &btrfs, 512);
    let squashfs = work.path().join("squashfs");
    tool("mksquashfs", &[text(&root), text(&squashfs), "-quiet", "-no-progress"]);
    check(work.path(), &squashfs, 512);
}

#[test]
fn a_btrfs_that_is_cut_off_says_so() {
    let work = tempfile::tempdir().expect("a folder");
    let root = folder(work.path());
    let image = work.path().join("disk.img");
    File::create(&image).expect("made").set_len(200 << 20).expect("grown");
    tool("mkfs.btrfs", &["-q", "--rootdir", text(&root), text(&image)]);
    let out = OpenOptions::new().write(true).open(&image).expect("there");
    out.set_len(190 << 20).expect("cut");
    let (code, report) = scan(&[&image]);
    assert_eq!(code, 3);
    assert_eq!(report["gaps"][0]["detail"], "the last 10485760 bytes of disk.img are missing");
}
