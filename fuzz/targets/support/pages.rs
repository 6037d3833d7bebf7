//! A disk of which only some pages are told, the rest being zeroes: for formats whose smallest disk
//! is large. An input is the megabytes of the disk, whether checksums are made to hold, and then
//! for each page its number of 16 bits and its bytes.

use block_source::{BlockSource, ReadError, check_bounds};
use std::collections::BTreeMap;

pub const PAGE: usize = 4096;

/// The disk.
pub struct Pages {
    pub pages: BTreeMap<u64, [u8; PAGE]>,
    size: u64,
}

impl Pages {
    /// The disk, and whether its checksums are to hold.
    pub fn parse(bytes: &[u8]) -> Option<(Self, bool)> {
        let [megabytes, sealed, records @ ..] = bytes else { return None };
        let pages = records.as_chunks::<{ 2 + PAGE }>().0.iter().map(|record| {
            let mut page = [0; PAGE];
            page.copy_from_slice(&record[2..]);
            (u64::from(u16::from_le_bytes([record[0], record[1]])), page)
        });
        let disk = Self { pages: pages.collect(), size: u64::from(*megabytes) << 20 };
        Some((disk, sealed & 1 == 1))
    }
}

impl BlockSource for Pages {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        out.fill(0);
        let end = offset + out.len() as u64;
        for (index, page) in self.pages.range(offset / PAGE as u64..end.div_ceil(PAGE as u64)) {
            let start = index * PAGE as u64;
            let (from, to) = (offset.max(start), end.min(start + PAGE as u64));
            let part = &page[(from - start) as usize..(to - start) as usize];
            out[(from - offset) as usize..(to - offset) as usize].copy_from_slice(part);
        }
        Ok(())
    }
}
