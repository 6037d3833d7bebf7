//! The directory.
//!
//! ```text
//! "PK\1\2" made:16 needed:16 flags:16 method:16 time:32 crc:32 packed:32 size:32 name:16 extra:16
//! comment:16 disk:16 internal:16 external:32 header:32, name, extra, comment
//! ```

use crate::MOST_DIRECTORY;
use crate::archive::Archive;
use crate::bytes::{le16, le32, le64};
use crate::end::Directory;
use crate::error::{Error, corrupt};
use std::ops::Range;

const FIXED: usize = 46;
/// Bytes that are read at once; the longest entry has fewer than four times as many.
const PIECE: u64 = 64 << 10;
const ZIP64: u16 = 1;

/// What the directory says of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, with slashes.
    pub name: Vec<u8>,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes that it holds.
    pub size: u64,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) crc: u32,
    /// Where its own header is, as the archive counts.
    pub(crate) header: u64,
}

impl Entry {
    /// Whether it is not compressed.
    pub fn is_stored(&self) -> bool {
        self.method == 0
    }
}

/// The entries of an archive.
pub struct Entries<'a> {
    archive: &'a Archive,
    /// What of the directory was not read yet.
    rest: Range<u64>,
    /// Whether there is more than is read.
    is_cut: bool,
    stated: (u64, bool),
    given: u64,
    piece: Vec<u8>,
    at: usize,
    is_done: bool,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(archive: &'a Archive, directory: &Directory) -> Self {
        let Range { start, end: stop } = directory.range.clone();
        let rest = start..stop.min(start.saturating_add(MOST_DIRECTORY));
        let is_cut = rest.end < stop;
        let (piece, at) = (Vec::new(), 0);
        Self {
            archive,
            rest,
            is_cut,
            stated: directory.entries,
            given: 0,
            piece,
            at,
            is_done: false,
        }
    }

    /// Makes `length` bytes from the next entry on be there; `false` if the directory has fewer.
    fn fill(&mut self, length: usize) -> Result<bool, Error> {
        while self.piece.len() - self.at < length {
            let take = PIECE.min(self.rest.end - self.rest.start);
            if take == 0 {
                return Ok(false);
            }
            self.piece.drain(..self.at);
            self.at = 0;
            let more = self.archive.bytes(self.rest.start, take as usize)?;
            self.piece.extend(more);
            self.rest.start += take;
        }
        Ok(true)
    }

    fn entry(&mut self) -> Result<Option<Entry>, Error> {
        if !self.fill(FIXED)? {
            return self.end().map(|()| None);
        }
        let here = self.rest.start - (self.piece.len() - self.at) as u64;
        let fixed = &self.piece[self.at..];
        let length = |at| le16(fixed, at).map_or(0, usize::from);
        let (name, extra, comment) = (length(28), length(30), length(32));
        if !fixed.starts_with(b"PK\x01\x02") {
            return Err(corrupt("no entry of the directory", here));
        }
        let whole = FIXED + name + extra + comment;
        if !self.fill(whole)? {
            return Err(self
                .cut()
                .unwrap_or_else(|| corrupt("an entry longer than the directory", here)));
        }
        let bytes = &self.piece[self.at..self.at + whole];
        let entry = parse(bytes, name, extra).ok_or_else(|| corrupt("sizes of an entry", here))?;
        self.at += whole;
        self.given += 1;
        Ok(Some(entry))
    }

    /// That there is more than is read.
    fn cut(&self) -> Option<Error> {
        let what = || format!("a directory of more than {MOST_DIRECTORY} bytes");
        self.is_cut.then(|| Error::Limit { what: what() })
    }

    /// Whether all was given that there is said to be.
    fn end(&self) -> Result<(), Error> {
        if let Some(cut) = self.cut() {
            return Err(cut);
        }
        let (stated, is_whole) = self.stated;
        let differs =
            if is_whole { self.given != stated } else { self.given as u16 != stated as u16 };
        let trailing = self.piece.len() - self.at;
        if differs || trailing > 0 {
            return Err(corrupt(
                "a directory with another number of entries than it says",
                self.rest.end,
            ));
        }
        Ok(())
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = self.entry().transpose();
        self.is_done = !matches!(next, Some(Ok(_)));
        next
    }
}

fn parse(bytes: &[u8], name: usize, extra: usize) -> Option<Entry> {
    let mut entry = Entry {
        name: bytes.get(FIXED..FIXED + name)?.to_vec(),
        packed: u64::from(le32(bytes, 20)?),
        size: u64::from(le32(bytes, 24)?),
        method: le16(bytes, 10)?,
        flags: le16(bytes, 8)?,
        crc: le32(bytes, 16)?,
        header: u64::from(le32(bytes, 42)?),
    };
    let extra = bytes.get(FIXED + name..FIXED + name + extra)?;
    let numbers = [&mut entry.size, &mut entry.packed, &mut entry.header];
    let wide: Vec<_> = numbers.into_iter().filter(|number| **number == 0xffff_ffff).collect();
    if wide.is_empty() {
        return Some(entry);
    }
    // Only those that do not fit stand there, in this order.
    let field = zip64(extra)?;
    for (index, number) in wide.into_iter().enumerate() {
        *number = le64(field, index * 8)?;
    }
    Some(entry)
}

/// The field of zip64 among the extra fields.
fn zip64(mut extra: &[u8]) -> Option<&[u8]> {
    loop {
        let (kind, length) = (le16(extra, 0)?, usize::from(le16(extra, 2)?));
        let field = extra.get(4..4 + length)?;
        if kind == ZIP64 {
            return Some(field);
        }
        extra = &extra[4 + length..];
    }
}
