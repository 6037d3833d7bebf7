//! Indexes, which are trees of sorted entries: the root in the directory's record, the other nodes
//! in an attribute of clusters, a bitmap of the nodes in use:
//! <https://flatcap.github.io/linux-ntfs/ntfs/concepts/index_header.html>.

use crate::attribute::{Attribute, Body};
use crate::bytes::{u16_at, u32_at, u64_at};
use crate::error::Damage;
use crate::file::{File, FileName, FileReference};
use crate::record::kind;
use crate::runs::Run;
use crate::{Error, Ntfs, fixup};
use std::ops::Range;

/// The index of names.
pub const NAMES: [u16; 4] = [b'$' as u16, b'I' as u16, b'3' as u16, b'0' as u16];
/// The head of a node that is not the root, up to the head that all nodes have.
const HEAD: usize = 0x18;
const HAS_CHILD: u16 = 0x1;
const LAST: u16 = 0x2;
const COLLATION_OF_NAMES: u32 = 1;

/// The index of a directory.
pub struct Index {
    /// Entries of the root.
    pub root: Vec<u8>,
    /// Bytes of the other nodes.
    pub node_size: u64,
    /// Unit in which a child is told: clusters, or 512 bytes if clusters are larger than nodes.
    child_unit: u64,
    /// Where the other nodes are.
    pub runs: Vec<Run>,
    /// Bytes of the other nodes together.
    pub size: u64,
    pub directory: u64,
}

/// An entry of a node.
pub struct IndexEntry {
    /// The last entry of a node only leads to a child.
    pub named: Option<(FileName, FileReference)>,
    /// Where in the nodes the entries are that come before this one.
    pub child: Option<u64>,
}

impl Ntfs {
    /// The index of a directory. What of it cannot be found is noted as damage.
    pub(crate) fn index(&self, directory: &File, damage: &mut Damage) -> Result<Index, Error> {
        let root = directory.table.find(kind::INDEX_ROOT, &NAMES)?;
        let root = root.and_then(Attribute::resident);
        let root =
            root.ok_or(directory.corrupt("directory without the root of its index: file"))?;
        let node_size = u64::from(u32_at(root, 8));
        if !node_size.is_power_of_two() || !(512..=64 << 10).contains(&node_size) {
            return Err(directory.corrupt("bytes of an index node out of range in directory"));
        }
        if u32_at(root, 4) != COLLATION_OF_NAMES {
            return Err(directory.corrupt("index that is not of names in directory"));
        }
        let entries = root.get(0x10..).and_then(node_entries);
        let root =
            entries.ok_or(directory.corrupt("damaged root of the index of directory"))?.to_vec();
        let cluster = self.disk.boot.cluster_size;
        let child_unit = if cluster <= node_size { cluster } else { 512 };
        let (runs, size) = self.nodes(directory, damage).unwrap_or_else(|error| {
            damage.note(error);
            (Vec::new(), 0)
        });
        let directory = directory.reference.number();
        Ok(Index { root, node_size, child_unit, runs, size, directory })
    }

    fn nodes(&self, directory: &File, damage: &mut Damage) -> Result<(Vec<Run>, u64), Error> {
        let Some(nodes) = directory.table.find(kind::INDEX_ALLOCATION, &NAMES)? else {
            return Ok((Vec::new(), 0));
        };
        let Body::Clusters(clusters) = &nodes.body else {
            return Err(directory.corrupt("nodes of the index in the record of directory"));
        };
        let sizes = directory.table.sizes(clusters)?;
        let runs = directory.table.all_runs(&self.disk, &self.mft, nodes, damage);
        Ok((runs, sizes.size.min(sizes.initialized)))
    }

    pub(crate) fn index_ranges(
        &self,
        directory: &File,
        offset: u64,
        length: u64,
    ) -> Result<Vec<Range<u64>>, Error> {
        match directory.table.find(kind::INDEX_ALLOCATION, &NAMES)? {
            Some(nodes) => self.attribute_ranges(directory, nodes, offset, length),
            None => Ok(Vec::new()),
        }
    }

    /// Entries of the node that starts at an offset.
    pub(crate) fn read_node(&self, index: &Index, offset: u64) -> Result<Vec<u8>, Error> {
        if offset.checked_add(index.node_size).is_none_or(|end| end > index.size) {
            return Err(Error::corrupt("index node out of range in directory", index.directory));
        }
        let mut bytes = vec![0; index.node_size as usize];
        self.disk.read(&index.runs, offset, &mut bytes)?;
        index.open_node(offset, &mut bytes).map(<[u8]>::to_vec)
    }
}

impl Index {
    /// Entries of a node, from its bytes.
    pub fn open_node<'a>(&self, offset: u64, bytes: &'a mut [u8]) -> Result<&'a [u8], Error> {
        let corrupt = |what| Error::corrupt(what, self.directory);
        fixup::undo(bytes, *b"INDX").map_err(|_| corrupt("damaged index node of directory"))?;
        if u64_at(bytes, 0x10).checked_mul(self.child_unit) != Some(offset) {
            return Err(corrupt("index node that belongs elsewhere in directory"));
        }
        node_entries(&bytes[HEAD..]).ok_or(corrupt("index node without end in directory"))
    }

    /// The entries of a node up to the first damaged one.
    pub fn entries<'a>(&'a self, node: &'a [u8]) -> Entries<'a> {
        Entries { index: self, rest: node, ended: false }
    }
}

/// The entries after the head that all nodes have.
fn node_entries(node: &[u8]) -> Option<&[u8]> {
    let (start, end) = (u32_at(node, 0) as usize, u32_at(node, 4) as usize);
    node.get(start..end).filter(|_| start >= 0x10)
}

pub struct Entries<'a> {
    index: &'a Index,
    rest: &'a [u8],
    ended: bool,
}

impl Iterator for Entries<'_> {
    type Item = Result<IndexEntry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let length = usize::from(u16_at(self.rest, 8));
        let entry = self.rest.get(..length).filter(|entry| entry.len() >= 0x10);
        let parsed = entry.and_then(|entry| self.index.parse(entry));
        let Some((entry, last)) = parsed else {
            self.ended = true;
            let flaw = Error::corrupt("damaged index entry in directory", self.index.directory);
            return Some(Err(flaw));
        };
        self.ended = last;
        self.rest = &self.rest[length..];
        Some(Ok(entry))
    }
}

impl Index {
    /// An entry, and whether it is the last of its node.
    fn parse(&self, entry: &[u8]) -> Option<(IndexEntry, bool)> {
        let flags = u16_at(entry, 0xc);
        let child = if flags & HAS_CHILD == 0 {
            None
        } else {
            let at = entry.len().checked_sub(8).filter(|at| *at >= 0x10)?;
            Some(u64_at(entry, at).checked_mul(self.child_unit)?)
        };
        let last = flags & LAST != 0;
        let named = if last {
            None
        } else {
            let key = entry.get(0x10..0x10 + usize::from(u16_at(entry, 0xa)))?;
            Some((FileName::parse(key)?, FileReference(u64_at(entry, 0))))
        };
        Some((IndexEntry { named, child }, last))
    }
}
