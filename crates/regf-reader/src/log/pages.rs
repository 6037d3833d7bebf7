//! Logs of the old format (up to Windows 8): a bitmap of dirty pages, and the pages.
//!
//! On-disk format: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md#old-format>.
//! There is no hash: that the log was written to its end is what its base block tells. A page that
//! begins a hive bin must begin the one that belongs there.

use super::{Log, Replayed};
use crate::base_block::{BIN, BaseBlock, SECTOR};
use crate::bytes::le32;
use crate::error::{Error, corrupt};

/// Bytes of a page.
const PAGE: u64 = 512;
/// Bytes of the bitmap's signature.
const SIGNATURE: u64 = 4;

/// Replays the one log that fits: that of the hive's time, else the latest of those after it.
pub fn replay(
    hive: &BaseBlock,
    written: u64,
    mut logs: Vec<Log>,
    replayed: &mut Replayed,
    problems: &mut Vec<Error>,
) {
    let written = if hive.is_sound { hive.written } else { written };
    logs.retain(|log| log.base.written >= written);
    let rank = |log: &&Log| (log.base.written == written, log.base.written);
    // Of two that fit alike it is the first, as in Windows.
    let Some(log) = logs.iter().rev().max_by_key(rank) else { return };
    match log.dirty_pages() {
        Ok(pages) => log.put_pages(pages, replayed, problems),
        Err(problem) => problems.push(problem),
    }
}

impl Log {
    /// The numbers of the dirty pages; the log holds all of them.
    fn dirty_pages(&self) -> Result<Vec<u32>, Error> {
        let mut bits = vec![0; self.bitmap_length() as usize];
        let at = SECTOR as u64;
        if at + self.bitmap_length() > self.source.size() {
            return Err(corrupt("log that is shorter than its bitmap", at));
        }
        self.source.read_exact_at(at, &mut bits)?;
        if !bits.starts_with(b"DIRT") {
            return Err(corrupt("log without a bitmap", at));
        }
        let dirty: u64 = bits[4..].iter().map(|byte| u64::from(byte.count_ones())).sum();
        if self.first_page() + PAGE * dirty > self.source.size() {
            return Err(corrupt("log that is shorter than its pages", at));
        }
        let is_dirty = |page: &u32| bits[4 + (page / 8) as usize] & 1 << (page % 8) != 0;
        Ok((0..self.base.bins / PAGE as u32).filter(is_dirty).collect())
    }

    /// Bytes of the bitmap with its signature.
    fn bitmap_length(&self) -> u64 {
        SIGNATURE + u64::from(self.base.bins) / PAGE / 8
    }

    fn first_page(&self) -> u64 {
        SECTOR as u64 + self.bitmap_length().next_multiple_of(PAGE)
    }

    fn put_pages(&self, pages: Vec<u32>, replayed: &mut Replayed, problems: &mut Vec<Error>) {
        for (at, page) in (self.first_page()..).step_by(PAGE as usize).zip(pages) {
            let put = self.check_bin(at, page).and_then(|()| {
                replayed.overlay.put(u64::from(page) * PAGE, PAGE, &self.source, at)
            });
            if let Err(problem) = put {
                problems.push(problem);
                break;
            }
            replayed.replay.bytes += PAGE;
        }
        replayed.replay.entries = 1;
        replayed.base = Some(self.base);
    }

    /// A hive bin knows where it belongs.
    fn check_bin(&self, at: u64, page: u32) -> Result<(), Error> {
        let offset = page * PAGE as u32;
        if !offset.is_multiple_of(BIN) {
            return Ok(());
        }
        let mut start = [0; 12];
        self.source.read_exact_at(at, &mut start)?;
        let is_right = le32(&start, 4) == offset && le32(&start, 8) >= BIN;
        if start.starts_with(b"hbin") && !is_right {
            return Err(corrupt("hive bin in a log that belongs elsewhere", at));
        }
        Ok(())
    }
}
