//! Reads of a file in pieces, of which the last one is kept: most that is read stands near to what
//! was read before.

use crate::error::{Error, corrupt};
use block_source::BlockSource;
use std::sync::Arc;

/// Bytes that are read at once where the places follow one another, and where they do not.
const MOST: u64 = 64 << 10;
const LEAST: u64 = 4 << 10;

/// A file and its piece that was read last.
pub struct Window {
    source: Arc<dyn BlockSource>,
    start: u64,
    kept: Vec<u8>,
    piece: u64,
}

impl Window {
    pub fn new(source: Arc<dyn BlockSource>) -> Self {
        Self { source, start: 0, kept: Vec::new(), piece: LEAST }
    }

    /// `length` bytes from `at`, which must be few.
    pub fn read(&mut self, at: u64, length: usize) -> Result<&[u8], Error> {
        let end = at.checked_add(length as u64).filter(|end| *end <= self.source.size());
        let end = end.ok_or_else(|| corrupt("something past the end of the file", at))?;
        if at < self.start || end > self.start + self.kept.len() as u64 {
            self.fill(at, length)?;
        }
        let from = (at - self.start) as usize;
        Ok(&self.kept[from..from + length])
    }

    /// Reads a piece; where that fails, only what is wanted of it.
    fn fill(&mut self, at: u64, length: usize) -> Result<(), Error> {
        let follows = at == self.start + self.kept.len() as u64;
        self.piece = if follows { MOST.min(2 * self.piece) } else { LEAST };
        let piece = self.piece.min(self.source.size() - at).max(length as u64) as usize;
        let read = self.fill_exactly(at, piece);
        if read.is_err() && piece > length {
            return self.fill_exactly(at, length);
        }
        read
    }

    fn fill_exactly(&mut self, at: u64, length: usize) -> Result<(), Error> {
        self.kept.resize(length, 0);
        self.start = at;
        let read = self.source.read_exact_at(at, &mut self.kept);
        if read.is_err() {
            self.kept.clear();
        }
        Ok(read?)
    }
}

/// All of a longer range, which the file must have.
pub fn read_range(source: &dyn BlockSource, at: u64, length: usize) -> Result<Vec<u8>, Error> {
    let end = at.checked_add(length as u64).filter(|end| *end <= source.size());
    end.ok_or_else(|| corrupt("something past the end of the file", at))?;
    let mut bytes = Vec::new();
    // A file may have holes that are larger than memory: it grows as the bytes come.
    while bytes.len() < length {
        let start = bytes.len();
        bytes.resize(length.min(start + (4 << 20)), 0);
        source.read_exact_at(at + start as u64, &mut bytes[start..])?;
    }
    Ok(bytes)
}
