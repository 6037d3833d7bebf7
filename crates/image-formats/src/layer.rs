//! What all images and the files they stand in have in common, the count of what is written, and what of it
//! is not there.

use crate::error::Error;
use block_source::{BlockSource, ReadError, check_bounds};
use std::ops::Range;
use std::sync::Arc;

/// Largest disk that is opened: 64 TiB, the largest EBS volume.
pub const MOST_BYTES: u64 = 64 << 40;
/// Tables that are read to count what is written: those of 2 TiB in usual clusters.
const MOST_COUNTED_BYTES: u64 = 256 << 20;

/// A disk, or the file that holds one.
pub trait Layer: BlockSource {
    /// Notes what is written and not a hole, and what of it is not there; `None` if that is not known or too
    /// much to count.
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
    missing: Vec<String>,
    lost: u64,
}

/// What the tables of an image tell of its disk.
pub struct Contents {
    /// Blocks in which something is written, if that can be told.
    pub written: Option<u64>,
    /// What of the disk is known not to be there, in words.
    pub missing: Vec<String>,
}

impl Written {
    /// Counts the blocks of `block` bytes of `disk` in which something is written.
    pub fn count(disk: &dyn Layer, block: u64) -> Contents {
        let blocks = disk.size().min(MOST_BYTES).div_ceil(block);
        let bits = vec![0; blocks.div_ceil(64) as usize];
        let (table_bytes, missing) = (0, Vec::new());
        let mut written = Self { block, bits, blocks, shift: 0, table_bytes, missing, lost: 0 };
        let counted = disk.note_written(&mut written).filter(|()| disk.size() <= MOST_BYTES);
        let Self { bits, mut missing, lost, .. } = written;
        if lost > 0 {
            missing.push(format!("{lost} bytes of the disk are past the end of the image"));
        }
        let blocks = || bits.iter().map(|word| u64::from(word.count_ones())).sum();
        Contents { written: counted.map(|()| blocks()), missing }
    }

    /// Notes that something is not there.
    pub fn missing(&mut self, what: String) {
        self.missing.push(what);
    }

    /// Notes `length` bytes of the disk that should be in a file, of which the last is before `end`, as lost if
    /// the file ends before.
    pub fn needs(&mut self, file: &dyn BlockSource, end: Option<u64>, length: u64) {
        if end.is_none_or(|end| end > file.size()) {
            self.lost = self.lost.saturating_add(length);
        }
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
        let end = self.start.saturating_add(self.length);
        let cut = end.saturating_sub(self.whole.size()).min(self.length);
        written.needs(&*self.whole, Some(end), cut);
        // Only what begins where the file begins has the file's holes.
        (self.start == 0).then(|| self.whole.note_written(written))?
    }
}

/// A part of a disk that could not be opened.
pub struct Missing {
    size: u64,
    why: String,
}

impl Missing {
    /// So many bytes, each of which fails when it is read.
    pub fn new(size: u64, why: &Error) -> Self {
        Self { size, why: why.to_string() }
    }
}

impl BlockSource for Missing {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, _: &mut [u8]) -> Result<(), ReadError> {
        Err(ReadError::failed(offset, self.why.clone()))
    }
}

impl Layer for Missing {
    fn note_written(&self, written: &mut Written) -> Option<()> {
        written.missing(self.why.clone());
        None
    }
}

/// A disk of which only the beginning is there.
pub struct Torn {
    beginning: Bytes,
    why: String,
}

impl Torn {
    /// What came before `why`.
    pub fn new(beginning: Bytes, why: &Error) -> Self {
        Self { beginning, why: why.to_string() }
    }
}

impl BlockSource for Torn {
    fn size(&self) -> u64 {
        self.beginning.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        self.beginning.read_exact_at(offset, out)
    }
}

impl Layer for Torn {
    fn note_written(&self, written: &mut Written) -> Option<()> {
        written.missing(format!("only the first {} bytes are there: {}", self.size(), self.why));
        self.beginning.note_written(written)
    }
}

/// Up to `length` bytes from `offset`, fewer only where the file ends.
pub fn read_up_to(file: &dyn BlockSource, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
    let length = length.min(file.size().saturating_sub(offset));
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(offset, &mut bytes)?;
    Ok(bytes)
}
