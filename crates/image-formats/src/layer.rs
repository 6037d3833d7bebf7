//! What all images and the files they stand in have in common, and the count of what is written.

use block_source::{BlockSource, ReadError, check_bounds};
use std::ops::Range;
use std::sync::Arc;

/// Largest disk that is opened: 64 TiB, the largest EBS volume.
pub const MOST_BYTES: u64 = 64 << 40;
/// Tables that are read to count what is written: those of 2 TiB in usual clusters.
const MOST_COUNTED_BYTES: u64 = 256 << 20;

/// A disk, or the file that holds one.
pub trait Layer: BlockSource {
    /// Notes what is written and not a hole; `None` if that is not known or too much to count.
    fn note_written(&self, written: &mut Written) -> Option<()>;
}

/// Something to read, in use by many.
pub type Bytes = Arc<dyn Layer>;

/// The blocks of a disk in which something is written.
pub struct Written {
    block: u64,
    bits: Vec<u64>,
    blocks: u64,
    /// Added to what the layer says, when it is only a part of the disk.
    pub shift: u64,
    table_bytes: u64,
}

impl Written {
    /// Blocks of `block` bytes of `disk` in which something is written, when that can be told.
    pub fn count(disk: &dyn Layer, block: u64) -> Option<u64> {
        let blocks = Some(disk.size()).filter(|size| *size <= MOST_BYTES)?.div_ceil(block);
        let bits = vec![0; blocks.div_ceil(64) as usize];
        let mut written = Self { block, bits, blocks, shift: 0, table_bytes: 0 };
        disk.note_written(&mut written)?;
        Some(written.bits.iter().map(|word| u64::from(word.count_ones())).sum())
    }

    /// Notes a stretch; what lies outside the disk is left out.
    pub fn add(&mut self, start: u64, length: u64) {
        let start = start.saturating_add(self.shift);
        let end = start.saturating_add(length).div_ceil(self.block).min(self.blocks);
        for block in start / self.block..end {
            self.bits[(block / 64) as usize] |= 1 << (block % 64);
        }
    }

    /// Where the block ends in which the byte before `end` lies: all of it is noted.
    pub fn behind(&self, end: u64) -> u64 {
        let behind = end.saturating_add(self.shift).div_ceil(self.block).saturating_mul(self.block);
        behind - self.shift
    }

    /// Asks whether so many more bytes of tables may be read to count.
    pub fn may_read(&mut self, bytes: u64) -> Option<()> {
        self.table_bytes = self.table_bytes.checked_add(bytes)?;
        (self.table_bytes <= MOST_COUNTED_BYTES).then_some(())
    }
}

/// A part of a file, as a file of its own: a member of an archive, or a disk without its footer.
pub struct Part {
    whole: Bytes,
    start: u64,
    length: u64,
}

impl Part {
    /// `length` bytes from `start`; what lies past the end of the file fails when it is read.
    pub fn new(whole: Bytes, start: u64, length: u64) -> Self {
        Self { whole, start, length: length.min(u64::MAX - start) }
    }
}

impl BlockSource for Part {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.length, offset, out.len())?;
        self.whole.read_exact_at(self.start + offset, out)
    }

    fn will_need(&self, _: &[Range<u64>]) {}
}

impl Layer for Part {
    fn note_written(&self, written: &mut Written) -> Option<()> {
        // Only what begins where the file begins has the file's holes.
        (self.start == 0).then(|| self.whole.note_written(written))?
    }
}

/// Up to `length` bytes from `offset`, fewer only where the file ends.
pub fn read_up_to(file: &dyn BlockSource, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
    let length = length.min(file.size().saturating_sub(offset));
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(offset, &mut bytes)?;
    Ok(bytes)
}
