//! `Packages.db` of ndb (SUSE): slots that say where each header is, then the headers.
//!
//! On-disk format: `lib/backend/ndb/rpmpkg.c` of rpm,
//! <https://github.com/rpm-software-management/rpm/blob/rpm-4.20.x/lib/backend/ndb/rpmpkg.c>.
//! Numbers are little-endian. Refused: versions other than 0. A header whose checksum does not hold
//! is given all the same, as rpm does, and the doubt is told before it.

mod blob;
mod slots;

use crate::Blob;
use crate::bytes::le32;
use crate::error::{Error, corrupt, unsupported};
use block_source::BlockSource;
use slots::Slot;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

pub const MAGIC: &[u8; 4] = b"RpmP";
/// Bytes of a block, which places and sizes are counted in.
const BLOCK: u64 = 16;
/// Bytes of headers that a slow source is told of ahead.
const BYTES_AHEAD: u64 = 4 << 20;

/// An open database.
pub struct Ndb {
    source: Arc<dyn BlockSource>,
    slot_pages: u32,
}

impl Ndb {
    /// The first page: magic, version, generation, pages of slots, next number.
    pub fn open(source: Arc<dyn BlockSource>) -> Result<Self, Error> {
        let mut head = [0; slots::HEAD];
        if source.size() < head.len() as u64 {
            return Err(corrupt("file shorter than its head", source.size()));
        }
        source.read_exact_at(0, &mut head)?;
        let version = le32(&head, 4);
        if version != 0 {
            return Err(unsupported(format!("ndb of version {version}")));
        }
        let slot_pages = le32(&head, 12);
        if slot_pages == 0 {
            return Err(corrupt("number of pages of slots", 12));
        }
        Ok(Self { source, slot_pages })
    }

    pub fn headers(&self) -> Headers<'_> {
        let mut found = VecDeque::new();
        let mut slots = slots::read(&self.source, self.slot_pages, &mut found);
        // The order of the file, which is also how overlapping ones are seen.
        slots.sort_unstable_by_key(|slot| (slot.block, slot.number));
        Headers {
            database: self,
            errors: found,
            doubted: None,
            slots: slots.into_iter(),
            announced: 0,
            end: 0,
            numbers: HashSet::new(),
            known: u64::from(self.slot_pages) * slots::PAGE,
        }
    }
}

/// The headers, in the order in which they stand in the file.
pub struct Headers<'a> {
    database: &'a Ndb,
    errors: VecDeque<Error>,
    /// A header that is doubted, which was told.
    doubted: Option<Blob>,
    slots: std::vec::IntoIter<Slot>,
    /// The byte up to which the source was told what will be read.
    announced: u64,
    /// Where the header before ended.
    end: u64,
    /// Of the headers that were given.
    numbers: HashSet<u32>,
    /// The byte up to which slots say what there is.
    known: u64,
}

impl Iterator for Headers<'_> {
    type Item = Result<Blob, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.errors.pop_front() {
            return Some(Err(error));
        }
        if let Some(blob) = self.doubted.take() {
            return Some(Ok(blob));
        }
        if let Some(error) = self.check_gap() {
            return Some(Err(error));
        }
        self.announce();
        let slot = self.slots.next()?;
        self.known = self.known.max(slot.range().end);
        Some(self.blob(&slot))
    }
}

impl Headers<'_> {
    /// What is removed is overwritten: a header where no slot says that there is one was lost, or
    /// its transaction was not finished.
    fn check_gap(&mut self) -> Option<Error> {
        let source = &self.database.source;
        let next = self.slots.as_slice().first().map_or(source.size(), |slot| slot.range().start);
        let at = self.known;
        self.known = at.max(next);
        if next < at + BLOCK {
            return None;
        }
        let mut start = [0; BLOCK as usize];
        match source.read_exact_at(at, &mut start) {
            Ok(()) if blob::is_head(&start) => Some(corrupt("header that no slot names", at)),
            Ok(()) => None,
            Err(error) => Some(error.into()),
        }
    }

    fn announce(&mut self) {
        let Some(next) = self.slots.as_slice().first() else { return };
        if next.range().start < self.announced {
            return;
        }
        let until = next.range().end.saturating_add(BYTES_AHEAD);
        let ranges = self.slots.as_slice().iter().map(Slot::range);
        let ranges: Vec<_> = ranges.take_while(|range| range.start < until).collect();
        self.announced = ranges.last().map_or(until, |last| last.end);
        self.database.source.will_need(&ranges);
    }

    fn blob(&mut self, slot: &Slot) -> Result<Blob, Error> {
        let range = slot.range();
        if range.start < self.end {
            return Err(corrupt("header that overlaps the one before it", range.start));
        }
        let content = blob::read(&*self.database.source, slot)?;
        self.end = range.end;
        let blob = Blob { number: slot.number, at: range.start, bytes: content.bytes };
        let is_new = self.numbers.insert(slot.number);
        let doubt = match (content.checksum_holds, is_new) {
            (true, true) => return Ok(blob),
            (false, _) => "checksum of a header",
            (true, false) => "second header of a number",
        };
        self.doubted = Some(blob);
        Err(corrupt(doubt, range.start))
    }
}
