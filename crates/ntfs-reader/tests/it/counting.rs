//! A device that counts what is read from it.

use block_source::{BlockSource, ReadError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone)]
pub struct Counting {
    inner: Arc<dyn BlockSource>,
    bytes: Arc<AtomicU64>,
    reads: Arc<AtomicU64>,
}

impl Counting {
    pub fn new(inner: impl BlockSource + 'static) -> Self {
        Self { inner: Arc::new(inner), bytes: Arc::default(), reads: Arc::default() }
    }

    /// Bytes read since the last call, and by how many reads.
    pub fn take(&self) -> (u64, u64) {
        (self.bytes.swap(0, Ordering::Relaxed), self.reads.swap(0, Ordering::Relaxed))
    }
}

impl BlockSource for Counting {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        self.bytes.fetch_add(out.len() as u64, Ordering::Relaxed);
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.read_exact_at(offset, out)
    }
}
