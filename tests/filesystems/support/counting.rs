//! A source that counts what is read of it.

use sidelight::block::{BlockSource, ReadError};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Bytes of the blocks that are counted, as EBS has them.
const BLOCK: u64 = 512 << 10;

/// A source and what was read of it.
pub struct Counting {
    source: Arc<dyn BlockSource>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    reads: u64,
    bytes: u64,
    blocks: BTreeSet<u64>,
}

impl Counting {
    pub fn new(source: Arc<dyn BlockSource>) -> Arc<Self> {
        Arc::new(Self { source, seen: Mutex::default() })
    }

    /// Reads, bytes and different blocks of 512 KiB so far.
    pub fn counts(&self) -> (u64, u64, usize) {
        let seen = self.seen.lock().unwrap();
        (seen.reads, seen.bytes, seen.blocks.len())
    }
}

impl BlockSource for Counting {
    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        let mut seen = self.seen.lock().unwrap();
        seen.reads += 1;
        seen.bytes += out.len() as u64;
        let end = offset.saturating_add(out.len() as u64).max(offset + 1);
        seen.blocks.extend(offset / BLOCK..end.div_ceil(BLOCK));
        drop(seen);
        self.source.read_exact_at(offset, out)
    }
}
