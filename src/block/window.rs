//! A part of a device, read as a device of its own.

use super::{BlockSource, ReadError, check_bounds};
use std::ops::Range;
use std::sync::Arc;

/// `length` bytes of a device from `offset`.
pub struct Window {
    source: Arc<dyn BlockSource>,
    offset: u64,
    length: u64,
}

impl Window {
    /// A window; what lies past the end of the device fails when it is read.
    pub fn new(source: Arc<dyn BlockSource>, offset: u64, length: u64) -> Self {
        Self { source, offset, length: length.min(u64::MAX - offset) }
    }
}

impl BlockSource for Window {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.length, offset, out.len())?;
        self.source.read_exact_at(self.offset + offset, out)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        let shifted: Vec<_> = ranges
            .iter()
            .map(|range| range.start.min(self.length)..range.end.min(self.length))
            .filter(|range| range.start < range.end)
            .map(|range| self.offset + range.start..self.offset + range.end)
            .collect();
        self.source.will_need(&shifted);
    }
}
