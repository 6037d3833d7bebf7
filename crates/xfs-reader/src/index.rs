//! Blocks of the index of a directory, and of the tree of attributes: a tree by hash.
//! "XFS Algorithms & Data Structures", "Dir/Attr B+trees".

use crate::block::{self, Identity};
use crate::bytes::{be16, be32};
use crate::fork::Fork;
use crate::{Error, Inode, Xfs};

pub const NODE: u16 = 0xfebe;
pub const NODE_CHECKED: u16 = 0x3ebe;
const IDENTITY: Identity = Identity { checksum: 12, place: 16, uuid: 32, owner: 48 };
const HEADER: usize = 16;
const HEADER_CHECKED: usize = 64;
const ENTRY: usize = 8;
/// The kernel makes at most five levels, of which one holds leaves.
pub const MOST_LEVELS: u16 = 5;

/// A block of the tree that is whole and where it belongs.
pub struct IndexBlock {
    pub raw: Vec<u8>,
    pub magic: u16,
    /// Its number in the fork.
    pub number: u64,
    /// The next block of the same level; 0 if there is none.
    pub next: u32,
    /// The one before.
    pub previous: u32,
    /// Offset of the numbers after what all blocks start with.
    pub info: usize,
}

/// Entries of a node: the greatest hash below a child, and the child.
pub struct IndexNode {
    pub level: u16,
    pub children: Vec<(u32, u32)>,
}

impl Xfs {
    /// The block of the tree at a block of the fork, which is as large as `length` tells.
    pub(crate) fn index_block(
        &self,
        inode: &Inode,
        fork: &Fork,
        number: u64,
        length: u64,
    ) -> Result<IndexBlock, Error> {
        let wanted = number..number + length / self.superblock.block_size;
        let runs = self.runs(fork, &wanted)?;
        let (at, raw) = self.joined(inode, &runs, &wanted)?;
        block::check(&raw, &IDENTITY, &self.superblock, at, inode.number)?;
        let info = if self.superblock.has_checksums() { IDENTITY.owner + 8 } else { 12 };
        Ok(IndexBlock {
            number,
            magic: be16(&raw, 8),
            next: be32(&raw, 0),
            previous: be32(&raw, 4),
            info,
            raw,
        })
    }

    /// Where entries start that have no header but a count.
    pub(crate) fn index_header(&self) -> usize {
        if self.superblock.has_checksums() { HEADER_CHECKED } else { HEADER }
    }
}

impl IndexBlock {
    pub fn is_node(&self) -> bool {
        let magic = if self.info == 12 { NODE } else { NODE_CHECKED };
        self.magic == magic
    }

    /// The entries of a node, which must be in order and not none.
    pub fn node(&self, header: usize, inode: &Inode) -> Result<IndexNode, Error> {
        let level = be16(&self.raw, self.info + 2);
        let children = self.pairs(header, usize::from(be16(&self.raw, self.info)));
        match children {
            Some(children) if !children.is_empty() && (1..=MOST_LEVELS).contains(&level) => {
                Ok(IndexNode { level, children })
            }
            _ => Err(Error::corrupt("index of inode", inode.number.0)),
        }
    }

    /// Pairs of a hash and a number, by hash; none if they do not fit or are in no order.
    pub fn pairs(&self, header: usize, count: usize) -> Option<Vec<(u32, u32)>> {
        let bytes = self.raw.get(header..header.checked_add(count.checked_mul(ENTRY)?)?)?;
        let pairs: Vec<_> =
            bytes.chunks_exact(ENTRY).map(|pair| (be32(pair, 0), be32(pair, 4))).collect();
        pairs.is_sorted_by_key(|pair| pair.0).then_some(pairs)
    }
}
