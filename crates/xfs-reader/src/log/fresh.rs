//! Inodes that were just made. The log tells only where: the few bytes that they have are written
//! anew for each read, so that a small log cannot make the overlay large.

use super::overlay::lay_over;
use crate::{Superblock, checksum};
use std::collections::BTreeMap;

const MAGIC: &[u8; 2] = b"IN";
const CHECKSUM: usize = 100;
/// Offsets in an inode.
mod at {
    pub const VERSION: usize = 4;
    pub const GENERATION: usize = 92;
    pub const NEXT_UNLINKED: usize = 96;
    pub const NUMBER: usize = 152;
    pub const UUID: usize = 160;
    pub const END: usize = 176;
}

/// Blocks full of fresh inodes.
pub struct FreshInodes {
    block_size: u64,
    inode_size: u64,
    version: u8,
    uuid: [u8; 16],
    /// By offset of the block: number of the first inode, and the generation of all.
    blocks: BTreeMap<u64, (u64, u32)>,
}

impl FreshInodes {
    pub fn new(superblock: &Superblock) -> Self {
        Self {
            block_size: superblock.block_size,
            inode_size: superblock.inode_size,
            version: if superblock.has_checksums() { 3 } else { 2 },
            uuid: superblock.meta_uuid,
            blocks: BTreeMap::new(),
        }
    }

    pub fn block_size(&self) -> u64 {
        self.block_size
    }

    pub fn bytes(&self) -> u64 {
        self.blocks.len() as u64 * self.block_size
    }

    pub fn add(&mut self, offset: u64, first: u64, generation: u32) {
        self.blocks.insert(offset, (first, generation));
    }

    /// Writes the inodes over the bytes that were read from `offset`.
    pub fn lay_over(&self, offset: u64, out: &mut [u8]) {
        let end = offset + out.len() as u64;
        let from = offset.saturating_sub(self.block_size - 1);
        for (block, (first, generation)) in self.blocks.range(from..end) {
            for index in 0..self.block_size / self.inode_size {
                let place = block + index * self.inode_size;
                if place < end && offset < place + self.inode_size {
                    lay_over(offset, out, place, &self.inode(first + index, *generation));
                }
            }
        }
    }

    fn inode(&self, number: u64, generation: u32) -> Vec<u8> {
        let mut inode = vec![0; self.inode_size as usize];
        inode[..2].copy_from_slice(MAGIC);
        inode[at::VERSION] = self.version;
        inode[at::GENERATION..at::NEXT_UNLINKED].copy_from_slice(&generation.to_be_bytes());
        inode[at::NEXT_UNLINKED..CHECKSUM].fill(0xff);
        if self.version >= 3 {
            inode[at::NUMBER..at::UUID].copy_from_slice(&number.to_be_bytes());
            inode[at::UUID..at::END].copy_from_slice(&self.uuid);
            let sum = checksum::checksum(&inode, CHECKSUM);
            inode[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
        }
        inode
    }
}
