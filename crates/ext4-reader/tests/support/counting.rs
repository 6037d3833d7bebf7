//! A device that counts the bytes that are read from it.

use block_source::{BlockSource, ReadError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone)]
pub struct Counting {
    inner: Arc<dyn BlockSource>,
    bytes: Arc<AtomicU64>,
}

impl Counting {
    pub fn new(inner: impl BlockSource + 'static) -> Self {
        Self { inner: Arc::new(inner), bytes: Arc::default() }
    }

    /// Bytes read since the last call.
    pub fn take(&self) -> u64 {
        self.bytes.swap(0, Ordering::Relaxed)
    }
}

impl BlockSource for Counting {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        self.bytes.fetch_add(out.len() as u64, Ordering::Relaxed);
        self.inner.read_exact_at(offset, out)
    }
}
