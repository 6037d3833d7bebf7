//! Paths over joined filesystems. All path rules live here.
//!
//! A path is resolved inside the host's root only: `..` stops at the root, an absolute link target
//! starts there again, at most 40 links are followed and at most 4,096 names are looked up. Names
//! are bytes; UTF-8 is not assumed.

mod ahead;
mod links;
mod mounts;
mod positioned;
mod subvolumes;
mod waiting;
mod walk;

pub use ahead::{Part, Place, Plan};
pub use positioned::{PositionedFile, read_reason};
pub use walk::{Descend, Detail, Step as WalkStep, Walked};

use crate::filesystem::{Directory, Entry, Error, FileSystem, Kind, Listing, Metadata, NodeId};
use crate::model::{Gap, GapReason, printable};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

const MOST_LINKS: usize = 40;
const MOST_NAMES: usize = 4096;
const CHUNK: usize = 256 * 1024;
const READ_AHEAD: u64 = 8 << 20;

/// The joined tree.
pub struct Tree {
    mounts: Vec<Mounted>,
    /// Where paths without links lead that a walk met.
    known: RwLock<HashMap<Vec<u8>, Located>>,
}

struct Mounted {
    path: Vec<Vec<u8>>,
    filesystem: Arc<dyn FileSystem>,
    /// What of it is mounted.
    root: NodeId,
}

/// The way to a node: names without links, each with what it names.
type Trail = Vec<(Vec<u8>, Located)>;

/// A node and the filesystem that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Located {
    mount: usize,
    /// Node in its filesystem.
    pub node: NodeId,
}

impl Located {
    /// Another node of the same filesystem.
    pub fn beside(self, node: NodeId) -> Self {
        Self { node, ..self }
    }
}

/// Why a path could not be read. A path that is not there is not an error.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The filesystem could not deliver.
    #[error("{path}: {source}")]
    FileSystem {
        /// The path, printable.
        path: String,
        /// What the filesystem said.
        source: Error,
    },
    /// Links that lead in a circle, or too many of them.
    #[error("{path}: more than {MOST_LINKS} symbolic links or {MOST_NAMES} names")]
    TooManyLinks {
        /// The path, printable.
        path: String,
    },
    /// The file is larger than its reader takes.
    #[error("{path}: {size} bytes, more than the {limit} that are read")]
    TooLarge {
        /// The path, printable.
        path: String,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
}

impl PathError {
    /// The reason word of the gap that this error ends as.
    pub fn reason(&self) -> GapReason {
        match self {
            Self::FileSystem { source: Error::Unsupported { .. }, .. } => GapReason::Unsupported,
            Self::FileSystem { source: Error::Corrupt { .. }, .. } | Self::TooManyLinks { .. } => {
                GapReason::Corrupt
            }
            Self::FileSystem { .. } => GapReason::Unreadable,
            Self::TooLarge { .. } => GapReason::Limit,
        }
    }
}

impl Tree {
    /// A tree of one filesystem.
    pub fn new(root: Arc<dyn FileSystem>) -> Self {
        let node = root.root();
        Self::at(root, node)
    }

    /// A tree of a folder of the scanning machine.
    pub fn of_directory(path: &Path) -> std::io::Result<Self> {
        Ok(Self::new(Arc::new(Directory::open(path)?)))
    }

    /// A tree of a folder of a filesystem, which is `/`.
    pub fn at(filesystem: Arc<dyn FileSystem>, root: NodeId) -> Self {
        let mounts = vec![Mounted { path: Vec::new(), filesystem, root }];
        Self { mounts, known: RwLock::default() }
    }

    /// Whether there is such a name, even if it is a link that leads nowhere.
    pub fn holds(&self, path: &[u8]) -> Result<bool, PathError> {
        let Some(last) = names(path).next_back() else { return Ok(true) };
        let parent = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let Some(at) = self.find(&path[..parent])? else { return Ok(false) };
        let fail = |source| PathError::FileSystem { path: printable(path), source };
        if self.metadata(at).map_err(fail)?.kind != Kind::Directory {
            return Ok(false);
        }
        Ok(self.filesystem(at).lookup(at.node, last).map_err(fail)?.is_some())
    }

    /// Whether what is mounted at a path would hide anything: a folder with entries, or a file.
    pub fn is_bare(&self, path: &[u8]) -> Result<bool, PathError> {
        let Some(at) = self.find(path)? else { return Ok(true) };
        let fail = |source| PathError::FileSystem { path: printable(path), source };
        if self.metadata(at).map_err(fail)?.kind != Kind::Directory {
            return Ok(false);
        }
        let listing = self.filesystem(at).read_dir(at.node).map_err(fail)?;
        Ok(listing.damage.is_empty() && listing.entries.iter().all(|it| it.name == b"lost+found"))
    }

    /// A path without links, with a slash before each name; `None` if it is not there.
    pub fn real_path(&self, path: &[u8]) -> Result<Option<Vec<u8>>, PathError> {
        let trail = self.walk(path)?;
        Ok(trail.map(|trail| {
            trail.iter().flat_map(|(name, _)| [b"/", name.as_slice()].concat()).collect()
        }))
    }

    /// Finds a path, following links; `None` if it is not there.
    pub fn find(&self, path: &[u8]) -> Result<Option<Located>, PathError> {
        if let Some(at) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(Some(*at));
        }
        let trail = self.walk(path)?;
        Ok(trail.map(|trail| trail.last().map_or(self.top(), |(_, located)| *located)))
    }

    /// Keeps where a path without links leads, so that its folders need not be read again.
    pub fn remember(&self, path: &[u8], at: Located) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_vec(), at);
    }

    /// Drops what was remembered.
    pub fn forget(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The error of a path whose filesystem could not deliver.
    pub fn error(path: &[u8], source: Error) -> PathError {
        PathError::FileSystem { path: printable(path), source }
    }

    /// Follows a path name by name.
    fn walk(&self, path: &[u8]) -> Result<Option<Trail>, PathError> {
        let mut todo: VecDeque<Vec<u8>> = names(path).map(<[u8]>::to_vec).collect();
        let mut trail = Trail::new();
        let (mut links, mut looked_up) = (0, 0);
        while let Some(name) = todo.pop_front() {
            looked_up += 1;
            if looked_up > MOST_NAMES || links > MOST_LINKS {
                return Err(PathError::TooManyLinks { path: printable(path) });
            }
            if name == b".." {
                trail.pop();
                continue;
            }
            let here = trail.last().map_or(self.top(), |(_, located)| *located);
            let step = self.step(here, &name);
            match step.map_err(|source| PathError::FileSystem { path: printable(path), source })? {
                Step::Nothing => match self.made(&trail, &name) {
                    Some(made) => trail.push((name, made)),
                    None => return Ok(None),
                },
                Step::Link(target) => {
                    links += 1;
                    if target.first() == Some(&b'/') {
                        trail.clear();
                    }
                    names(&target).rev().for_each(|name| todo.push_front(name.to_vec()));
                }
                Step::Node(next) => self.enter(&mut trail, name, next),
            }
        }
        Ok(Some(trail))
    }

    /// What is mounted at a place that was made for it.
    fn made(&self, trail: &Trail, name: &[u8]) -> Option<Located> {
        let above = trail.iter().map(|(name, _)| name.as_slice());
        self.mounted_at(&above.chain([name]).collect::<Vec<_>>())
    }

    /// What a directory has under a name.
    fn step(&self, here: Located, name: &[u8]) -> Result<Step, Error> {
        if self.metadata(here)?.kind != Kind::Directory {
            return Ok(Step::Nothing);
        }
        let filesystem = self.filesystem(here);
        let Some(node) = filesystem.lookup(here.node, name)? else { return Ok(Step::Nothing) };
        let next = Located { mount: here.mount, node };
        if self.metadata(next)?.kind == Kind::Symlink {
            return Ok(Step::Link(filesystem.read_link(node)?));
        }
        Ok(Step::Node(next))
    }

    /// Goes one name deeper, into what is mounted there if something is.
    fn enter(&self, trail: &mut Trail, name: Vec<u8>, next: Located) {
        trail.push((name, next));
        let so_far: Vec<&[u8]> = trail.iter().map(|(name, _)| name.as_slice()).collect();
        if let (Some(over), Some(last)) = (self.mounted_at(&so_far), trail.last_mut()) {
            last.1 = over;
        }
    }

    /// Target of a symbolic link.
    pub fn read_link(&self, at: Located) -> Result<Vec<u8>, Error> {
        self.filesystem(at).read_link(at.node)
    }

    /// Metadata of a node.
    pub fn metadata(&self, at: Located) -> Result<Metadata, Error> {
        self.filesystem(at).metadata(at.node)
    }

    /// Entries of the directory at `path`, sorted by name; none if it is not a directory. What of
    /// it cannot be read is a gap.
    pub fn list(&self, path: &[u8], gaps: &mut Vec<Gap>) -> Vec<Entry> {
        let Listing { mut entries, damage } = match self.listing(path) {
            Ok(listing) => listing,
            Err(error) => {
                gaps.push(Gap::new(printable(path), error.reason(), error));
                return Vec::new();
            }
        };
        for source in damage {
            let error = PathError::FileSystem { path: printable(path), source };
            gaps.push(Gap::new(printable(path), error.reason(), error));
        }
        entries.sort();
        entries
    }

    fn listing(&self, path: &[u8]) -> Result<Listing, PathError> {
        let fail = |source| PathError::FileSystem { path: printable(path), source };
        let Some(at) = self.find(path)? else { return Ok(Listing::default()) };
        if self.metadata(at).map_err(fail)?.kind != Kind::Directory {
            return Ok(Listing::default());
        }
        self.filesystem(at).read_dir(at.node).map_err(fail)
    }

    /// A regular file's bytes; `None` if there is no such file.
    pub fn read(&self, path: &[u8], limit: u64) -> Result<Option<Vec<u8>>, PathError> {
        let Some(mut reader) = self.open(path)? else { return Ok(None) };
        if reader.size > limit {
            let path = printable(path);
            return Err(PathError::TooLarge { path, size: reader.size, limit });
        }
        let mut bytes = vec![0; reader.size as usize];
        let length = reader
            .filesystem
            .read_at(reader.node, 0, &mut bytes)
            .map_err(|source| PathError::FileSystem { path: printable(path), source })?;
        bytes.truncate(length);
        reader.offset = length as u64;
        Ok(Some(bytes))
    }

    /// A regular file to be read from start to end; `None` if there is no such file.
    pub fn open(&self, path: &[u8]) -> Result<Option<FileReader>, PathError> {
        let Some(at) = self.find(path)? else { return Ok(None) };
        let fail = |source| PathError::FileSystem { path: printable(path), source };
        let metadata = self.metadata(at).map_err(fail)?;
        let filesystem = self.filesystem(at).clone();
        Ok((metadata.kind == Kind::File).then(|| FileReader {
            filesystem,
            node: at.node,
            size: metadata.size,
            offset: 0,
            chunk: Vec::new(),
            taken: 0,
        }))
    }

    /// Has the start of a file fetched into the cache; what fails will fail again for its reader.
    pub fn read_ahead(&self, path: &[u8]) {
        if let Ok(Some(at)) = self.find(path) {
            let _ = self.filesystem(at).read_ahead(at.node, READ_AHEAD);
        }
    }

    /// What `/` is.
    fn top(&self) -> Located {
        self.mounted_at(&[]).unwrap_or(Located { mount: 0, node: self.mounts[0].root })
    }

    fn filesystem(&self, at: Located) -> &Arc<dyn FileSystem> {
        &self.mounts[at.mount].filesystem
    }

    fn mounted_at(&self, path: &[&[u8]]) -> Option<Located> {
        let mount = self.mounts.iter().rposition(|mount| mount.path == path)?;
        Some(Located { mount, node: self.mounts[mount].root })
    }
}

/// One step along a path.
enum Step {
    /// There is no such name.
    Nothing,
    /// A symbolic link and its target.
    Link(Vec<u8>),
    /// Anything else.
    Node(Located),
}

/// The names of a path, without the empty ones and the dots.
fn names(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".")
}

/// Reads one file from start to end in bounded memory.
pub struct FileReader {
    filesystem: Arc<dyn FileSystem>,
    node: NodeId,
    size: u64,
    offset: u64,
    chunk: Vec<u8>,
    taken: usize,
}

impl FileReader {
    /// Size of the file as its metadata say.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Read for FileReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() {
            let left = usize::try_from(self.size.saturating_sub(self.offset)).unwrap_or(CHUNK);
            self.chunk.resize(CHUNK.min(left), 0);
            let length = self
                .filesystem
                .read_at(self.node, self.offset, &mut self.chunk)
                .map_err(io::Error::other)?;
            self.chunk.truncate(length);
            self.offset += length as u64;
            self.taken = 0;
        }
        let length = out.len().min(self.chunk.len() - self.taken);
        out[..length].copy_from_slice(&self.chunk[self.taken..self.taken + length]);
        self.taken += length;
        Ok(length)
    }
}
