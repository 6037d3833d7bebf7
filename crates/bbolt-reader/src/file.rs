//! Reads of a file, all of which are counted and bounded.

use crate::error::{Error, corrupt};
use block_source::BlockSource;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the smallest read counts: else a budget of bytes would allow for too many reads.
const LEAST: u64 = 512;

/// What may be read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a value; one that has more is [`Error::TooLarge`].
    pub value: u64,
    /// Bytes of the file in all; a page counts each time that it is read, and a read as 512 bytes at least.
    /// Then comes [`Error::Budget`]. All entries of a sound file take less than four times what the
    /// file has; one that names a page from many buckets would take any number.
    pub read: u64,
}

/// A file and what is left of the bytes that may be read of it; clones share those.
#[derive(Clone)]
pub struct File {
    source: Arc<dyn BlockSource>,
    left: Arc<AtomicU64>,
    pub limits: Limits,
}

impl File {
    pub fn new(source: Arc<dyn BlockSource>, limits: Limits) -> Self {
        Self { source, left: Arc::new(AtomicU64::new(limits.read)), limits }
    }

    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// `length` bytes from `at`, which belong to `page`; callers bound the length.
    pub fn read(&self, page: u64, at: u64, length: usize) -> Result<Vec<u8>, Error> {
        let end = at.checked_add(length as u64).filter(|end| *end <= self.size());
        end.ok_or_else(|| corrupt("the file ends before it", page))?;
        self.charge(LEAST.max(length as u64))?;
        let mut bytes = vec![0; length];
        self.source.read_exact_at(at, &mut bytes).map_err(|source| Error::Read { page, source })?;
        Ok(bytes)
    }

    /// Says that these pages will be read soon.
    pub fn will_need(&self, starts: impl Iterator<Item = u64>, page_size: u64) {
        let ranges: Vec<_> = starts.map(|start| start..start.saturating_add(page_size)).collect();
        if ranges.len() > 1 {
            self.source.will_need(&ranges);
        }
    }

    fn charge(&self, bytes: u64) -> Result<(), Error> {
        let take = |left: u64| left.checked_sub(bytes);
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.map(drop).map_err(|_| Error::Budget { most: self.limits.read })
    }
}
