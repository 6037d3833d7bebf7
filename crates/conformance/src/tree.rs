//! What the kernel says of a tree.

use crate::Xattrs;
use std::collections::BTreeMap;

/// Files by path from the root, which is the empty path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// The files.
    pub nodes: BTreeMap<Vec<u8>, Node>,
}

/// Kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say it")]
pub enum Kind {
    Fifo,
    CharDevice,
    Directory,
    BlockDevice,
    File,
    Symlink,
    Socket,
}

impl Kind {
    /// From the upper bits of `st_mode`.
    pub fn of_mode(mode: u32) -> Self {
        match mode >> 12 & 0xf {
            0x1 => Self::Fifo,
            0x2 => Self::CharDevice,
            0x4 => Self::Directory,
            0x6 => Self::BlockDevice,
            0x8 => Self::File,
            0xa => Self::Symlink,
            0xc => Self::Socket,
            other => panic!("no kind of file: {other:#x}"),
        }
    }
}

/// Seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Time {
    /// Seconds, which may be negative.
    pub seconds: i64,
    /// Nanoseconds.
    pub nanoseconds: u32,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `statx`")]
pub struct Node {
    pub inode: u64,
    pub kind: Kind,
    pub mode: u32,
    pub links: u64,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub device: (u32, u32),
    pub accessed: Time,
    pub modified: Time,
    pub changed: Time,
    pub created: Option<Time>,
    pub xattrs: Xattrs,
    pub content: Content,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Devices, pipes, sockets.
    None,
    /// Target of a link.
    Link(Vec<u8>),
    /// Names that were looked up one by one, and the listed name of what was found.
    Directory(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    /// Data.
    File {
        /// Parts that together are all of the file, or all that is not a hole in a large file.
        whole: Vec<Probe>,
        /// Reads at odd places.
        probes: Vec<Probe>,
    },
}

/// A read of `length` bytes from `offset`, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// First byte asked for.
    pub offset: u64,
    /// Bytes asked for.
    pub length: usize,
    /// Bytes that came.
    pub found: Digest,
}

/// Bytes by their number and SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest {
    /// How many.
    pub length: usize,
    /// SHA-256.
    pub sha256: [u8; 32],
}

impl Digest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self { length: bytes.len(), sha256: sha2::Sha256::digest(bytes).into() }
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(out, "{} bytes, sha256 ", self.length)?;
        self.sha256[..6].iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Names directly inside a directory, with their files.
impl Tree {
    /// The names in the directory at `path`.
    pub fn names(&self, path: &[u8]) -> Vec<&[u8]> {
        let prefix = if path.is_empty() { Vec::new() } else { [path, b"/"].concat() };
        let below = self.nodes.range(prefix.clone()..);
        let inside = below.take_while(|(path, _)| path.starts_with(&prefix));
        let names = inside.map(|(path, _)| &path[prefix.len()..]);
        names.filter(|name| !name.is_empty() && !name.contains(&b'/')).collect()
    }
}
