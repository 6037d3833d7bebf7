//! A part of a device, with the ranges in it that are known to be bad.

use block_source::{BlockSource, ReadError, check_bounds};
use std::ops::Range;
use std::sync::Arc;

/// The bytes of a device from `start` on.
pub struct Window {
    device: Arc<dyn BlockSource>,
    start: u64,
    length: u64,
    bad: Vec<Range<u64>>,
}

impl Window {
    /// `length` bytes of `device` from `start`; fewer if the device ends before.
    pub fn new(device: Arc<dyn BlockSource>, start: u64, length: u64) -> Self {
        let length = length.min(device.size().saturating_sub(start));
        Self { device, start, length, bad: Vec::new() }
    }

    /// Lets reads of these ranges, in bytes of the window, fail.
    pub fn without(mut self, bad: Vec<Range<u64>>) -> Self {
        self.bad = bad;
        self
    }
}

impl BlockSource for Window {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.length, offset, out.len())?;
        let end = offset + out.len() as u64;
        if self.bad.iter().any(|bad| bad.start < end && offset < bad.end) {
            return Err(ReadError::failed(offset, "the array notes these blocks as bad"));
        }
        self.device.read_exact_at(self.start + offset, out)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        let inside = ranges.iter().filter_map(|range| {
            let end = range.end.min(self.length);
            (range.start < end).then(|| self.start + range.start..self.start + end)
        });
        let inside: Vec<_> = inside.collect();
        self.device.will_need(&inside);
    }
}
