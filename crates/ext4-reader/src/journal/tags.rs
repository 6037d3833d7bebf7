//! What the blocks of a transaction say: which blocks are copied, and which copies are void.
//! <https://docs.kernel.org/filesystems/ext4/journal.html#descriptor-block>

use super::superblock::{JournalSuperblock, Protection};
use crate::bytes::{be32_at, be64_at, joined};
use crate::checksum::crc32c;

pub const HEADER: usize = 12;
const UUID: usize = 16;
const TAIL: usize = 4;

/// The copy of a block in the journal.
#[derive(Debug, Clone, Copy)]
pub struct Tag {
    /// The block that it is a copy of.
    pub target: u64,
    /// The block of the journal that holds it.
    pub at: u32,
    /// The block started with the journal's magic number, which is zero in the copy.
    pub escaped: bool,
    /// As stored; 16 or 32 bits.
    pub checksum: u32,
}

impl JournalSuperblock {
    /// The tags of a descriptor block; where the copies are is filled in by the caller.
    pub fn tags(&self, block: &[u8]) -> Vec<Tag> {
        let (length, mut tags, mut at) = (self.tag_length(), Vec::new(), HEADER);
        let end = block.len() - if self.protects_blocks() { TAIL } else { 0 };
        while let Some(raw) = block.get(at..at + length).filter(|_| at + length <= end) {
            // Only the low half of the flags is ever used; old tags have a checksum in the high one.
            let (word, flags) = (be32_at(raw, 4), be32_at(raw, 4) & 0xffff);
            let high = if self.wide { be32_at(raw, 8) } else { 0 };
            let checksum = if length == 16 { be32_at(raw, 12) } else { word >> 16 };
            let target = joined(be32_at(raw, 0), high);
            tags.push(Tag { target, at: 0, escaped: flags & 0x1 != 0, checksum });
            at += length + if flags & 0x2 == 0 { UUID } else { 0 };
            if flags & 0x8 != 0 {
                break;
            }
        }
        tags
    }

    /// The blocks that a revoke block names.
    pub fn revoked(&self, block: &[u8]) -> Option<Vec<u64>> {
        let used = be32_at(block, HEADER) as usize;
        let end = block.len() - if self.protects_blocks() { TAIL } else { 0 };
        let records = block.get(HEADER + 4..used.max(HEADER + 4)).filter(|_| used <= end)?;
        Some(if self.wide {
            records.chunks_exact(8).map(|record| be64_at(record, 0)).collect()
        } else {
            records.chunks_exact(4).map(|record| u64::from(be32_at(record, 0))).collect()
        })
    }

    /// Whether the checksum at the end of a descriptor or revoke block holds.
    pub fn tail_holds(&self, block: &[u8]) -> bool {
        self.sum_holds(block, block.len() - TAIL)
    }

    /// Whether the checksum in a commit block holds.
    pub fn commit_holds(&self, block: &[u8]) -> bool {
        self.sum_holds(block, 16)
    }

    fn sum_holds(&self, block: &[u8], at: usize) -> bool {
        let Protection::Blocks { seed, .. } = self.protection else { return true };
        let (before, after) = block.split_at(at);
        let sum = [before, &[0; 4], &after[4..]].into_iter().fold(seed, crc32c);
        sum == be32_at(after, 0)
    }

    /// Whether a copy has the checksum that its tag says.
    pub fn copy_holds(&self, sequence: u32, tag: &Tag, copy: &[u8]) -> bool {
        let Protection::Blocks { seed, wide } = self.protection else { return true };
        let sum = crc32c(crc32c(seed, &sequence.to_be_bytes()), copy);
        tag.checksum == if wide { sum } else { sum & 0xffff }
    }

    /// Whether each block has a checksum.
    pub fn protects_blocks(&self) -> bool {
        matches!(self.protection, Protection::Blocks { .. })
    }
}
