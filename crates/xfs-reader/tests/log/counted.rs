//! A device that counts what is read of it, and of which some bytes can be changed.

use block_source::{BlockSource, ReadError};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

pub struct Counted<D> {
    device: D,
    changed: BTreeMap<u64, u8>,
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl<D: BlockSource> Counted<D> {
    pub fn new(device: D) -> Self {
        let (reads, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { device, changed: BTreeMap::new(), reads, bytes }
    }

    pub fn change(&mut self, at: u64, bytes: &[u8]) {
        self.changed.extend((at..).zip(bytes.iter().copied()));
    }

    /// Reads, and bytes of all reads.
    pub fn count(&self) -> (u64, u64) {
        (self.reads.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

impl<D: BlockSource> BlockSource for Counted<D> {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(out.len() as u64, Ordering::Relaxed);
        self.device.read_exact_at(offset, out)?;
        for (at, byte) in self.changed.range(offset..offset + out.len() as u64) {
            out[(at - offset) as usize] = *byte;
        }
        Ok(())
    }
}
