//! A tree with all that a filesystem can hold, made through the kernel.

use rustix::fs::{
    AtFlags, CWD, FallocateFlags, FileType, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags,
    chownat, fallocate, lsetxattr, makedev, mknodat, utimensat,
};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;

/// What not every filesystem can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Large {
    Attributes,
    Nothing,
}

pub fn fill(root: &Path, large: Large) {
    files(root);
    holes(root);
    names(root);
    folders(root);
    links(root);
    devices(root);
    owners(root);
    dates(root);
    attributes(root, large);
}

fn files(root: &Path) {
    for size in [0, 1, 59, 60, 61, 150, 400, 1023, 1024, 4096, 5000, 60_000, 700_000_usize] {
        let bytes: Vec<u8> = (0..size).map(|index| (index * 7 + size) as u8).collect();
        fs::write(root.join(format!("file-{size}")), bytes).unwrap();
    }
    // Small files that grew and shrank, and may have been inline for a while.
    for (from, to) in [(10_usize, 100), (100, 10), (50, 5000), (5000, 50)] {
        let path = root.join(format!("resized-{from}-{to}"));
        fs::write(&path, vec![b'r'; from]).unwrap();
        fs::File::options().write(true).open(path).unwrap().set_len(to).unwrap();
    }
}

/// In block maps, the last island is behind three levels of pointers if blocks are of 1 KiB.
fn holes(root: &Path) {
    let sparse = fs::File::create(root.join("sparse")).unwrap();
    for at in [0, 300_000, 5_000_000, 69_000_001] {
        sparse.write_all_at(b"island", at).unwrap();
    }
    fs::File::create(root.join("only-a-hole")).unwrap().set_len(1 << 20).unwrap();
    let fragments = fs::File::create(root.join("fragments")).unwrap();
    for index in 0..600 {
        fragments.write_all_at(&[index as u8; 100], index * 8192).unwrap();
    }
    for (name, flags) in
        [("unwritten", FallocateFlags::empty()), ("reserved", FallocateFlags::KEEP_SIZE)]
    {
        let file = fs::File::create(root.join(name)).unwrap();
        // ext2 and ext3 have no blocks that are allocated and not written.
        let _ = fallocate(&file, flags, 0, 1 << 20);
        file.write_all_at(b"written", 500_000).unwrap();
    }
}

fn names(root: &Path) {
    fs::write(root.join(OsStr::from_bytes(b"not-utf8-\xff\xfe")), "x").unwrap();
    fs::write(root.join("n".repeat(255)), "long name").unwrap();
    fs::write(root.join(OsStr::from_bytes(&[0xe9; 255])), "long name with the high bit").unwrap();
    fs::write(root.join(" \n\t\\\"'"), "odd name").unwrap();
}

fn folders(root: &Path) {
    let deep = (0..30).fold(root.to_owned(), |path, level| path.join(format!("d{level}")));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("bottom"), "deep").unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    fs::create_dir(root.join("few")).unwrap();
    for index in 0..12 {
        fs::write(root.join(format!("few/{index}")), "").unwrap();
    }
    for (folder, count, removed) in [("many", 12_300, 41), ("emptied", 600, 1), ("thinned", 90, 2)]
    {
        fs::create_dir(root.join(folder)).unwrap();
        let path = |index| root.join(folder).join(OsStr::from_bytes(&many_name(index)));
        (0..count).for_each(|index| fs::write(path(index), b"").unwrap());
        (0..count).step_by(removed).for_each(|index| fs::remove_file(path(index)).unwrap());
    }
}

/// A name of the folder `many`; a third has bytes with the high bit.
pub fn many_name(index: usize) -> Vec<u8> {
    let tail: &[u8] = if index.is_multiple_of(3) { b"\xe9\xff\x80" } else { b"plain" };
    [format!("a-name-in-a-large-folder-{index}-").as_bytes(), tail].concat()
}

fn links(root: &Path) {
    for length in [1, 59, 60, 61, 150, 200, 1000] {
        symlink(&"folder/".repeat(200)[..length], root.join(format!("link-{length}"))).unwrap();
    }
    for index in 0..5 {
        fs::hard_link(root.join("file-400"), root.join(format!("hard-{index}"))).unwrap();
    }
}

fn devices(root: &Path) {
    let mode = Mode::from_raw_mode(0o640);
    let numbers = [(1, 3), (8, 0), (255, 255), (256, 1), (259, 0xa_bcde), (4095, 0xf_ffff), (0, 0)];
    for (major, minor) in numbers {
        for (name, kind) in [("char", FileType::CharacterDevice), ("block", FileType::BlockDevice)]
        {
            let path = root.join(format!("{name}-{major}-{minor}"));
            mknodat(CWD, path, kind, mode, makedev(major, minor)).unwrap();
        }
    }
    mknodat(CWD, root.join("fifo"), FileType::Fifo, mode, 0).unwrap();
    mknodat(CWD, root.join("socket"), FileType::Socket, mode, 0).unwrap();
}

fn owners(root: &Path) {
    for (uid, gid) in [(65_535, 65_536), (100_000, 4_000_000_000), (4_294_967_294, 7)] {
        let path = root.join(format!("owner-{uid}-{gid}"));
        fs::write(&path, "").unwrap();
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        chownat(CWD, path, uid, gid, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
    for mode in [0o0, 0o4755, 0o2711, 0o1777] {
        let path = root.join(format!("mode-{mode:o}"));
        fs::write(&path, "").unwrap();
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
}

/// Seconds of 1938, 1969, 2038 (before and after the sign bit), 2100, 2106, 2400 and 2446.
fn dates(root: &Path) {
    let dates = [
        -1_009_843_200,
        -1,
        2_147_483_647,
        2_147_483_648,
        4_102_444_800,
        4_294_967_296,
        13_569_465_600,
        15_032_385_535,
    ];
    for tv_sec in dates {
        let path = root.join(format!("date-{tv_sec}"));
        fs::write(&path, "").unwrap();
        let times = Timestamps {
            last_access: Timespec { tv_sec: tv_sec - 1000, tv_nsec: 1 },
            last_modification: Timespec { tv_sec, tv_nsec: 999_999_999 },
        };
        utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}

fn attributes(root: &Path, large: Large) {
    let file = root.join("attributes");
    fs::write(&file, "content").unwrap();
    set(&file, "user.small", b"value");
    set(&file, "user.empty", b"");
    set(&file, "user.zeroes", &[0; 5]);
    set(&file, "trusted.note", b"\x01\x02");
    // Revision 2, effective, CAP_NET_RAW.
    set(&file, "security.capability", b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    set(&file, "system.posix_acl_access", &acl());
    let folder = root.join("default-acl");
    fs::create_dir(&folder).unwrap();
    set(&folder, "system.posix_acl_default", &acl());
    fs::create_dir(folder.join("inherits")).unwrap();
    let block = root.join("attributes-in-a-block");
    fs::write(&block, "").unwrap();
    set(&block, "user.larger-than-fits-an-inode", &[b'x'; 700]);
    set(&block, "trusted.overlay.opaque", b"y");
    let shared = root.join("attributes-in-a-shared-block");
    fs::write(&shared, "").unwrap();
    set(&shared, "user.larger-than-fits-an-inode", &[b'x'; 700]);
    set(&shared, "trusted.overlay.opaque", b"y");
    symlink("target", root.join("link-with-attribute")).unwrap();
    set(&root.join("link-with-attribute"), "trusted.of-a-link", b"l");
    if large == Large::Attributes {
        let file = root.join("attribute-in-an-inode");
        fs::write(&file, "").unwrap();
        set(&file, "user.in-an-inode", &vec![b'y'; 30_000]);
        set(&file, "user.in-another", &vec![b'z'; 60_001]);
    }
}

/// The access list `u::rw-,u:100000:r--,g::r--,g:7:rwx,m::rwx,o::---`, as the kernel takes it.
fn acl() -> Vec<u8> {
    let unnamed = u32::MAX;
    let entries = [
        (0x1_u16, 6_u16, unnamed),
        (0x2, 4, 100_000),
        (0x4, 4, unnamed),
        (0x8, 7, 7),
        (0x10, 7, unnamed),
        (0x20, 0, unnamed),
    ];
    let mut bytes = vec![2, 0, 0, 0];
    for (tag, permissions, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

fn set(path: &Path, name: &str, value: &[u8]) {
    lsetxattr(path, name, value, XattrFlags::empty())
        .unwrap_or_else(|error| panic!("{name} of {}: {error}", path.display()));
}
