//! The tree of an archive's members.

use crate::filesystem::Kind;
use std::collections::BTreeMap;

/// Longest path, as the kernel has it, and its names.
const LONGEST_PATH: usize = 4096;
const MOST_NAMES: usize = 256;

/// A node.
pub struct Node {
    pub body: Body,
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    pub modified: i64,
}

/// What a node is.
pub enum Body {
    Folder(BTreeMap<Box<[u8]>, u32>),
    File { at: u64, length: u64 },
    Sparse(Box<Pieces>),
    Link(Box<[u8]>),
    Device(u32, u32),
    Pipe,
}

/// A file with holes.
pub struct Pieces {
    /// Its size with them.
    pub size: u64,
    /// Offset in the file, length, and place in the archive, in order.
    pub all: Vec<(u64, u64, u64)>,
}

impl Body {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Folder(_) => Kind::Directory,
            Self::File { .. } | Self::Sparse(_) => Kind::File,
            Self::Link(_) => Kind::Symlink,
            Self::Device(..) | Self::Pipe => Kind::Other,
        }
    }
}

/// All nodes; the first is the root.
pub struct Nodes {
    pub all: Vec<Node>,
    most: usize,
}

/// Why a member is not in the tree.
pub enum Refused {
    /// There are too many.
    Full,
    /// In words.
    Because(&'static str),
}

impl Nodes {
    pub fn new(most: usize) -> Self {
        let root = made();
        Self { all: vec![root], most }
    }

    pub fn get(&self, node: u64) -> Option<&Node> {
        self.all.get(usize::try_from(node).ok()?)
    }

    /// The node of a path; no link is followed.
    pub fn find(&self, path: &[u8]) -> Result<Option<u32>, Refused> {
        let mut at = 0;
        for name in names(path)? {
            let Body::Folder(names) = &self.all[at as usize].body else { return Ok(None) };
            let Some(child) = names.get(name) else { return Ok(None) };
            at = *child;
        }
        Ok(Some(at))
    }

    /// Puts a node at a path. A folder over one keeps what is in that one; all else takes the place of what
    /// was there, as engines unpack it.
    pub fn put(&mut self, path: &[u8], node: Node) -> Result<u32, Refused> {
        let names = names(path)?;
        let Some((last, above)) = names.split_last() else {
            let Body::Folder(_) = node.body else {
                return Err(Refused::Because("a member without a name"));
            };
            self.all[0].take(&node);
            return Ok(0);
        };
        let folder = self.folder(above)?;
        if let (Some(there), Body::Folder(_)) = (self.child(folder, last)?, &node.body)
            && let Body::Folder(_) = self.all[there as usize].body
        {
            self.all[there as usize].take(&node);
            return Ok(there);
        }
        let added = self.add(node)?;
        self.name(folder, last, added);
        Ok(added)
    }

    /// Gives a node one more name.
    pub fn link(&mut self, path: &[u8], node: u32) -> Result<(), Refused> {
        let names = names(path)?;
        let Some((last, above)) = names.split_last() else {
            return Err(Refused::Because("a member without a name"));
        };
        let folder = self.folder(above)?;
        self.name(folder, last, node);
        Ok(())
    }

    /// The folder at these names; those that are not there are made.
    fn folder(&mut self, names: &[&[u8]]) -> Result<u32, Refused> {
        let mut at = 0;
        for name in names {
            at = if let Some(child) = self.child(at, name)? {
                child
            } else {
                let made = self.add(made())?;
                self.name(at, name, made);
                made
            };
        }
        self.child(at, b"").map(|_| at)
    }

    fn child(&self, folder: u32, name: &[u8]) -> Result<Option<u32>, Refused> {
        match &self.all[folder as usize].body {
            Body::Folder(names) => Ok(names.get(name).copied()),
            _ => Err(Refused::Because("a member below one that is no folder")),
        }
    }

    fn add(&mut self, node: Node) -> Result<u32, Refused> {
        if self.all.len() >= self.most {
            return Err(Refused::Full);
        }
        self.all.push(node);
        u32::try_from(self.all.len() - 1).map_err(|_| Refused::Full)
    }

    fn name(&mut self, folder: u32, name: &[u8], node: u32) {
        if let Body::Folder(names) = &mut self.all[folder as usize].body {
            names.insert(name.into(), node);
        }
    }
}

impl Node {
    /// Takes what is said of a folder, and not what is in it.
    fn take(&mut self, said: &Self) {
        (self.mode, self.uid, self.gid) = (said.mode, said.uid, said.gid);
        self.modified = said.modified;
    }
}

fn made() -> Node {
    Node { body: Body::Folder(BTreeMap::new()), mode: 0o755, uid: 0, gid: 0, modified: 0 }
}

/// The names of a path, of which none leads out of the archive.
fn names(path: &[u8]) -> Result<Vec<&[u8]>, Refused> {
    if path.len() > LONGEST_PATH {
        return Err(Refused::Because("a path that is too long"));
    }
    let mut names = Vec::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." if names.is_empty() => {
                return Err(Refused::Because("a path that leads out of the archive"));
            }
            b".." => drop(names.pop()),
            name if name.contains(&0) || name.len() > 255 => {
                return Err(Refused::Because("a name that no file can have"));
            }
            name => names.push(name),
        }
    }
    if names.len() > MOST_NAMES {
        return Err(Refused::Because("a path of too many names"));
    }
    Ok(names)
}
