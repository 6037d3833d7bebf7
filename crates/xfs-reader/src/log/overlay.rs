//! The device with replayed sectors over it. What was not replayed is read from the device.

use super::fresh::FreshInodes;
use super::pages::Pages;
use crate::{Error, Superblock};
use block_source::{BlockSource, ReadError, check_bounds};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of which the overlay keeps none or all.
const SECTOR: u64 = 512;

/// A device of the same size that gives the replayed bytes.
pub struct Overlay {
    device: Arc<dyn BlockSource>,
    /// What was read of the device, during the replay only.
    pages: Pages,
    fresh: FreshInodes,
    /// Changed sectors, by their number; they come over the fresh inodes.
    sectors: BTreeMap<u64, Box<[u8; SECTOR as usize]>>,
}

impl Overlay {
    pub fn new(device: Arc<dyn BlockSource>, superblock: &Superblock) -> Self {
        let pages = Pages::new(device.clone());
        Self { device, pages, fresh: FreshInodes::new(superblock), sectors: BTreeMap::new() }
    }

    /// Bytes that were replayed.
    pub fn changed_bytes(&self) -> u64 {
        self.sectors.len() as u64 * SECTOR + self.fresh.bytes()
    }

    /// Whether a range lies inside the device.
    pub fn contains(&self, offset: u64, length: u64) -> bool {
        offset.checked_add(length).is_some_and(|end| end <= self.device.size())
    }

    /// Bytes as they are by now, of a range inside the device.
    pub fn bytes(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = self.pages.bytes(offset, length)?;
        self.lay_over(offset, &mut bytes);
        Ok(bytes)
    }

    /// Ends the replay.
    pub fn settle(mut self) -> Self {
        self.pages.clear();
        self
    }

    /// Writes what was replayed over bytes of the device.
    fn lay_over(&self, offset: u64, out: &mut [u8]) {
        self.fresh.lay_over(offset, out);
        let end = offset + out.len() as u64;
        for (number, sector) in self.sectors.range(offset / SECTOR..end.div_ceil(SECTOR)) {
            lay_over(offset, out, number * SECTOR, &sector[..]);
        }
    }

    /// Puts whole sectors over what was there, and keeps those that are other than before.
    pub fn put(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        debug_assert!(offset.is_multiple_of(SECTOR) && (bytes.len() as u64).is_multiple_of(SECTOR));
        let before = self.bytes(offset, bytes.len() as u64)?;
        let sectors = bytes.chunks_exact(SECTOR as usize).zip(before.chunks_exact(SECTOR as usize));
        for (number, (sector, before)) in (offset / SECTOR..).zip(sectors) {
            if sector != before {
                let sector = sector.try_into().expect("chunks are one sector long");
                self.sectors.insert(number, Box::new(sector));
            }
        }
        Ok(())
    }

    /// Makes inodes of a block as if they had just been made; `offset` is that of the block.
    pub fn make_inodes(&mut self, offset: u64, first: u64, generation: u32) {
        let sectors = offset / SECTOR..(offset + self.fresh.block_size()) / SECTOR;
        let changed: Vec<_> = self.sectors.range(sectors).map(|(number, _)| *number).collect();
        for number in changed {
            self.sectors.remove(&number);
        }
        self.fresh.add(offset, first, generation);
    }
}

impl BlockSource for Overlay {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size(), offset, out.len())?;
        self.device.read_exact_at(offset, out)?;
        self.lay_over(offset, out);
        Ok(())
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.device.will_need(ranges);
    }
}

/// Copies what two pieces have in common from the one that starts at `from` to the other.
pub fn lay_over(offset: u64, out: &mut [u8], from: u64, bytes: &[u8]) {
    let start = offset.max(from);
    let end = (offset + out.len() as u64).min(from + bytes.len() as u64);
    if start < end {
        let length = (end - start) as usize;
        let (to, from) = ((start - offset) as usize, (start - from) as usize);
        out[to..to + length].copy_from_slice(&bytes[from..from + length]);
    }
}
