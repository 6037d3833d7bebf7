//! The log as it lies on the device: a ring of sectors of 512 bytes ("basic blocks"), each of
//! which begins with the number of the turn ("cycle") in which it was written.

use crate::bytes::be32;
use crate::{Error, Superblock};
use block_source::BlockSource;
use std::ops::Range;
use std::sync::Arc;

/// Bytes in a block of the log, whatever the sectors of the device.
pub const BLOCK: u64 = 512;
/// First word of the header of a record; never a number of a turn.
pub const MAGIC: u32 = 0xfeed_babe;
/// Bytes of the live part of a log that are kept while it is replayed; of more, the two passes
/// read each record anew.
const MOST_KEPT: u64 = 256 << 20;
/// Bytes in one read of the live part.
const PIECE: u64 = 4 << 20;

/// The ring, read by block number.
pub struct Ring {
    device: Arc<dyn BlockSource>,
    start: u64,
    /// Blocks in the ring, at most 2^31.
    pub blocks: u64,
    /// The first block that is kept in memory, and the bytes from there, around the end.
    kept: Option<(u64, Vec<u8>)>,
}

impl Ring {
    /// The log inside the filesystem.
    pub fn new(device: Arc<dyn BlockSource>, superblock: &Superblock) -> Result<Self, Error> {
        let start = superblock.block_offset(superblock.log_start);
        let start = start.ok_or(Error::corrupt("start of the log", superblock.log_start))?;
        let size = u64::from(superblock.log_blocks) * superblock.block_size;
        let fits = start.checked_add(size).is_some_and(|end| end <= device.size());
        // The largest log that mkfs makes has 2 GiB less 10 MiB.
        if !fits || !(64 * BLOCK..=1 << 31).contains(&size) {
            return Err(Error::corrupt("size of the log", superblock.log_blocks));
        }
        Ok(Self { device, start, blocks: size / BLOCK, kept: None })
    }

    /// Bytes of some blocks, around the end of the ring if need be; `count` is at most the ring.
    pub fn read(&self, block: u64, count: u64) -> Result<Vec<u8>, Error> {
        let block = block % self.blocks;
        if let Some(kept) = self.kept(block, count) {
            return Ok(kept);
        }
        let mut bytes = vec![0; (count.min(self.blocks) * BLOCK) as usize];
        let before_end = ((self.blocks - block) * BLOCK).min(bytes.len() as u64) as usize;
        let (first, second) = bytes.split_at_mut(before_end);
        self.device.read_exact_at(self.start + block * BLOCK, first)?;
        if !second.is_empty() {
            self.device.read_exact_at(self.start, second)?;
        }
        Ok(bytes)
    }

    fn kept(&self, block: u64, count: u64) -> Option<Vec<u8>> {
        let (first, bytes) = self.kept.as_ref()?;
        let from = (self.distance(*first, block) * BLOCK) as usize;
        let to = from.checked_add((count * BLOCK) as usize)?;
        bytes.get(from..to).map(<[u8]>::to_vec)
    }

    /// The turn in which a block was written.
    pub fn cycle(&self, block: u64) -> Result<u32, Error> {
        Ok(cycle_of(&self.read(block, 1)?))
    }

    /// Blocks from one place forward to another, less than a whole turn.
    pub fn distance(&self, from: u64, to: u64) -> u64 {
        let (from, to) = (from % self.blocks, to % self.blocks);
        if to >= from { to - from } else { self.blocks - from + to }
    }

    /// Reads the live part of the log into memory, unless it is too large.
    pub fn keep(&mut self, tail: u64, head: u64) -> Result<(), Error> {
        let blocks = self.distance(tail, head);
        if blocks * BLOCK > MOST_KEPT {
            return Ok(());
        }
        self.announce(tail, blocks);
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < blocks * BLOCK {
            let done = bytes.len() as u64 / BLOCK;
            bytes.extend(self.read(tail + done, (blocks - done).min(PIECE / BLOCK))?);
        }
        self.kept = Some((tail, bytes));
        Ok(())
    }

    fn announce(&self, from: u64, count: u64) {
        let before_end = count.min(self.blocks - from);
        let bytes =
            |range: Range<u64>| self.start + range.start * BLOCK..self.start + range.end * BLOCK;
        self.device.will_need(&[bytes(from..from + before_end), bytes(0..count - before_end)]);
    }
}

/// The turn in which a block was written, by its first bytes.
pub fn cycle_of(block: &[u8]) -> u32 {
    match be32(block, 0) {
        MAGIC => be32(block, 4),
        cycle => cycle,
    }
}

/// Whether a block is the header of a record.
pub fn is_header(block: &[u8]) -> bool {
    be32(block, 0) == MAGIC
}
