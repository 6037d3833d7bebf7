//! Reads of a file in pages, some of which are kept: objects of one entry stand near to one another.
//! All that is read is counted, and bounded.

use crate::error::{Error, corrupt};
use block_source::BlockSource;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of a page.
const PAGE: u64 = 4 << 10;
/// Pages that are kept.
const MOST_KEPT: usize = 64;

/// A file and the pages of it that were read lately.
pub struct Pages {
    source: Arc<dyn BlockSource>,
    kept: BTreeMap<u64, Vec<u8>>,
    left: u64,
    most: u64,
}

impl Pages {
    pub fn new(source: Arc<dyn BlockSource>, most: u64) -> Self {
        Self { source, kept: BTreeMap::new(), left: most, most }
    }

    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// `length` bytes from `at`; each page of them counts.
    pub fn read(&mut self, at: u64, length: usize) -> Result<Vec<u8>, Error> {
        let end = at.checked_add(length as u64).filter(|end| *end <= self.source.size());
        let end = end.ok_or_else(|| corrupt("something past the end of the file", at))?;
        let mut bytes = Vec::with_capacity(length.min(PAGE as usize));
        let mut next = at;
        while next < end {
            let number = next / PAGE;
            let page = self.page(number)?;
            let from = (next - number * PAGE) as usize;
            let to = page.len().min(from + (end - next) as usize);
            bytes.extend_from_slice(&page[from..to]);
            next = number * PAGE + to as u64;
        }
        Ok(bytes)
    }

    /// Counts bytes that cost as if they were read: those of whole values, again and again.
    pub fn charge(&mut self, bytes: u64) -> Result<(), Error> {
        self.left = self.left.checked_sub(bytes).ok_or(Error::Budget { most: self.most })?;
        Ok(())
    }

    fn page(&mut self, number: u64) -> Result<&[u8], Error> {
        if !self.kept.contains_key(&number) {
            let start = number * PAGE;
            let length = PAGE.min(self.source.size() - start);
            self.charge(length)?;
            let mut page = vec![0; length as usize];
            self.source.read_exact_at(start, &mut page)?;
            if self.kept.len() >= MOST_KEPT {
                self.kept.clear();
            }
            self.kept.insert(number, page);
        }
        Ok(self.kept.get(&number).map_or(&[], Vec::as_slice))
    }
}
