//! Small filesystems that `mkfs.xfs` and `xfs_db` made, whose content is known from what they were
//! told. Among them attributes of version 4, which the kernel of the tests cannot write.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/small.rs"]
mod small;
#[path = "support/sparse.rs"]
mod sparse;

use sparse::Sparse;
use std::collections::BTreeMap;
use std::sync::Arc;
use xfs_reader::Xfs;

const OPTIONS: [&[&str]; 5] = [
    &["-m", "crc=0", "-b", "size=512"],
    &["-m", "crc=0", "-b", "size=1024"],
    &["-m", "crc=0"],
    &["-b", "size=1024"],
    &[],
];

#[test]
fn folders_and_files_are_as_the_protofile_says() {
    for options in OPTIONS {
        let xfs = small::open(&small::make(options));
        for (folder, count) in small::FOLDERS {
            check_folder(&xfs, folder, count);
        }
        let file = small::inode(&xfs, "file");
        let mut bytes = vec![1; 40_000];
        let length = xfs.read_at(&file, 0, &mut bytes).unwrap();
        assert!(bytes[..length] == small::content(), "{options:?}");
        assert_eq!(xfs.read_link(&small::inode(&xfs, "link")).unwrap(), b"target");
        if options.contains(&"crc=0") {
            assert_eq!(xfs.read_link(&small::inode(&xfs, "long-link")).unwrap(), [b't'; 700]);
        }
    }
}

fn check_folder(xfs: &Xfs, folder: &str, count: usize) {
    let folder = small::inode(xfs, folder);
    let listing = xfs.read_dir(&folder).unwrap();
    assert!(listing.damage.is_empty(), "{:?}", listing.damage);
    let found: BTreeMap<_, _> = listing.entries.into_iter().map(|it| (it.name, it.inode)).collect();
    assert_eq!(found.len(), count);
    for index in 0..count {
        let number = found[&small::name(index)];
        assert_eq!(xfs.lookup(&folder, &small::name(index)).unwrap(), Some(number));
        assert_eq!(xfs.inode(number).unwrap().uid, index as u32);
    }
    assert_eq!(xfs.lookup(&folder, b"absent").unwrap(), None);
}

#[test]
fn attributes_are_as_xfs_db_was_told() {
    for options in OPTIONS {
        let xfs = small::open(&small::make(options));
        for (file, count, size) in small::ATTRIBUTES {
            let file = small::inode(&xfs, file);
            let found: BTreeMap<_, _> = xfs.xattrs(&file).unwrap().into_iter().collect();
            let expected: BTreeMap<_, _> = (0..count)
                .map(|index| (format!("user.attribute-{index}").into_bytes(), vec![b'v'; size]))
                .collect();
            assert_eq!(found, expected, "{options:?}");
        }
        let file = small::inode(&xfs, "attribute-large");
        let large = xfs.xattr(&file, b"security.large").unwrap();
        assert_eq!(large, Some(vec![b'v'; small::LARGE_VALUE]), "{options:?}");
        assert_eq!(xfs.xattr(&file, b"trusted.small").unwrap(), Some(vec![b'v'; 10]));
        assert_eq!(xfs.xattr(&file, b"user.small").unwrap(), None);
    }
}

/// A node, a leaf and the entry; the tree of extents before each of them.
#[test]
fn a_lookup_in_a_large_folder_reads_a_few_blocks() {
    let disk = Arc::new(Sparse::of(&small::make(&["-b", "size=1024"])));
    let xfs = Xfs::open(disk.clone()).unwrap();
    let folder = small::inode(&xfs, "most");
    for index in (0..3000).step_by(50) {
        for (name, is_there) in [(small::name(index), true), (small::name(index + 3000), false)] {
            let before = disk.read();
            assert_eq!(xfs.lookup(&folder, &name).unwrap().is_some(), is_there);
            let read = disk.read() - before;
            assert!(read <= 3 * (4096 + 1024), "{read} bytes");
        }
    }
    let before = disk.read();
    xfs.read_dir(&folder).unwrap();
    assert!(disk.read() - before > 100_000);
}
