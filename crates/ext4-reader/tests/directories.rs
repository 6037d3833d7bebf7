//! The directories that inode tables tell of, against a walk and the counts of dumpe2fs.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

use ext4_reader::{Ext4, InodeNumber, Kind};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const MOST: u64 = 1 << 30;

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command
}

/// A tree of 421 folders over groups of 256 inodes.
fn image(work: &Path, options: &str) -> Vec<u8> {
    let root = work.join("root");
    for (outer, inner) in (0..20).flat_map(|outer| (0..20).map(move |inner| (outer, inner))) {
        let folder = root.join(format!("{outer}/{inner}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("file"), "text").unwrap();
    }
    let path = work.join("image");
    std::fs::File::create(&path).unwrap().set_len(64 << 20).unwrap();
    let fixed = ["-q", "-F", "-t", "ext4", "-b", "1024", "-N", "2048", "-O", options];
    let made = tool("mke2fs").args(fixed).arg("-d").arg(&root).arg(&path).status();
    assert!(made.expect("e2fsprogs").success());
    std::fs::read(path).unwrap()
}

fn shown(ext4: &Ext4, most: u64) -> BTreeMap<u32, Vec<Range<u64>>> {
    let mut shown = BTreeMap::new();
    ext4.directories(most, &mut |inode| {
        shown.insert(inode.number.0, ext4.ranges(&inode, 0, u64::MAX).unwrap());
        true
    });
    shown
}

fn walked(ext4: &Ext4) -> BTreeMap<u32, Vec<Range<u64>>> {
    let mut walked = BTreeMap::new();
    let mut todo = vec![ext4.root()];
    while let Some(number) = todo.pop() {
        let inode = ext4.inode(number).unwrap();
        walked.insert(number.0, ext4.ranges(&inode, 0, u64::MAX).unwrap());
        let entries = ext4.read_dir(&inode).unwrap().entries.into_iter();
        let inside = entries.filter(|it| it.kind == Some(Kind::Directory));
        todo.extend(inside.map(|it| it.inode).filter(|it| !walked.contains_key(&it.0)));
    }
    walked
}

/// How many directories the descriptors of all groups count.
fn counted(image: &Path) -> usize {
    let output = tool("dumpe2fs").arg(image).output().expect("e2fsprogs").stdout;
    let text = String::from_utf8(output).unwrap();
    let counts = text.lines().filter_map(|line| {
        let directories = line.split(", ").find_map(|it| it.strip_suffix(" directories"))?;
        directories.parse::<usize>().ok()
    });
    counts.sum()
}

#[test]
fn all_directories_are_shown_in_one_reading() {
    for options in
        ["metadata_csum", "^metadata_csum,uninit_bg", "^metadata_csum,^uninit_bg,^64bit,^extent"]
    {
        let work = tempfile::tempdir().unwrap();
        let ext4 = Ext4::open(Arc::new(image(work.path(), options))).unwrap();
        let shown = shown(&ext4, MOST);
        assert_eq!(shown.len(), counted(&work.path().join("image")), "{options}");
        assert_eq!(shown.len(), 422, "{options}");
        assert_eq!(shown, walked(&ext4), "{options}");
    }
}

#[test]
fn tables_that_are_too_much_are_not_read_and_reading_ends_when_told() {
    let work = tempfile::tempdir().unwrap();
    let ext4 = Ext4::open(Arc::new(image(work.path(), "metadata_csum"))).unwrap();
    assert!(shown(&ext4, 4096).is_empty());
    let mut first = Vec::new();
    ext4.directories(MOST, &mut |inode| {
        first.push(inode.number);
        first.len() < 3
    });
    assert_eq!(first.len(), 3);
    assert_eq!(first[0], InodeNumber(2));
}

#[test]
fn a_damaged_record_is_not_shown() {
    let work = tempfile::tempdir().unwrap();
    let mut bytes = image(work.path(), "metadata_csum");
    let ext4 = Ext4::open(Arc::new(bytes.clone())).unwrap();
    let mut expected = shown(&ext4, MOST);
    let (number, _) = expected.pop_last().unwrap();
    let place = ext4.inode_range(InodeNumber(number)).unwrap();
    bytes[place.start as usize + 20] ^= 1;
    assert_eq!(shown(&Ext4::open(Arc::new(bytes)).unwrap(), MOST), expected);
}
