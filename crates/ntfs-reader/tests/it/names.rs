//! Names: case, short forms, what is not sound Unicode, the system's files.

use crate::hold::hold;
use crate::reader::{self, can_mount};
use crate::volume::{Volume, set};
use conformance::Mounted;
use ntfs_reader::{File, Ntfs};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

/// Letters whose upper case `$UpCase` has, some that have none, and some that Unicode has and it
/// has not.
const NAMES: &[&str] = &[
    "Windows",
    "PROGRAM FILES",
    "straße",
    "ÉCOLE",
    "ǆ",
    "ӿ",
    "ſ",
    "ﬁn",
    "ꙁ",
    "ⓐ",
    "𐐨",
    "ԥ",
    "naïve.TXT",
    "İstanbul",
    "ıstanbul",
    "σς",
    "ΣΣ2",
    "ᲀ",
    "ა",
    "aa",
    "AB",
    "Ac",
    "aD",
];

fn inode(mounted: &Mounted, path: &[u8]) -> Option<u64> {
    fs::symlink_metadata(mounted.path().join(OsStr::from_bytes(path))).ok().map(|found| found.ino())
}

fn root(ntfs: &Ntfs) -> File {
    ntfs.file(ntfs.root()).unwrap()
}

#[test]
fn case_is_folded_as_the_volume_does() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(16, &[]);
    let mounted = volume.mount("noatime");
    for name in NAMES {
        fs::write(mounted.path().join(name), "").unwrap();
    }
    // So many that the index has several levels.
    for index in 0..3000 {
        fs::write(mounted.path().join(format!("File-{index}")), "").unwrap();
    }
    drop(mounted);
    let place = volume.beside("folded");
    let mounted = Mounted::by(&["lowntfs-3g", "-o", "ro,ignore_case"], &volume.image(), &place);
    let ntfs = reader::open(&volume.image());
    let mut found = 0;
    let names = NAMES.iter().map(ToString::to_string);
    for name in names.chain((0..3000).map(|index| format!("File-{index}"))) {
        for asked in [name.clone(), name.to_uppercase(), name.to_lowercase(), name + "~"] {
            let told = inode(&mounted, asked.as_bytes());
            let ours = ntfs.lookup(&root(&ntfs), asked.as_bytes()).unwrap();
            assert_eq!(ours.map(ntfs_reader::FileReference::number), told, "{asked}");
            found += usize::from(told.is_some());
        }
    }
    assert!(found > 9000, "{found}");
}

#[test]
fn short_names_are_found_and_not_listed() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(16, &[]);
    let mounted = volume.mount("noatime,windows_names");
    for index in 0..200 {
        let path = mounted.path().join(format!("a name that is long {index}.text"));
        fs::write(&path, "").unwrap();
        set(&path, "system.ntfs_dos_name", format!("ANAME{index:03}.TXT").as_bytes());
    }
    let reader = hold("short_names", mounted, &volume.image(), false);
    let mounted = volume.mount("ro");
    let root = root(&reader.ntfs);
    for index in 0..200 {
        let long = format!("a name that is long {index}.text");
        let expected = inode(&mounted, long.as_bytes());
        assert!(expected.is_some());
        for name in [format!("ANAME{index:03}.TXT"), format!("aname{index:03}.txt"), long.clone()] {
            let found = reader.ntfs.lookup(&root, name.as_bytes()).unwrap();
            assert_eq!(found.map(ntfs_reader::FileReference::number), expected, "{name}");
        }
        let file = reader.ntfs.lookup(&root, long.as_bytes()).unwrap().unwrap();
        let file = reader.ntfs.file(file).unwrap();
        let names = file.names();
        assert_eq!((names.len(), file.links()), (2, 1));
        assert!(names.iter().all(|name| name.parent.number() == 5));
        assert!(names.iter().any(|name| name.is_dos && name.name.starts_with(b"ANAME")));
    }
    assert_eq!(reader.ntfs.read_dir(&root).unwrap().entries.len(), 200);
}

#[test]
fn no_name_is_lost() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(16, &[]);
    let mounted = volume.mount("noatime");
    let names: [&[u8]; 6] = [
        b"lone-high-\xed\xa0\xbd",
        b"lone-low-\xed\xb8\x80-middle",
        b"\xed\xb8\x80\xed\xa0\xbd",
        "pair-😀".as_bytes(),
        "\u{ffff}\u{fffd}\u{feff}".as_bytes(),
        b"\x01\x7f",
    ];
    for name in names {
        fs::write(mounted.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let reader = hold("names_of_any_units", mounted, &volume.image(), false);
    let listing = reader.ntfs.read_dir(&root(&reader.ntfs)).unwrap();
    for name in names {
        assert!(listing.entries.iter().any(|entry| entry.name == name), "{name:?}");
        let found = reader.ntfs.lookup(&root(&reader.ntfs), name).unwrap();
        let mut content = vec![0; 64];
        let file = reader.ntfs.file(found.unwrap()).unwrap();
        let read = reader.ntfs.read_at(&file, 0, &mut content).unwrap();
        assert_eq!(&content[..read], name);
    }
}

#[test]
fn the_systems_files_are_found_and_not_listed() {
    if !can_mount() {
        return;
    }
    let volume = Volume::new(16, &[]);
    let mounted = volume.mount("ro,show_sys_files");
    let ntfs = reader::open(&volume.image());
    let mut seen = 0;
    for entry in fs::read_dir(mounted.path()).unwrap() {
        let name = entry.unwrap().file_name();
        let found = ntfs.lookup(&root(&ntfs), name.as_bytes()).unwrap();
        assert_eq!(
            found.map(ntfs_reader::FileReference::number),
            inode(&mounted, name.as_bytes()),
            "{name:?}"
        );
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
    assert!(ntfs.read_dir(&root(&ntfs)).unwrap().entries.is_empty());
    let extend = ntfs.file(ntfs.lookup(&root(&ntfs), b"$Extend").unwrap().unwrap()).unwrap();
    let names = ntfs.read_dir(&extend).unwrap().entries;
    let names: Vec<_> = names.iter().map(|entry| &entry.name[..]).collect();
    assert_eq!(names, [&b"$ObjId"[..], b"$Quota", b"$Reparse"]);
}
