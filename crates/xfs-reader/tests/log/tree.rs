//! All that the kernel says of a mounted tree.

use rustix::fs::{lgetxattr, llistxattr};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Rows by path from the root.
pub type Rows = BTreeMap<Vec<u8>, Row>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub inode: u64,
    /// Kind and permissions.
    pub mode: u32,
    pub links: u64,
    pub owner: (u32, u32),
    pub size: u64,
    /// Access, modification, change.
    pub times: [(i64, i64); 3],
    pub content: Content,
    pub attributes: BTreeMap<Content, Content>,
}

/// Bytes that are too many to print.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content(pub Vec<u8>);

impl std::fmt::Debug for Content {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let start = self.0.get(..40).unwrap_or(&self.0);
        let sum = crc32c::crc32c(&self.0);
        let start = String::from_utf8_lossy(start);
        write!(out, "{} bytes, {sum:08x}, {start:?}", self.0.len())
    }
}

/// The first row on which two sides differ.
pub fn difference(kernel: &Rows, ours: &Rows) -> Option<String> {
    kernel.keys().chain(ours.keys()).find_map(|path| {
        let (kernel, ours) = (kernel.get(path), ours.get(path));
        let path = String::from_utf8_lossy(path);
        (kernel != ours).then(|| format!("{path}\nkernel {kernel:#?}\nours {ours:#?}"))
    })
}

pub fn by_kernel(root: &Path) -> Rows {
    let mut rows = Rows::new();
    rows.insert(Vec::new(), row(root));
    folder(root, root, &mut rows);
    rows
}

fn folder(root: &Path, at: &Path, rows: &mut Rows) {
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        let row = row(&path);
        let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
        let is_folder = row.mode >> 12 == 0o4;
        rows.insert(name, row);
        if is_folder {
            folder(root, &path, rows);
        }
    }
}

fn row(path: &Path) -> Row {
    let found = fs::symlink_metadata(path).unwrap();
    let content = if found.is_file() {
        fs::read(path).unwrap()
    } else if found.is_symlink() {
        fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec()
    } else {
        Vec::new()
    };
    Row {
        inode: found.ino(),
        mode: found.mode(),
        links: found.nlink(),
        owner: (found.uid(), found.gid()),
        size: found.size(),
        times: [
            (found.atime(), found.atime_nsec()),
            (found.mtime(), found.mtime_nsec()),
            (found.ctime(), found.ctime_nsec()),
        ],
        content: Content(content),
        attributes: attributes(path),
    }
}

fn attributes(path: &Path) -> BTreeMap<Content, Content> {
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
