//! Entries, and the lists of those that have a value.
//!
//! A value names its first entry and a chain of arrays, each larger than the one before, that name
//! the others in the order in which they were written.

use crate::bytes::{array, le64};
use crate::data::Value;
use crate::error::{Error, corrupt};
use crate::journal::Journal;
use crate::object::{Kind, Object};

/// Fields of one entry that are looked at; systemd takes 1024.
const MOST_FIELDS: u64 = 4096;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number among all of its machine's.
    pub number: u64,
    /// When it was written, in microseconds since 1970.
    pub time: u64,
    /// The same in microseconds since its boot.
    pub since_boot: u64,
    /// The boot it is of.
    pub boot: [u8; 16],
    values: Vec<u64>,
}

/// Places of entries in the order asked for, and what kept it from being all that were wanted.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// The places, for [`Journal::entry`].
    pub places: Vec<u64>,
    /// Why there may be more.
    pub problem: Option<Error>,
}

/// An array of entries, of which so many are in use.
struct Part {
    at: u64,
    count: u64,
}

impl Journal {
    /// The entry at a place.
    pub fn entry(&mut self, place: u64) -> Result<Entry, Error> {
        let object = self.object(place, Kind::Entry)?;
        // Compact files have the offset of each value, others its hash too.
        let (bytes, numbers) = if self.header.is_compact { (4, 1) } else { (16, 2) };
        let count = object.rest() / bytes;
        if count > MOST_FIELDS {
            return Err(corrupt("an entry of too many fields", place));
        }
        let offsets = self.offsets(object.end_of_fixed(), count as usize * numbers)?;
        Ok(Entry {
            number: le64(&object.fixed, 16),
            time: le64(&object.fixed, 24),
            since_boot: le64(&object.fixed, 32),
            boot: array(&object.fixed, 40),
            values: offsets.into_iter().step_by(numbers).filter(|at| *at != 0).collect(),
        })
    }

    /// The first value of a field in an entry, without the field's name. One that cannot be read may
    /// have been it, so it is told where no other is.
    pub fn field(&mut self, entry: &Entry, field: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut problem = None;
        for at in &entry.values {
            match self.of_field(*at, field) {
                Ok(Some(value)) => return Ok(Some(value)),
                Ok(None) => {}
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        problem.map_or(Ok(None), Err)
    }

    /// All that an entry has, each as `FIELD=value`.
    pub fn fields(&mut self, entry: &Entry) -> Result<Vec<Vec<u8>>, Error> {
        let text = |at: &u64| {
            let object = self.object(*at, Kind::Data)?;
            self.payload(&object)
        };
        entry.values.iter().map(text).collect()
    }

    /// At most so many entries that have a value, those written first.
    pub fn oldest(&mut self, value: &Value, most: usize) -> Entries {
        let (parts, problem) = self.parts(value, most as u64);
        let mut found = Entries { places: first_of(value), problem };
        for part in parts {
            let count = part.count.min(most.saturating_sub(found.places.len()) as u64);
            self.add_entries(part.at, count, &mut found);
        }
        found.places.truncate(most);
        found
    }

    /// At most so many entries that have a value, the newest first.
    pub fn newest(&mut self, value: &Value, most: usize) -> Entries {
        let (parts, problem) = self.parts(value, u64::MAX);
        let mut found = Entries { places: Vec::new(), problem };
        for part in parts.iter().rev() {
            let count = part.count.min(most.saturating_sub(found.places.len()) as u64);
            let skipped = (part.count - count) * self.offset_width() as u64;
            let known = found.places.len();
            self.add_entries(part.at + skipped, count, &mut found);
            found.places[known..].reverse();
        }
        found.places.extend(first_of(value));
        found.places.truncate(most);
        found
    }

    /// Adds what stands in an array; what was not written yet is zero.
    fn add_entries(&mut self, at: u64, count: u64, found: &mut Entries) {
        match self.offsets(at, count as usize) {
            Ok(places) => found.places.extend(places.into_iter().filter(|place| *place != 0)),
            Err(error) => found.problem = found.problem.take().or(Some(error)),
        }
    }

    /// The arrays that have the first entries behind the very first, and what ended their chain early.
    fn parts(&mut self, value: &Value, wanted: u64) -> (Vec<Part>, Option<Error>) {
        let mut parts = Vec::new();
        let mut left = value.entries.saturating_sub(1);
        let enough = left.saturating_sub(wanted);
        let mut at = value.entry_array;
        while at != 0 && left > enough {
            let next = match self.object(at, Kind::EntryArray) {
                Ok(array) => self.part(&array, &mut left, &mut parts),
                Err(error) => return (parts, Some(error)),
            };
            // Arrays are added at the end of the file, so that their chain ends.
            if next != 0 && next <= at {
                return (parts, Some(corrupt("a list of entries that turns back", at)));
            }
            at = next;
        }
        (parts, None)
    }

    /// Adds an array; where the next is.
    fn part(&self, array: &Object, left: &mut u64, parts: &mut Vec<Part>) -> u64 {
        let count = (array.rest() / self.offset_width() as u64).min(*left);
        *left -= count;
        parts.push(Part { at: array.end_of_fixed(), count });
        le64(&array.fixed, 16)
    }
}

fn first_of(value: &Value) -> Vec<u64> {
    Some(value.first_entry).filter(|place| *place != 0).into_iter().collect()
}
