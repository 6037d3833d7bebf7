//! An archive.

use crate::data;
use crate::end::{End, FIRST};
use crate::entries::{Entries, Entry};
use crate::error::{Error, corrupt};
use crate::window::Window;
use block_source::BlockSource;
use std::ops::Range;
use std::sync::Arc;

const LOCAL: u64 = 30;

/// An archive whose directory was found.
pub struct Archive {
    source: Arc<dyn BlockSource>,
    end: End,
}

impl Archive {
    /// Finds the directory; [`Error::NotZip`] if nothing looks like an archive.
    pub fn open(source: Arc<dyn BlockSource>) -> Result<Self, Error> {
        let end = End::find(&*source)?;
        Ok(Self { source, end })
    }

    /// Bytes of the whole device.
    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// All entries in the order of the directory; after an error there are no more.
    pub fn entries(&self) -> Entries<'_> {
        Entries::new(self, &self.end.directory)
    }

    /// What an entry holds, at most `most` bytes.
    pub fn read(&self, entry: &Entry, most: u64) -> Result<Vec<u8>, Error> {
        data::check(entry, most)?;
        let range = self.packed(entry)?;
        data::read(&*self.source, entry, range)
    }

    /// Says that these entries will be read soon: of archives that are stored, the ends.
    pub fn will_need<'a>(&self, entries: impl Iterator<Item = &'a Entry>) {
        let ranges: Vec<_> = entries.flat_map(|entry| self.parts(entry)).collect();
        self.source.will_need(&ranges);
    }

    /// Where an entry's header is, and about what of it is read first.
    fn parts(&self, entry: &Entry) -> [Range<u64>; 2] {
        let start = entry.header.saturating_add(self.end.directory.before);
        let data = start.saturating_add(LOCAL + entry.name.len() as u64);
        let end = data.saturating_add(entry.packed);
        let first = if entry.is_stored() { end.saturating_sub(FIRST) } else { data };
        [start..data, first.max(data)..end.min(first.saturating_add(2 * FIRST))]
    }

    /// What an entry holds as a device, if it is stored and so needs no memory.
    pub fn stored(&self, entry: &Entry) -> Result<Option<Window>, Error> {
        if !entry.is_stored() {
            return Ok(None);
        }
        data::check(entry, u64::MAX)?;
        let range = self.packed(entry)?;
        Ok(Some(Window::new(self.source.clone(), &range)))
    }

    /// Where the packed bytes of an entry are: behind its local header, whose names and extra fields
    /// may differ from those of the directory.
    fn packed(&self, entry: &Entry) -> Result<Range<u64>, Error> {
        let at = entry.header.saturating_add(self.end.directory.before);
        let mut local = [0; LOCAL as usize];
        if at.saturating_add(LOCAL) > self.size() {
            return Err(corrupt("an entry outside of the archive", at));
        }
        self.source.read_exact_at(at, &mut local)?;
        if !local.starts_with(b"PK\x03\x04") {
            return Err(corrupt("no header of an entry", at));
        }
        let length = |field: usize| u64::from(u16::from_le_bytes([local[field], local[field + 1]]));
        let start = at + LOCAL + length(26) + length(28);
        let end = start.checked_add(entry.packed).filter(|end| *end <= self.size());
        end.map(|end| start..end).ok_or_else(|| corrupt("an entry longer than the archive", at))
    }

    /// Bytes of the device, from what was read of its end if they are there.
    pub(crate) fn bytes(&self, at: u64, length: usize) -> Result<Vec<u8>, Error> {
        if let Some(bytes) = self.end.tail.part(at, length) {
            return Ok(bytes.to_vec());
        }
        let mut bytes = vec![0; length];
        self.source.read_exact_at(at, &mut bytes)?;
        Ok(bytes)
    }
}
