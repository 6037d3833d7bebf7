//! One executable, whatever its format.

use crate::error::{Error, corrupt};
use crate::fields::Numbers;
use block_source::{BlockSource, check_bounds};
use std::ops::Range;
use std::sync::Arc;

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Linux and most others.
    Elf,
    /// Windows.
    Pe,
    /// Apple.
    MachO,
}

/// A section or a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name, empty for a segment without one.
    pub name: String,
    /// Where it is loaded.
    pub address: u64,
    /// Where it is in the executable.
    pub offset: u64,
    /// Bytes that it has there.
    pub size: u64,
    /// Whether it holds data that the program may write.
    pub is_writable: bool,
}

/// An executable whose headers were read.
pub struct Executable {
    pub(crate) source: Arc<dyn BlockSource>,
    /// Where it is in the file.
    pub(crate) place: Range<u64>,
    pub(crate) format: Format,
    pub(crate) numbers: Numbers,
    pub(crate) sections: Vec<Part>,
    pub(crate) segments: Vec<Part>,
    pub(crate) problems: Vec<Error>,
    pub(crate) is_packed: bool,
}

impl Executable {
    /// Its format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Bytes of it.
    pub fn size(&self) -> u64 {
        self.place.end - self.place.start
    }

    /// Its sections, in the order of their table.
    pub fn sections(&self) -> &[Part] {
        &self.sections
    }

    /// What of it is loaded, in the order of its table.
    pub fn segments(&self) -> &[Part] {
        &self.segments
    }

    /// What of its tables could not be read.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }

    /// Whether UPX packed it, so that its own content is not there to be read.
    pub fn is_packed(&self) -> bool {
        self.is_packed
    }

    /// The first section of this name.
    pub fn section(&self, name: &str) -> Option<&Part> {
        self.sections.iter().find(|part| part.name == name)
    }

    /// A number of a program of this kind, as its bytes are ordered.
    pub fn number(&self, bytes: &[u8]) -> u64 {
        self.numbers.number(bytes, 0, bytes.len().min(8)).unwrap_or(0)
    }

    /// `length` bytes of it from an offset; that it does not have them is damage.
    pub fn bytes(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        if check_bounds(self.size(), offset, length).is_err() {
            return Err(corrupt("bytes outside of the executable", offset));
        }
        let mut bytes = vec![0; length];
        self.source.read_exact_at(self.place.start + offset, &mut bytes)?;
        Ok(bytes)
    }

    /// Says that these bytes will be read soon.
    pub fn will_need(&self, range: &Range<u64>) {
        let place = |at: u64| self.place.start.saturating_add(at).min(self.place.end);
        self.source.will_need(std::slice::from_ref(&(place(range.start)..place(range.end))));
    }

    /// Where the bytes of an address are, and how many follow them that are loaded together.
    pub fn find(&self, address: u64) -> Option<Range<u64>> {
        // A section that is not loaded has the address zero.
        let loaded = self.sections.iter().filter(|part| part.address != 0);
        let parts = self.segments.iter().chain(loaded);
        let mut inside = parts.filter_map(|part| {
            let into = address.checked_sub(part.address).filter(|into| *into < part.size)?;
            let end = part.offset.checked_add(part.size)?.min(self.size());
            let start = part.offset.checked_add(into)?;
            (start < end).then_some(start..end)
        });
        inside.next()
    }

    /// `length` bytes from an address.
    pub fn at_address(&self, address: u64, length: usize) -> Result<Vec<u8>, Error> {
        let range = self.find(address).filter(|range| length as u64 <= range.end - range.start);
        let range = range.ok_or_else(|| corrupt("an address that is not loaded", address))?;
        self.bytes(range.start, length)
    }
}
