//! The crate `ext4-view` reads the same image by other code: both must tell the same.
//!
//! Left out, for these are limits of `ext4-view` 1.0: files with a time before 1970 or past 2038
//! in the low word's sign bit ("invalid timestamp"); sparse files with block maps (it reads a hole
//! as block 0 and fails); all files if inodes are of 128 bytes ("inode truncated"); files of more
//! than 80 MB, which it reads at once; change times, inode numbers, device numbers and extended
//! attributes, which it does not tell.

use ext4_reader::{Ext4, Inode, InodeNumber, Kind, Time};
use ext4_view::{Ext4 as View, FileType, Metadata, Path, PathBuf};
use std::collections::BTreeSet;

const MOST: u64 = 80 << 20;

/// Compares all that both can read; false if `ext4-view` refuses a feature of the filesystem.
pub fn agrees(image: &std::path::Path, ext4: &Ext4) -> bool {
    let view = match View::load_from_path(image) {
        Ok(view) => view,
        Err(ext4_view::Ext4Error::Incompatible(_)) => return false,
        Err(error) => panic!("ext4-view: {error}"),
    };
    if let Err(ext4_view::Ext4Error::Corrupt(error)) = view.read_dir("/") {
        assert!(format!("{error:?}").starts_with("InodeTruncated"), "{error:?}");
        return false;
    }
    folder(&view, ext4, ext4.root(), PathBuf::new("/").as_path());
    true
}

fn folder(view: &View, ext4: &Ext4, at: InodeNumber, path: Path) {
    let listing = ext4.read_dir(&ext4.inode(at).unwrap()).unwrap();
    let names: BTreeSet<_> = listing.entries.iter().map(|entry| entry.name.clone()).collect();
    let theirs = view.read_dir(path).unwrap().map(|entry| {
        let entry = entry.unwrap();
        AsRef::<[u8]>::as_ref(&entry.file_name()).to_vec()
    });
    let theirs: BTreeSet<_> = theirs.filter(|name| name != b"." && name != b"..").collect();
    assert!(names == theirs, "names in {path:?}");
    for entry in listing.entries {
        let path = path.join(entry.name.as_slice());
        let inode = ext4.inode(entry.inode).unwrap();
        if [inode.accessed, inode.modified, inode.changed].iter().any(is_odd) {
            continue;
        }
        compare(&view.symlink_metadata(&path).unwrap(), &inode, path.as_path());
        match inode.kind {
            Kind::Directory => folder(view, ext4, entry.inode, path.as_path()),
            Kind::Symlink => {
                let target = view.read_link(&path).unwrap();
                assert_eq!(AsRef::<[u8]>::as_ref(&target), ext4.read_link(&inode).unwrap());
            }
            Kind::File if inode.size < MOST && !is_sparse_with_map(ext4, &inode) => {
                let mut bytes = vec![0; inode.size as usize];
                ext4.read_at(&inode, 0, &mut bytes).unwrap();
                assert!(view.read(&path).unwrap() == bytes, "content of {path:?}");
            }
            _ => {}
        }
    }
}

fn compare(theirs: &Metadata, inode: &Inode, path: Path) {
    let kind = match inode.kind {
        Kind::Fifo => FileType::Fifo,
        Kind::CharDevice => FileType::CharacterDevice,
        Kind::Directory => FileType::Directory,
        Kind::BlockDevice => FileType::BlockDevice,
        Kind::File => FileType::Regular,
        Kind::Symlink => FileType::Symlink,
        Kind::Socket => FileType::Socket,
    };
    assert_eq!(theirs.file_type(), kind, "{path:?}");
    assert_eq!(theirs.mode(), inode.mode, "{path:?}");
    assert_eq!((theirs.uid(), theirs.gid()), (inode.uid, inode.gid), "{path:?}");
    assert_eq!(theirs.len(), inode.size, "{path:?}");
    let modified = (theirs.modified().seconds(), theirs.modified().nanoseconds());
    assert_eq!(modified, (inode.modified.seconds, inode.modified.nanoseconds), "{path:?}");
}

fn is_odd(time: &Time) -> bool {
    !(0..1 << 31).contains(&(time.seconds & 0xffff_ffff)) || time.seconds < 0
}

fn is_sparse_with_map(ext4: &Ext4, inode: &Inode) -> bool {
    const EXTENTS: u32 = 0x8_0000;
    let mapped: u64 = ext4
        .ranges(inode, 0, inode.size)
        .unwrap()
        .iter()
        .map(|range| range.end - range.start)
        .sum();
    inode.flags & EXTENTS == 0 && mapped < inode.size
}
