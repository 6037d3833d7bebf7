//! A part of a device as a device.

use block_source::{BlockSource, ReadError, check_bounds};
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a device from a start on.
pub struct Window {
    source: Arc<dyn BlockSource>,
    start: u64,
    size: u64,
}

impl Window {
    /// What of `range` the device has.
    pub fn new(source: Arc<dyn BlockSource>, range: &Range<u64>) -> Self {
        let end = range.end.min(source.size());
        let start = range.start.min(end);
        Self { source, start, size: end - start }
    }
}

impl BlockSource for Window {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        // No overflow: the window ends within the device.
        self.source.read_exact_at(self.start + offset, out)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        let inside = |range: &Range<u64>| {
            let (start, end) = (range.start.min(self.size), range.end.min(self.size));
            self.start + start..self.start + end
        };
        self.source.will_need(&ranges.iter().map(inside).collect::<Vec<_>>());
    }
}
