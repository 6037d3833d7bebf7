//! What was read of the device while its log is replayed: the same few blocks are changed again
//! and again, and inodes that are changed together lie together.

use block_source::{BlockSource, ReadError};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

const PAGE: u64 = 4096;
/// Pages that are kept, 16 MiB of them; when they become more, all are dropped.
const MOST: usize = 4096;

/// A cache over a device.
pub struct Pages {
    device: Arc<dyn BlockSource>,
    pages: HashMap<u64, Vec<u8>>,
}

impl Pages {
    pub fn new(device: Arc<dyn BlockSource>) -> Self {
        Self { device, pages: HashMap::new() }
    }

    /// Drops all that is kept.
    pub fn clear(&mut self) {
        self.pages = HashMap::new();
    }

    /// Bytes of the device, a few blocks of which all are inside it.
    pub fn bytes(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let pages = offset / PAGE..(offset + length).div_ceil(PAGE);
        self.fetch(pages.clone())?;
        let mut bytes = Vec::with_capacity(((pages.end - pages.start) * PAGE) as usize);
        for page in pages {
            bytes.extend_from_slice(&self.pages[&page]);
        }
        let start = (offset % PAGE) as usize;
        Ok(bytes[start..start + length as usize].to_vec())
    }

    /// Reads those pages that are not there, from the first to the last of them at once.
    fn fetch(&mut self, mut pages: Range<u64>) -> Result<(), ReadError> {
        if self.pages.len() >= MOST {
            self.clear();
        }
        let is_missing = |page: &u64| !self.pages.contains_key(page);
        let Some(first) = pages.find(is_missing) else { return Ok(()) };
        let last = pages.rfind(is_missing).unwrap_or(first);
        let end = ((last + 1) * PAGE).min(self.device.size());
        let mut bytes = vec![0; (end - first * PAGE) as usize];
        self.device.read_exact_at(first * PAGE, &mut bytes)?;
        let parts = bytes.chunks(PAGE as usize).map(<[u8]>::to_vec);
        self.pages.extend((first..).zip(parts));
        Ok(())
    }
}
