//! Extents: which blocks of a fork are where on the device.
//! "XFS Algorithms & Data Structures", "Data Extents".

use crate::bytes::be64;
use crate::{Error, InodeNumber, Superblock};
use std::ops::Range;

/// Bytes of an extent on disk.
pub const RECORD: usize = 16;

/// Consecutive blocks of a fork that are consecutive on the device. What no run covers is a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// First block of the fork.
    pub logical: u64,
    /// Where it is, in bytes of the device.
    pub offset: u64,
    /// Length in blocks.
    pub length: u64,
    /// Whether the blocks were ever written; if not, they read as zeroes.
    pub written: bool,
}

impl Run {
    /// The run that a record tells of; none if it cannot be right.
    fn parse(record: &[u8], superblock: &Superblock) -> Option<Self> {
        let (high, low) = (be64(record, 0), be64(record, 8));
        let (logical, length) = (high << 1 >> 10, low & 0x1f_ffff);
        let first = (high & 0x1ff) << 43 | low >> 21;
        // An extent ends in the allocation group that it starts in.
        let last = first.checked_add(length.checked_sub(1)?)?;
        let offset = superblock.block_offset(first)?;
        superblock.block_offset(last)?;
        let same_group = first >> superblock.ag_block_bits == last >> superblock.ag_block_bits;
        same_group.then_some(Self { logical, offset, length, written: high >> 63 == 0 })
    }

    /// First block of the fork after the run.
    pub fn end(&self) -> u64 {
        self.logical + self.length
    }

    /// The part inside some blocks of the fork.
    pub fn within(&self, blocks: &Range<u64>, block_size: u64) -> Option<Self> {
        let start = self.logical.max(blocks.start);
        let end = self.end().min(blocks.end);
        let offset = self.offset + (start - self.logical) * block_size;
        (start < end).then(|| Self { logical: start, offset, length: end - start, ..*self })
    }

    /// The bytes of the device that hold it.
    pub fn device(&self, block_size: u64) -> Range<u64> {
        self.offset..self.offset + self.length * block_size
    }
}

/// The runs that some records tell of, which must be in order, apart, and inside `span`.
pub fn parse_all(
    records: &[u8],
    span: &Range<u64>,
    superblock: &Superblock,
    owner: InodeNumber,
) -> Result<Vec<Run>, Error> {
    let mut runs: Vec<Run> = Vec::with_capacity(records.len() / RECORD);
    for record in records.chunks_exact(RECORD) {
        let run = Run::parse(record, superblock);
        let from = runs.last().map_or(span.start, Run::end);
        match run {
            Some(run) if run.logical >= from && run.end() <= span.end => runs.push(run),
            _ => return Err(Error::corrupt("extent of inode", owner.0)),
        }
    }
    Ok(runs)
}
