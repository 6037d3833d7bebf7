//! btrfs over several devices, with and without all of them, and with one copy damaged.

use crate::support::{Reader, open, open_source, run, same, script};
use conformance::{Abilities, Tree, can_mount, fill, witness, workplace};
use sidelight::block::{BlockSource, Device, FileSource};
use sidelight::filesystem::btrfs_members;
use sidelight::model::GapReason;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Loop devices, given back when they are dropped.
struct Loops(Vec<String>);

impl Loops {
    fn new(images: &[PathBuf]) -> Self {
        let attach = |image: &PathBuf| {
            run("losetup", &["-f", "--show", image.to_str().unwrap()]).trim().to_owned()
        };
        Self(images.iter().map(attach).collect())
    }
}

impl Drop for Loops {
    fn drop(&mut self) {
        self.0.iter().for_each(|device| drop(run("losetup", &["-d", device])));
    }
}

/// A filesystem over so many devices, filled; and what the kernel says of it.
fn made(work: &Path, devices: usize, options: &[&str]) -> (Vec<PathBuf>, Tree) {
    let images: Vec<_> = (0..devices).map(|it| work.join(format!("device-{it}"))).collect();
    for image in &images {
        File::create(image).unwrap().set_len(400 << 20).unwrap();
    }
    let loops = Loops::new(&images);
    let names: Vec<&str> = loops.0.iter().map(String::as_str).collect();
    run("mkfs.btrfs", &[&["-q"], options, &names].concat());
    let place = work.join("place");
    std::fs::create_dir(&place).unwrap();
    let listed: Vec<_> = names.iter().map(|name| format!("device={name}")).collect();
    let (listed, place_text) = (listed.join(","), place.to_str().unwrap());
    let able = Abilities { large_folders: [500, 1000], ..Abilities::default() };
    run("mount", &["-t", "btrfs", "-o", &format!("noatime,{listed}"), names[0], place_text]);
    fill(&place, &able);
    run("umount", &[place_text]);
    run("mount", &["-t", "btrfs", "-o", &format!("ro,{listed}"), names[0], place_text]);
    let tree = witness(&place);
    run("umount", &[place_text]);
    (images, tree)
}

fn check(features: &str, devices: usize, options: &[&str]) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (images, tree) = made(work.path(), devices, options);
    let mut paths: Vec<&Path> = images.iter().map(PathBuf::as_path).collect();
    // Whatever their order.
    paths.reverse();
    let reader = same(features, "kernel", tree, open("btrfs", &paths));
    assert_eq!(reader.filesystem.warnings(), []);
    let told: Vec<_> = paths.iter().map(|path| member(path)).collect();
    let expected: Vec<_> = (1..=devices as u64).rev().map(|it| (it, devices as u64)).collect();
    assert_eq!(told, expected);
}

fn member(path: &Path) -> (u64, u64) {
    let source = Arc::new(FileSource::open(path).unwrap());
    let member = btrfs_members(&Device::new("disk", source)).unwrap().unwrap();
    (member.device, member.devices)
}

#[test]
fn raid0() {
    check("raid0 of two", 2, &["-d", "raid0", "-m", "raid1"]);
}

#[test]
fn raid1() {
    check("raid1 of two", 2, &["-d", "raid1", "-m", "raid1"]);
}

#[test]
fn raid1c3() {
    check("raid1c3 of three", 3, &["-d", "raid1c3", "-m", "raid1c3"]);
}

#[test]
fn raid10() {
    check("raid10 of four", 4, &["-d", "raid10", "-m", "raid10"]);
}

#[test]
fn single_over_two() {
    check("single over two", 2, &["-d", "single", "-m", "raid1"]);
}

#[test]
fn a_mirror_without_one_of_its_devices_is_whole() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (images, tree) = made(work.path(), 2, &["-d", "raid1", "-m", "raid1"]);
    for image in &images {
        let reader = same("raid1, one missing", "kernel", tree.clone(), open("btrfs", &[image]));
        assert!(is_missing(&reader), "{:?}", reader.filesystem.warnings());
    }
}

#[test]
fn what_is_only_on_a_missing_device_is_an_error() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (images, _) = made(work.path(), 2, &["-d", "raid0", "-m", "raid1"]);
    let reader = open("btrfs", &[&images[0]]);
    assert!(is_missing(&reader));
    assert_eq!(reader.names("empty"), Vec::<String>::new());
    let node = reader.find("file-40-megabytes").unwrap();
    let error = reader.filesystem.read_at(node, 0, &mut vec![0; 1 << 20]).unwrap_err();
    assert!(error.to_string().contains("device 2 of the filesystem is missing"), "{error}");
}

#[test]
fn data_in_raid5_are_refused_by_name_and_the_rest_is_read() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (images, tree) = made(work.path(), 3, &["-d", "raid5", "-m", "raid1"]);
    let reader = open("btrfs", &images.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    let warnings = reader.filesystem.warnings();
    assert!(
        matches!(&warnings[..], [(GapReason::Unsupported, text)] if text.contains("raid5")),
        "{warnings:?}"
    );
    let names = reader.names("");
    assert_eq!(names.len(), tree.names(b"").len());
    assert_eq!(reader.content("hard"), b"one file of several names");
    let node = reader.find("file-40-megabytes").unwrap();
    let error = reader.filesystem.read_at(node, 0, &mut vec![0; 1 << 20]).unwrap_err();
    assert_eq!(error.to_string(), "not supported: btrfs: raid5 and raid6");
}

fn is_missing(reader: &Reader) -> bool {
    let warnings = reader.filesystem.warnings();
    matches!(&warnings[..], [(GapReason::Missing, text)] if text.contains("of 2 is missing"))
}

#[test]
fn a_copy_that_is_damaged_is_read_from_the_other() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (images, tree) = made(work.path(), 2, &["-d", "raid1", "-m", "raid1"]);
    // All of the first device but its superblock, and the chunk tree's place, is lost.
    let file = File::options().write(true).open(&images[0]).unwrap();
    for megabyte in 20..400 {
        file.write_all_at(&[0x55; 4096], megabyte << 20).unwrap();
    }
    let paths: Vec<&Path> = images.iter().map(PathBuf::as_path).collect();
    same("raid1, one damaged", "kernel", tree, open("btrfs", &paths));
}

#[test]
fn a_damaged_superblock_is_read_from_a_copy() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (images, tree) = made(work.path(), 1, &[]);
    let file = File::options().write(true).open(&images[0]).unwrap();
    file.write_all_at(&[0; 4096], 64 << 10).unwrap();
    let reader = same("superblock from a copy", "kernel", tree, open("btrfs", &[&images[0]]));
    let warnings = reader.filesystem.warnings();
    assert!(
        matches!(&warnings[..], [(GapReason::Corrupt, text)] if text.contains("copy 1 was used")),
        "{warnings:?}"
    );
}

#[test]
fn a_file_that_was_synced_and_not_committed_is_told() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let text = r#"
        truncate -s 300M "$1"; mkfs.btrfs -q "$1"; mkdir "$2"
        mount -o loop,commit=300 "$1" "$2"
        echo old > "$2/old"; sync -f "$2"
        echo new > "$2/new"; sync "$2/new"
        cp "$1" "$3"
        umount "$2"
        btrfs inspect-internal dump-super "$3" | grep -w log_root
    "#;
    let [image, place, copy] = ["image", "place", "copy"].map(|name| work.path().join(name));
    let log = script(text, &[&image, &place, &copy]);
    assert!(!log.trim().ends_with("\t0"), "the kernel left no log: {log}");
    let reader = open("btrfs", &[&copy]);
    assert_eq!(reader.content("old"), b"old\n");
    let warnings = reader.filesystem.warnings();
    assert!(
        matches!(&warnings[..], [(GapReason::Unsupported, text)] if text.contains("not replayed")),
        "{warnings:?}"
    );
}

#[test]
fn a_device_of_another_filesystem_is_refused() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let images = ["one", "other"].map(|name| work.path().join(name));
    for image in &images {
        script(r#"truncate -s 200M "$1"; mkfs.btrfs -q "$1""#, &[image]);
    }
    let device = |image: &PathBuf| -> Device {
        let source: Arc<dyn BlockSource> = Arc::new(FileSource::open(image).unwrap());
        Device::new(image.file_name().unwrap().to_str().unwrap(), source)
    };
    let format = sidelight::filesystem::FORMATS.iter().find(|it| it.name() == "btrfs").unwrap();
    let devices: Vec<_> = images.iter().map(device).collect();
    let Err(error) = format.open(&devices) else { panic!("opened") };
    assert_eq!(error.to_string(), "damaged: other belongs to another filesystem");
    open_source("btrfs", &[devices[0].source.clone()]);
}
