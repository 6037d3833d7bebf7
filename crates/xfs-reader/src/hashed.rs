//! Lookup through the index of a directory.
//! "XFS Algorithms & Data Structures", "Leaf Directories" and "Node Directories".
//!
//! An index only ever saves reads: with any doubt about it the answer is [`Verdict::Unsure`], and
//! the caller reads the whole directory.

use crate::bytes::be16;
use crate::directory::{EntryBlock, INDEX_START};
use crate::fork::Form;
use crate::index::IndexBlock;
use crate::name_hash::name_hash;
use crate::{Error, Inode, InodeNumber, Xfs};

/// What an index says of a name.
pub enum Verdict {
    Found(InodeNumber),
    Absent,
    Unsure,
}

/// A leaf that is the whole index, and one of several.
const LEAF_ONLY: u16 = 0xd2f1;
const LEAF: u16 = 0xd2ff;
const LEAF_ONLY_CHECKED: u16 = 0x3df1;
const LEAF_CHECKED: u16 = 0x3dff;
/// Leaves that names of one hash may fill; thousands of names must collide to pass this.
const MOST_LEAVES: u32 = 64;
/// Addresses of entries count units of eight bytes.
const UNIT: u64 = 8;

impl Xfs {
    /// Looks a name up through the index of a directory, if it has one.
    pub(crate) fn ask_index(&self, directory: &Inode, name: &[u8]) -> Result<Verdict, Error> {
        let one_block = directory.size <= self.superblock.directory_block_size;
        if directory.data.form == Form::Local || one_block {
            return Ok(Verdict::Unsure);
        }
        let hash = name_hash(name);
        let mut leaf = self.first_leaf(directory, hash)?;
        let mut known = None;
        for _ in 0..MOST_LEAVES {
            let pairs = self.leaf_pairs(directory, &leaf)?;
            let from = pairs.partition_point(|pair| pair.0 < hash);
            for (_, address) in pairs[from..].iter().take_while(|pair| pair.0 == hash) {
                if let Some(number) = self.named(directory, *address, name, &mut known)? {
                    return Ok(Verdict::Found(number));
                }
            }
            let goes_on = pairs.last().is_none_or(|pair| pair.0 <= hash);
            if leaf.next == 0 || !goes_on {
                return Ok(if self.index_may_deny() { Verdict::Absent } else { Verdict::Unsure });
            }
            leaf = self.next_leaf(directory, &leaf)?;
        }
        Ok(Verdict::Unsure)
    }

    /// The first leaf that may hold a hash.
    fn first_leaf(&self, directory: &Inode, hash: u32) -> Result<IndexBlock, Error> {
        let mut number = INDEX_START / self.superblock.block_size;
        let mut below = None;
        loop {
            let block = self.directory_index(directory, number)?;
            if !block.is_node() {
                let bottom = below.is_none_or(|level| level == 1);
                return if bottom { Ok(block) } else { Err(corrupt(directory)) };
            }
            let node = block.node(self.index_header(), directory)?;
            if below.is_some_and(|level| node.level + 1 != level) {
                return Err(corrupt(directory));
            }
            below = Some(node.level);
            let at = node.children.partition_point(|child| child.0 < hash);
            number = u64::from(node.children[at.min(node.children.len() - 1)].1);
        }
    }

    fn next_leaf(&self, directory: &Inode, leaf: &IndexBlock) -> Result<IndexBlock, Error> {
        let next = self.directory_index(directory, u64::from(leaf.next))?;
        if u64::from(next.previous) == leaf.number { Ok(next) } else { Err(corrupt(directory)) }
    }

    fn directory_index(&self, directory: &Inode, number: u64) -> Result<IndexBlock, Error> {
        let length = self.superblock.directory_block_size;
        self.index_block(directory, &directory.data, number, length)
    }

    /// Hashes and addresses of a leaf, by hash.
    fn leaf_pairs(&self, directory: &Inode, leaf: &IndexBlock) -> Result<Vec<(u32, u32)>, Error> {
        let modern = self.superblock.has_checksums();
        let is_leaf = match leaf.magic {
            LEAF_ONLY | LEAF => !modern,
            LEAF_ONLY_CHECKED | LEAF_CHECKED => modern,
            _ => false,
        };
        let count = usize::from(be16(&leaf.raw, leaf.info));
        let pairs = if is_leaf { leaf.pairs(self.index_header(), count) } else { None };
        pairs.ok_or_else(|| corrupt(directory))
    }

    /// The inode of the entry at an address, if it has this name. `known` is the block that was
    /// read last.
    fn named(
        &self,
        directory: &Inode,
        address: u32,
        name: &[u8],
        known: &mut Option<EntryBlock>,
    ) -> Result<Option<InodeNumber>, Error> {
        // Entries that were removed leave an address of zero.
        if address == 0 {
            return Ok(None);
        }
        let size = self.superblock.directory_block_size;
        let (number, at) = (u64::from(address) * UNIT / size, u64::from(address) * UNIT % size);
        if known.as_ref().is_none_or(|block| block.number != number) {
            *known = Some(self.entry_block(directory, number)?);
        }
        let block = known.as_ref().ok_or_else(|| corrupt(directory))?;
        let layout = self.layout(directory, block)?;
        match layout.record(&block.bytes, at as usize) {
            Ok((Some(record), _)) if at as usize >= layout.start => {
                Ok((record.name == name).then_some(InodeNumber(record.inode)))
            }
            _ => Err(corrupt(directory)),
        }
    }

    fn entry_block(&self, directory: &Inode, number: u64) -> Result<EntryBlock, Error> {
        let each = self.superblock.directory_block_size / self.superblock.block_size;
        let wanted = number * each..(number + 1) * each;
        let runs = self.runs(&directory.data, &wanted)?;
        let (at, bytes) = self.joined(directory, &runs, &wanted)?;
        let block = EntryBlock { at, bytes, number };
        if self.is_sound(&block) { Ok(block) } else { Err(corrupt(directory)) }
    }
}

fn corrupt(directory: &Inode) -> Error {
    Error::corrupt("index of directory inode", directory.number.0)
}
