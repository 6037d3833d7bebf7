//! Inodes that are made, a chunk at a time: version 5 logs only where.

use super::transaction::Item;
use crate::Superblock;
use crate::bytes::be32;
use std::ops::Range;

/// Type of the item.
pub const CREATE: u16 = 0x123f;
const LENGTH: usize = 28;

/// A chunk of inodes to be made.
pub struct Creation {
    group: u64,
    /// Blocks in the group.
    blocks: Range<u64>,
    pub generation: u32,
}

impl Creation {
    pub fn parse(item: &Item, superblock: &Superblock) -> Result<Self, &'static str> {
        let raw = item.description();
        if raw.len() != LENGTH {
            return Err("chunk of inodes with a description of an impossible length");
        }
        let (first, length) = (u64::from(be32(raw, 8)), u64::from(be32(raw, 20)));
        // The largest chunk has 64 inodes, but at least a block.
        let most = (64 / superblock.inodes_per_block).max(1);
        let fits = u64::from(be32(raw, 16)) == superblock.inode_size
            && u64::from(be32(raw, 12)) == length * superblock.inodes_per_block
            && (1..=most).contains(&length);
        if !fits || first == 0 {
            return Err("chunk of inodes of an impossible size");
        }
        let group = u64::from(be32(raw, 4));
        let blocks = first..first + length;
        let inside = superblock.group_block_offset(group, blocks.end - 1).is_some();
        if !inside {
            return Err("chunk of inodes outside its allocation group");
        }
        Ok(Self { group, blocks, generation: be32(raw, 24) })
    }

    /// Its sectors of 512 bytes on the device.
    pub fn sectors(&self, superblock: &Superblock) -> Range<u64> {
        let start = self.offset(superblock, self.blocks.start) / 512;
        start..start + (self.blocks.end - self.blocks.start) * superblock.block_size / 512
    }

    /// For each block its offset on the device and the number of its first inode.
    pub fn blocks(&self, superblock: &Superblock) -> Vec<(u64, u64)> {
        let number =
            |block| (self.group << superblock.ag_block_bits | block) * superblock.inodes_per_block;
        self.blocks.clone().map(|block| (self.offset(superblock, block), number(block))).collect()
    }

    fn offset(&self, superblock: &Superblock, block: u64) -> u64 {
        let offset = superblock.group_block_offset(self.group, block);
        offset.expect("the last block is inside the group, as parse found")
    }
}
