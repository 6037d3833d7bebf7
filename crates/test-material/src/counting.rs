//! A device that counts what is read of it.

use block_source::{BlockSource, ReadError};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of the blocks that are counted, as EBS has them.
const BLOCK: u64 = 512 << 10;

/// A device and what was read of it; its clones count together.
#[derive(Clone)]
pub struct Counting {
    inner: Arc<dyn BlockSource>,
    taken: Arc<Mutex<Taken>>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Taken {
    /// Reads.
    pub reads: u64,
    /// Bytes of all of them together.
    pub bytes: u64,
    /// Where they were, in their order; those that follow one another are one.
    pub ranges: Vec<Range<u64>>,
}

impl Taken {
    /// Different blocks of 512 KiB.
    pub fn blocks(&self) -> usize {
        let blocks = |range: &Range<u64>| range.start / BLOCK..range.end.div_ceil(BLOCK);
        self.ranges.iter().flat_map(blocks).collect::<BTreeSet<_>>().len()
    }

    fn note(&mut self, range: Range<u64>) {
        self.reads += 1;
        self.bytes += range.end - range.start;
        match self.ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.ranges.push(range),
        }
    }
}

impl Counting {
    /// Nothing was read yet.
    pub fn new(inner: impl BlockSource + 'static) -> Self {
        Self { inner: Arc::new(inner), taken: Arc::default() }
    }

    /// What was read since the last call.
    pub fn take(&self) -> Taken {
        std::mem::take(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl BlockSource for Counting {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        self.inner.read_exact_at(offset, out)?;
        let range = offset..offset + out.len() as u64;
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).note(range);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_counted_once_and_over_all_clones() {
        let device = Counting::new(vec![0; 2 << 20]);
        let mut out = [0; 100];
        device.read_exact_at(BLOCK - 50, &mut out).expect("inside");
        device.clone().read_exact_at(BLOCK + 50, &mut out).expect("inside");
        device.read_exact_at(0, &mut out).expect("inside");
        assert!(device.read_exact_at(2 << 20, &mut out).is_err());
        let taken = device.take();
        assert_eq!((taken.reads, taken.bytes, taken.blocks()), (3, 300, 2));
        assert_eq!(taken.ranges, [BLOCK - 50..BLOCK + 150, 0..100]);
        assert_eq!(device.take().reads, 0);
    }
}
