//! All that is known of a file, by the kernel and by the reader, in one shape.

use ext4_reader::{Ext4, Inode, InodeNumber, Kind, Time};
use rustix::fs::{lgetxattr, llistxattr, makedev};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Rows by path from the root.
pub type Rows = BTreeMap<Vec<u8>, Row>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub inode: u64,
    /// Kind and permissions.
    pub mode: u32,
    pub links: u64,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub device: u64,
    /// Access, modification, change.
    pub times: [(i64, i64); 3],
    pub created: Option<(i64, i64)>,
    pub content: Content,
    pub attributes: BTreeMap<Content, Content>,
}

/// Bytes that are too many to print.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content(pub Vec<u8>);

impl std::fmt::Debug for Content {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let start = self.0.get(..40).unwrap_or(&self.0);
        write!(out, "{} bytes, {:?}", self.0.len(), String::from_utf8_lossy(start))
    }
}

/// Says on which row two sides differ.
pub fn compare(what: &str, kernel: &Rows, ours: &Rows) {
    for path in kernel.keys().chain(ours.keys()) {
        let (kernel, ours) = (kernel.get(path), ours.get(path));
        let path = String::from_utf8_lossy(path);
        assert!(kernel == ours, "{what}: {path}\nkernel {kernel:#?}\nours {ours:#?}");
    }
}

/// What the kernel says of a mounted tree.
pub fn by_kernel(root: &Path) -> Rows {
    let mut rows = Rows::new();
    rows.insert(Vec::new(), kernel_row(root));
    kernel_folder(root, root, &mut rows);
    rows
}

fn kernel_folder(root: &Path, folder: &Path, rows: &mut Rows) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let row = kernel_row(&path);
        let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
        let is_folder = row.mode >> 12 == 0o4;
        rows.insert(name, row);
        if is_folder {
            kernel_folder(root, &path, rows);
        }
    }
}

fn kernel_row(path: &Path) -> Row {
    let found = fs::symlink_metadata(path).unwrap();
    let content = if found.is_file() {
        fs::read(path).unwrap()
    } else if found.is_symlink() {
        fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec()
    } else {
        Vec::new()
    };
    let created = found.created().ok().map(|time| match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (after.as_secs().cast_signed(), i64::from(after.subsec_nanos())),
        Err(before) => panic!("nothing was made in the past: {before}"),
    });
    Row {
        inode: found.ino(),
        mode: found.mode(),
        links: found.nlink(),
        uid: found.uid(),
        gid: found.gid(),
        size: found.size(),
        device: found.rdev(),
        times: [
            (found.atime(), found.atime_nsec()),
            (found.mtime(), found.mtime_nsec()),
            (found.ctime(), found.ctime_nsec()),
        ],
        created,
        content: Content(content),
        attributes: kernel_attributes(path),
    }
}

fn kernel_attributes(path: &Path) -> BTreeMap<Content, Content> {
    let mut names = vec![0_u8; 65_536];
    let length = llistxattr(path, &mut names[..]).unwrap();
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let attribute = |name: &[u8]| {
        let mut value = vec![0_u8; 65_536];
        let length = lgetxattr(path, name, &mut value[..]).unwrap();
        value.truncate(length);
        (Content(name.to_vec()), Content(value))
    };
    names.map(attribute).collect()
}

/// What the reader says, which must find each name by itself too, and no others.
pub fn by_reader(ext4: &Ext4) -> Rows {
    let mut rows = Rows::new();
    rows.insert(Vec::new(), reader_row(ext4, &ext4.inode(ext4.root()).unwrap()));
    reader_folder(ext4, ext4.root(), b"", &mut rows);
    rows
}

/// Flag of a directory with an index of hashed names.
const INDEXED: u32 = 0x1000;

fn reader_folder(ext4: &Ext4, at: InodeNumber, path: &[u8], rows: &mut Rows) {
    let folder = ext4.inode(at).unwrap();
    let listing = ext4.read_dir(&folder).unwrap();
    assert!(listing.damage.is_empty(), "{:?}", listing.damage);
    let count = listing.entries.len();
    let indexed = folder.flags & INDEXED != 0;
    for (index, entry) in listing.entries.into_iter().enumerate() {
        // Where each lookup reads the whole of a large folder, a part of them has to do.
        let sampled = count < 1000 || index.is_multiple_of(100);
        if sampled || indexed {
            assert_eq!(ext4.lookup(&folder, &entry.name).unwrap(), Some(entry.inode));
        }
        if sampled {
            let absent = [&entry.name[..entry.name.len() - 1], b"~"].concat();
            assert_eq!(ext4.lookup(&folder, &absent).unwrap(), None);
        }
        let inode = ext4.inode(entry.inode).unwrap();
        let name = if path.is_empty() { entry.name } else { [path, b"/", &entry.name].concat() };
        rows.insert(name.clone(), reader_row(ext4, &inode));
        if inode.kind == Kind::Directory {
            reader_folder(ext4, entry.inode, &name, rows);
        }
    }
}

fn reader_row(ext4: &Ext4, inode: &Inode) -> Row {
    let kind = match inode.kind {
        Kind::Fifo => 0o1,
        Kind::CharDevice => 0o2,
        Kind::Directory => 0o4,
        Kind::BlockDevice => 0o6,
        Kind::File => 0o10,
        Kind::Symlink => 0o12,
        Kind::Socket => 0o14,
    };
    let content = match inode.kind {
        Kind::File => content(ext4, inode),
        Kind::Symlink => ext4.read_link(inode).unwrap(),
        _ => Vec::new(),
    };
    let time = |time: Time| (time.seconds, i64::from(time.nanoseconds));
    let attributes = ext4.xattrs(inode).unwrap().into_iter();
    let attributes = attributes.map(|(name, value)| (Content(name), Content(value))).collect();
    Row {
        inode: u64::from(inode.number.0),
        mode: kind << 12 | u32::from(inode.mode),
        links: u64::from(inode.links),
        uid: inode.uid,
        gid: inode.gid,
        size: inode.size,
        device: inode.device().map_or(0, |(major, minor)| makedev(major, minor)),
        times: [time(inode.accessed), time(inode.modified), time(inode.changed)],
        created: inode.created.map(time),
        content: Content(content),
        attributes,
    }
}

fn content(ext4: &Ext4, inode: &Inode) -> Vec<u8> {
    let mut bytes = vec![0xaa; inode.size as usize + 10];
    let length = ext4.read_at(inode, 0, &mut bytes).unwrap();
    bytes.truncate(length);
    // A read from the middle must give the same bytes.
    let mut middle = vec![0; length / 2];
    let got = ext4.read_at(inode, length as u64 / 3, &mut middle).unwrap();
    assert!(middle[..got] == bytes[length / 3..length / 3 + got], "inode {}", inode.number.0);
    bytes
}
