//! ext2, ext3 and ext4, through the crate `ext4-reader`; what it cannot read is tried through
//! `ext4-view` before it becomes an error.

mod second;

use super::{
    Entry, Error, FileSystem, FileSystemFormat, Identity, Kind, Listing, Metadata, NodeId, Recent,
    adapted,
};
use crate::block::{BlockSource, Device, ReadError};
use crate::model::GapReason;
use ext4_reader::{Ext4, Generation, Inode, InodeNumber, Journal};
use second::{Second, may_help};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

const ROOT: NodeId = NodeId(2);
/// Folders that are kept at once.
const MOST_FOLDERS: usize = 32 << 10;
/// Bytes of inode tables that are read for them.
const MOST_TABLES: u64 = 256 << 20;

/// The format.
pub struct Ext;

impl FileSystemFormat for Ext {
    fn name(&self) -> &'static str {
        "ext4"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        Ext4::claims(&*device.source)
    }

    fn claims_by_copy(&self, device: &Device) -> Result<bool, ReadError> {
        Ext4::claims_backup(&*device.source)
    }

    fn open(&self, devices: &[Device]) -> Result<Box<dyn FileSystem>, Error> {
        let device = adapted::only(devices, "ext4")?;
        let source = device.source.clone();
        let ext4 = Ext4::open(source.clone())?;
        let first = First { ext4, recent: Recent::default(), folders: RwLock::default() };
        let second = Second::new(first.ext4.device());
        Ok(Box::new(Adapter { first, second, device: source }))
    }
}

struct Adapter {
    first: First,
    second: Second,
    device: Arc<dyn BlockSource>,
}

/// `ext4-reader`, by nodes.
struct First {
    ext4: Ext4,
    recent: Recent<Inode>,
    /// The folders, while they are kept.
    folders: RwLock<HashMap<NodeId, Arc<Inode>>>,
}

impl First {
    fn inode(&self, node: NodeId) -> Result<Arc<Inode>, Error> {
        match self.folder(node) {
            Some(folder) => Ok(folder),
            None => self.recent.get(node, || Ok(self.ext4.inode(number(node)?)?)),
        }
    }

    fn folder(&self, node: NodeId) -> Option<Arc<Inode>> {
        self.folders.read().unwrap_or_else(PoisonError::into_inner).get(&node).cloned()
    }

    fn find_folders(&self) -> Vec<Range<u64>> {
        let (mut folders, mut places) = (HashMap::new(), Vec::new());
        self.ext4.directories(MOST_TABLES, &mut |inode| {
            // Only such a one is found without a further read.
            if let Some(place) = self.ext4.first_range(&inode) {
                places.push(place);
            }
            folders.insert(id(inode.number), Arc::new(inode));
            folders.len() < MOST_FOLDERS
        });
        *self.folders.write().unwrap_or_else(PoisonError::into_inner) = folders;
        places
    }

    fn forget_folders(&self) {
        *self.folders.write().unwrap_or_else(PoisonError::into_inner) = HashMap::new();
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let inode = self.inode(node)?;
        Ok(Metadata {
            kind: kind(inode.kind),
            size: inode.size,
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            modified: inode.modified.seconds,
        })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let found = self.ext4.read_dir(&*self.inode(node)?)?;
        let entry = |it: ext4_reader::Entry| Entry {
            name: it.name,
            node: id(it.inode),
            kind: it.kind.map(kind),
        };
        let entries = found.entries.into_iter().map(entry).collect();
        Ok(adapted::listing(entries, found.damage.reasons, found.damage.count))
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        Ok(self.ext4.lookup(&*self.inode(directory)?, name)?.map(id))
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        Ok(self.ext4.read_link(&*self.inode(node)?)?)
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        Ok(self.ext4.read_at(&*self.inode(node)?, offset, out)?)
    }
}

impl Adapter {
    /// The first engine's answer, or the second's where only that one knows the node or makes
    /// sense of its bytes.
    fn answer<T>(
        &self,
        node: NodeId,
        first: impl FnOnce(&First) -> Result<T, Error>,
        second: impl FnOnce(&Second) -> Option<T>,
    ) -> Result<T, Error> {
        let outcome = if Second::owns(node) { Err(unknown(node)) } else { first(&self.first) };
        outcome.or_else(|error| {
            let helped = if may_help(&error) { second(&self.second) } else { None };
            let answer = helped.ok_or(error)?;
            tracing::debug!(node = node.0, "read by the second engine");
            Ok(answer)
        })
    }
}

/// What of the journal was not replayed.
fn journal_warnings(ext4: &Ext4) -> Vec<(GapReason, String)> {
    let problems = match ext4.journal() {
        Journal::Clean => return Vec::new(),
        Journal::Replayed(replay) => &replay.problems[..],
        Journal::Unread(problem) => std::slice::from_ref(problem),
    };
    let may = if ext4.superblock().recovery_is_unknown() { "may hold" } else { "holds" };
    let warning = |problem: &ext4_reader::Error| {
        let reason = match problem {
            ext4_reader::Error::Unsupported { .. } => GapReason::Unsupported,
            ext4_reader::Error::Corrupt { .. } => GapReason::Corrupt,
            ext4_reader::Error::Read(_) => GapReason::Unreadable,
        };
        (
            reason,
            format!(
                "the journal {may} changes that were not replayed; the newest may be missing: {problem}"
            ),
        )
    };
    problems.iter().map(warning).collect()
}

/// The first engine's error about a node that only the second knows.
fn unknown(node: NodeId) -> Error {
    Error::Corrupt { what: format!("node {} is known to the second engine only", node.0) }
}

fn number(node: NodeId) -> Result<InodeNumber, Error> {
    let number = u32::try_from(node.0)
        .map_err(|_| Error::Corrupt { what: format!("inode number {}", node.0) })?;
    Ok(InodeNumber(number))
}

fn id(number: InodeNumber) -> NodeId {
    NodeId(u64::from(number.0))
}

impl FileSystem for Adapter {
    fn kind(&self) -> &'static str {
        match self.first.ext4.superblock().generation() {
            Generation::Ext2 => "ext2",
            Generation::Ext3 => "ext3",
            Generation::Ext4 => "ext4",
        }
    }

    fn identity(&self) -> Identity {
        let superblock = self.first.ext4.superblock();
        adapted::identity(&superblock.label, &superblock.uuid)
    }

    fn warnings(&self) -> Vec<(GapReason, String)> {
        let (ext4, mut warnings) = (&self.first.ext4, Vec::new());
        if let Some(block) = ext4.superblock().backup_used {
            let text = format!("damaged superblock; the backup in block {block} was used");
            warnings.push((GapReason::Corrupt, text));
            // What hit the superblock may have hit its neighbours.
            let groups = ext4.check_descriptors();
            if groups.from_backup + groups.lost > 0 {
                let (backup, lost) = (groups.from_backup, groups.lost);
                let text =
                    format!("damaged group descriptors: {backup} read from a backup, {lost} lost");
                warnings.push((GapReason::Corrupt, text));
            }
        }
        warnings.extend(adapted::missing(ext4.missing_bytes()));
        warnings.extend(journal_warnings(ext4));
        warnings.extend(ext4.superblock().was_left_in_use().then(adapted::not_unmounted));
        warnings
    }

    fn root(&self) -> NodeId {
        ROOT
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        self.answer(node, |first| first.metadata(node), |second| second.metadata(node))
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let second = |second: &Second| {
            second.read_dir(node).map(|entries| Listing { entries, damage: Vec::new() })
        };
        let mut listing = self.answer(node, |first| first.read_dir(node), second)?;
        // The second engine may read on where the first stopped, and may stop without a word: its
        // names are taken, and the damage stays told.
        if listing.damage.iter().any(may_help)
            && let Some(entries) = self.second.read_dir(node)
        {
            let known: HashSet<_> = listing.entries.iter().map(|it| it.name.clone()).collect();
            let new = entries.into_iter().filter(|entry| !known.contains(&entry.name));
            listing.entries.extend(new);
        }
        for entry in &listing.entries {
            self.second.note(node, &entry.name, entry.node);
        }
        Ok(listing)
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let first = |first: &First| first.lookup(directory, name);
        let found = self.answer(directory, first, |second| second.lookup(directory, name))?;
        if let Some(node) = found {
            self.second.note(directory, name, node);
        }
        Ok(found)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        self.answer(node, |first| first.read_link(node), |second| second.read_link(node))
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        let first = match node {
            node if Second::owns(node) => Err(unknown(node)),
            node => self.first.read_at(node, offset, out),
        };
        first.or_else(|error| {
            let helped =
                if may_help(&error) { self.second.read_at(node, offset, out) } else { None };
            helped.ok_or(error)
        })
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.device.will_need(ranges);
    }

    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.first.ext4.xattr(&*self.first.inode(node)?, name)?)
    }

    fn device_number(&self, node: NodeId) -> Result<Option<(u32, u32)>, Error> {
        Ok(self.first.inode(node)?.device())
    }

    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        Ok(self.first.ext4.ranges(&*self.first.inode(node)?, offset, length)?)
    }

    fn forget(&self, node: NodeId) {
        self.first.recent.forget(node);
    }

    fn find_folders(&self) -> Vec<Range<u64>> {
        self.first.find_folders()
    }

    fn forget_folders(&self) {
        self.first.forget_folders();
    }

    /// Of what is kept, or only the second engine knows, none.
    fn metadata_ranges(&self, nodes: &[NodeId]) -> Result<Vec<Range<u64>>, Error> {
        let places = |node: &NodeId| -> Result<_, Error> {
            Ok(self.first.ext4.inode_places(number(*node)?)?)
        };
        let unknown = nodes.iter().filter(|node| self.first.folder(**node).is_none());
        adapted::in_order(unknown.map(places))
    }
}

fn kind(kind: ext4_reader::Kind) -> Kind {
    match kind {
        ext4_reader::Kind::File => Kind::File,
        ext4_reader::Kind::Directory => Kind::Directory,
        ext4_reader::Kind::Symlink => Kind::Symlink,
        _ => Kind::Other,
    }
}

impl From<ext4_reader::Error> for Error {
    fn from(error: ext4_reader::Error) -> Self {
        match error {
            ext4_reader::Error::Read(error) => Self::Read(error),
            ext4_reader::Error::Unsupported { feature } => Self::Unsupported { feature },
            error @ ext4_reader::Error::Corrupt { .. } => Self::Corrupt { what: error.to_string() },
        }
    }
}
