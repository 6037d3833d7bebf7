//! Package headers: two numbers (entries of the index, bytes of data), the index, the data.
//!
//! Format: <https://rpm-software-management.github.io/rpm/manual/format_header.html>; what a
//! database adds to it: `lib/header.c` of rpm. Numbers are big-endian. The part that came with the
//! package is a region, whose first entry points to a trailer at its end; what was added at
//! installation follows and hides entries of the region with the same tag. Headers of rpm 3 have
//! no region.

mod digest;
pub mod tag;
mod value;

pub use value::Strings;

use crate::bytes::{be32, part};
use crate::error::{Error, corrupt};
use value::Entry;

const HEAD: usize = 8;
const ENTRY: usize = 16;
/// As in rpm.
const MOST_ENTRIES: u32 = 0xffff;

/// A header, parsed as far as its index.
pub struct Header<'a> {
    index: &'a [u8],
    data: &'a [u8],
    region: Option<Region<'a>>,
}

/// What came with the package.
#[derive(Clone, Copy)]
struct Region<'a> {
    tag: u32,
    index: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// Takes the bytes of a header, which must be all of it and nothing more.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() < HEAD || bytes.len() > crate::MOST_HEADER {
            return Err(corrupt("length of a header", 0));
        }
        let (entries, length) = (be32(bytes, 0), be32(bytes, 4));
        if entries == 0 || entries > MOST_ENTRIES {
            return Err(corrupt("number of entries of a header", 0));
        }
        let data = HEAD + ENTRY * entries as usize;
        if bytes.len() as u64 != data as u64 + u64::from(length) {
            return Err(corrupt("length of a header", 4));
        }
        let mut header = Self { index: &bytes[HEAD..data], data: &bytes[data..], region: None };
        header.region = header.find_region()?;
        Ok(header)
    }

    /// The trailer of the region repeats its tag, and says how long the index before it is.
    fn find_region(&self) -> Result<Option<Region<'a>>, Error> {
        let first = self.entry(0);
        // That which a database of rpm 3 made of a header has no trailer.
        if !self.has_region() || first.offset == 0 {
            return Ok(None);
        }
        let wrong = || corrupt("region of a header", HEAD as u64);
        let trailer = part(self.data, first.offset as usize, ENTRY).ok_or_else(wrong)?;
        let length = be32(trailer, 8).cast_signed().checked_neg();
        let length = length.and_then(|length| usize::try_from(length).ok()).ok_or_else(wrong)?;
        let fits = length.is_multiple_of(ENTRY) && (ENTRY..=self.index.len()).contains(&length);
        let is_one = |kind, count| kind == value::BYTES && count as usize == ENTRY;
        let both = is_one(first.kind, first.count) && is_one(be32(trailer, 4), be32(trailer, 12));
        if !fits || !both {
            return Err(wrong());
        }
        let data = &self.data[..first.offset as usize + ENTRY];
        Ok(Some(Region { tag: first.tag, index: &self.index[..length], data }))
    }

    /// Checks the entries, also those that nothing asks for: values stand in the order of the
    /// index, one behind the other.
    pub fn check(&self) -> Result<(), Error> {
        // The region's value is its trailer, which stands behind the others.
        let first = usize::from(self.has_region());
        let mut end = 0;
        for entry in (first..self.entries()).map(|index| self.entry(index)) {
            if u64::from(entry.offset) < end {
                return Err(corrupt("values of a header that overlap", entry.at));
            }
            end = entry.end(self.data)?;
        }
        Ok(())
    }

    fn has_region(&self) -> bool {
        (tag::HEADER_IMAGE..tag::HEADER_I18N_TABLE).contains(&self.entry(0).tag)
    }

    fn entries(&self) -> usize {
        self.index.len() / ENTRY
    }

    fn entry(&self, index: usize) -> Entry {
        let at = index * ENTRY;
        let number = |field: usize| be32(self.index, at + 4 * field);
        Entry {
            tag: number(0),
            kind: number(1),
            offset: number(2),
            count: number(3),
            at: (HEAD + at) as u64,
        }
    }

    /// The last entry of a tag, which hides others.
    fn find(&self, tag: u32) -> Option<Entry> {
        let index = self.index.chunks_exact(ENTRY).rposition(|entry| be32(entry, 0) == tag)?;
        Some(self.entry(index))
    }

    /// Whether the header has a tag.
    pub fn has(&self, tag: u32) -> bool {
        self.find(tag).is_some()
    }

    /// A text; the first if the tag has several.
    pub fn text(&self, tag: u32) -> Result<Option<&'a [u8]>, Error> {
        self.find(tag).map(|entry| entry.text(self.data)).transpose()
    }

    /// All texts of a tag.
    pub fn texts(&self, tag: u32) -> Result<Option<Strings<'a>>, Error> {
        self.find(tag).map(|entry| entry.texts(self.data)).transpose()
    }

    /// The first number of a tag.
    pub fn number(&self, tag: u32) -> Result<Option<u64>, Error> {
        let numbers = self.numbers(tag)?;
        Ok(numbers.and_then(|mut numbers| numbers.next()))
    }

    /// All numbers of a tag, of whatever width.
    pub fn numbers(
        &self,
        tag: u32,
    ) -> Result<Option<impl ExactSizeIterator<Item = u64> + use<'a>>, Error> {
        self.find(tag).map(|entry| entry.numbers(self.data)).transpose()
    }

    /// The bytes of a tag.
    pub fn bytes(&self, tag: u32) -> Result<Option<&'a [u8]>, Error> {
        self.find(tag).map(|entry| entry.bytes(self.data)).transpose()
    }
}
