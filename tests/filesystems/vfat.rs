//! FAT filled by mtools: this kernel has none. What mtools was given is the witness of what it
//! wrote, and `fsck.fat` of that it is sound.

use crate::support::{Reader, filled, open, run, same, script};
use conformance::{Abilities, Content, can_mount, mkfs, witness, workplace};
use std::path::{Path, PathBuf};

/// What the format can hold.
fn abilities() -> Abilities {
    Abilities {
        devices: false,
        owners: false,
        longest_link: 0,
        hard_links: false,
        xattrs: None,
        acls: false,
        raw_names: false,
        odd_names: false,
        case_sensitive: false,
        holes: false,
        unwritten: false,
        large_folders: [300, 500],
        ..Abilities::default()
    }
}

fn check(features: &str, megabytes: u64, options: &[&str]) {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let image = work.path().join("image");
    mkfs(&image, megabytes, &[&["mkfs.vfat", "-n", "LABEL", "-i", "1234ABCD"], options].concat());
    let source = filled(work.path(), &abilities());
    // mtools writes no characters outside the first plane.
    std::fs::remove_file(source.path().join("ünïcödé-名前-🦀")).unwrap();
    std::fs::write(source.path().join("ünïcödé-名前"), "unicode").unwrap();
    copy(&image, source.path(), "::top");
    let mut tree = witness(source.path());
    drop(source);
    for node in tree.nodes.values_mut() {
        // The witness told two names apart that differ in case.
        if let Content::Directory(lookups) = &mut node.content {
            lookups.clear();
        }
    }
    script("fsck.fat -n \"$1\" > /dev/null", &[&image]);
    let mut reader = open("vfat", &[&image]);
    (reader.times, reader.owners) = (false, false);
    let top = reader.root;
    reader.root = reader.find("TOP").unwrap();
    let mut reader = same(features, "mtools", tree, reader);
    reader.root = top;
    let identity = reader.filesystem.identity();
    assert_eq!(identity.label.as_deref(), Some("LABEL"));
    let blkid = script("blkid -p -o value -s UUID \"$1\"", &[&image]);
    assert_eq!(identity.uuid, Some(blkid.trim().to_lowercase()));
}

/// Copies a folder with all that is in it.
fn copy(image: &Path, from: &Path, to: &str) {
    let [image, from] = [image, from].map(|it| it.to_str().unwrap());
    run("mcopy", &["-s", "-m", "-Q", "-i", image, from, to]);
}

#[test]
fn fat12() {
    check("fat12, clusters of 32k", 126, &["-F", "12", "-s", "64"]);
}

#[test]
fn fat16() {
    check("fat16", 200, &["-F", "16"]);
}

#[test]
fn fat32() {
    // With clusters of one sector, mtools may find no room for the longest name.
    check("fat32", 300, &["-F", "32", "-s", "2"]);
}

#[test]
fn fat32_sectors_of_4k() {
    check("fat32, sectors of 4k", 600, &["-F", "32", "-S", "4096", "-s", "1"]);
}

/// A small FAT32 with these files in its root.
fn small(work: &Path, files: &[&str]) -> (PathBuf, Reader) {
    let image = work.join("image");
    mkfs(&image, 40, &["mkfs.vfat", "-F", "32", "-s", "1"]);
    for name in files {
        let file = work.join(name);
        std::fs::write(&file, name).unwrap();
        script("touch -d '2024-02-29 23:59:58 UTC' \"$1\"", &[&file]);
        copy(&image, &file, "::");
    }
    let reader = open("vfat", &[&image]);
    (image, reader)
}

#[test]
fn a_name_is_found_in_any_case_and_by_its_short_form() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let files =
        ["MixedCase.Conf", "lower.txt", "UPPER.TXT", "Über-Äpfel.txt", "a long name.tar.gz"];
    let (image, reader) = small(work.path(), &files);
    let mut sorted = files.map(str::to_owned);
    sorted.sort();
    assert_eq!(reader.names(""), sorted);
    let others = [
        ("mixedcase.conf", "MixedCase.Conf"),
        ("MIXEDCASE.CONF", "MixedCase.Conf"),
        ("LOWER.TXT", "lower.txt"),
        ("upper.txt", "UPPER.TXT"),
        ("A LONG NAME.TAR.GZ", "a long name.tar.gz"),
        ("ALONGN~1.GZ", "a long name.tar.gz"),
    ];
    for (asked, name) in others {
        assert_eq!(reader.content(asked), name.as_bytes(), "{asked}");
        // mtools finds it by this name too.
        let image = image.to_str().unwrap();
        assert_eq!(run("mtype", &["-i", image, &format!("::{asked}")]), name);
    }
    assert_eq!(reader.content("über-äpfel.TXT"), "Über-Äpfel.txt".as_bytes());
    assert_eq!(reader.find("no such"), None);
}

#[test]
fn times_are_those_that_were_given() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (_, reader) = small(work.path(), &["file"]);
    let found = reader.filesystem.metadata(reader.find("file").unwrap()).unwrap();
    // `date -u -d '2024-02-29 23:59:58' +%s`
    assert_eq!(found.modified, 1_709_251_198);
}

#[test]
fn removed_files_leave_nothing() {
    if !can_mount() {
        return;
    }
    let work = workplace();
    let (image, _) = small(work.path(), &["first one.txt", "second one.txt", "third one.txt"]);
    run("mdel", &["-i", image.to_str().unwrap(), "::second one.txt"]);
    let reader = open("vfat", &[&image]);
    assert_eq!(reader.names(""), ["first one.txt", "third one.txt"]);
    assert_eq!(reader.find("second one.txt"), None);
}
