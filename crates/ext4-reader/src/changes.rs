//! What fast commits changed, kept beside the device: inodes with their maps, and names.
//!
//! As the kernel does it again: an inode's record is replaced but for its map, ranges change the
//! map, names are added and taken away. Nothing of it is written into blocks, for that would need
//! blocks to write to.

use crate::extent::Run;
use crate::journal::{Change, Naming};
use crate::{Error, Ext4, Inode, InodeNumber, Kind};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// The start of the map in an inode's record, and its end.
const MAP: Range<usize> = 0x28..0x64;
/// The file blocks that a map can have.
const ALL: Range<u64> = 0..1 << 32;

/// Inodes and names that are not as the device has them.
#[derive(Default)]
pub struct Changes {
    inodes: HashMap<InodeNumber, Changed>,
    directories: HashMap<InodeNumber, Names>,
}

struct Changed {
    raw: Vec<u8>,
    runs: Arc<Vec<Run>>,
}

/// Names of a directory.
#[derive(Default)]
pub struct Names {
    /// The directory is new: it has no other names.
    pub fresh: bool,
    /// Names that were added, and (as none) names that were taken away.
    pub names: BTreeMap<Vec<u8>, Option<InodeNumber>>,
}

impl Changes {
    /// The record of an inode, and its map.
    pub fn inode(&self, number: InodeNumber) -> Option<(&[u8], Arc<Vec<Run>>)> {
        self.inodes.get(&number).map(|changed| (&changed.raw[..], changed.runs.clone()))
    }

    /// What changed in a directory.
    pub fn names(&self, directory: InodeNumber) -> Option<&Names> {
        self.directories.get(&directory)
    }

    fn set(&mut self, directory: InodeNumber, name: Vec<u8>, number: Option<InodeNumber>) {
        self.directories.entry(directory).or_default().names.insert(name, number);
    }
}

impl Ext4 {
    /// Does what a fast commit did.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), Error> {
        match change {
            Change::Inode { number, raw } => self.change_inode(number, &raw),
            Change::AddRange { number, run, written } => {
                let end = run
                    .physical
                    .checked_add(run.length)
                    .filter(|end| *end <= self.superblock.blocks);
                end.ok_or_else(|| Error::corrupt("range in a fast commit, of inode", number.0))?;
                self.change_map(
                    number,
                    run.logical..run.logical + run.length,
                    written.then_some(run),
                )
            }
            Change::DeleteRange { number, logical, length } => {
                self.change_map(number, logical..logical + length, None)
            }
            Change::Create(naming) => self.create(naming),
            Change::Link(naming) => self.link(naming),
            Change::Unlink(naming) => self.unlink(naming),
        }
    }

    fn change_inode(&mut self, number: InodeNumber, new: &[u8]) -> Result<(), Error> {
        let mut changed = self.changed(number)?;
        let length = new.len().min(changed.raw.len());
        let map = changed.raw[MAP].to_vec();
        changed.raw[..length].copy_from_slice(&new[..length]);
        let inode = Inode::parse(number, &changed.raw)?;
        // The map itself is told by ranges, but for what is kept in its place.
        if inode.uses_extents() {
            changed.raw[MAP].copy_from_slice(&map);
        }
        self.changes.inodes.insert(number, changed);
        Ok(())
    }

    fn change_map(
        &mut self,
        number: InodeNumber,
        blocks: Range<u64>,
        run: Option<Run>,
    ) -> Result<(), Error> {
        let mut changed = self.changed(number)?;
        let outside = [0..blocks.start, blocks.end..u64::MAX];
        let kept =
            outside.iter().flat_map(|part| changed.runs.iter().filter_map(|run| run.within(part)));
        let mut runs: Vec<Run> = kept.chain(run).collect();
        runs.sort_by_key(|run| run.logical);
        changed.runs = Arc::new(runs);
        self.changes.inodes.insert(number, changed);
        Ok(())
    }

    /// An inode as it is by now. What its slot held before it was made may make no sense.
    fn changed(&mut self, number: InodeNumber) -> Result<Changed, Error> {
        if let Some(changed) = self.changes.inodes.remove(&number) {
            return Ok(changed);
        }
        let range = self.inode_range(number)?;
        let mut raw = vec![0; (range.end - range.start) as usize];
        self.device.read_exact_at(range.start, &mut raw)?;
        let inode = Inode::parse(number, &raw).ok().filter(|inode| !inode.is_inline());
        let with_map = inode
            .filter(|inode| matches!(inode.kind, Kind::File | Kind::Directory | Kind::Symlink));
        let runs = with_map.and_then(|inode| self.block_runs(&inode, &ALL).ok());
        Ok(Changed { raw, runs: Arc::new(runs.unwrap_or_default()) })
    }

    fn create(&mut self, naming: Naming) -> Result<(), Error> {
        if self.inode(naming.number)?.kind == Kind::Directory {
            let fresh = Names { fresh: true, names: BTreeMap::new() };
            self.changes.directories.insert(naming.number, fresh);
        }
        self.link(naming)
    }

    /// A name that is there already was written before the host stopped.
    fn link(&mut self, naming: Naming) -> Result<(), Error> {
        let parent = self.inode(naming.parent)?;
        if self.lookup(&parent, &naming.name)?.is_none() {
            self.changes.set(naming.parent, naming.name, Some(naming.number));
        }
        Ok(())
    }

    fn unlink(&mut self, naming: Naming) -> Result<(), Error> {
        let parent = self.inode(naming.parent)?;
        if self.lookup(&parent, &naming.name)? == Some(naming.number) {
            self.changes.set(naming.parent, naming.name, None);
        }
        Ok(())
    }
}
