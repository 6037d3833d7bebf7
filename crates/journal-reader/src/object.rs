//! Objects: eight-byte aligned, each with its type, the flag of its compression and its size.
//! <https://systemd.io/JOURNAL_FILE_FORMAT/#objects>

use crate::bytes::{le32, le64};
use crate::error::{Error, corrupt};
use crate::journal::Journal;

/// Bytes that all objects begin with.
pub const HEAD: u64 = 16;

/// The kinds that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Data = 1,
    Field = 2,
    Entry = 3,
    EntryArray = 6,
}

/// An object that lies in the file, with its fixed part.
#[derive(Debug)]
pub struct Object {
    pub at: u64,
    pub flags: u8,
    /// All of it.
    pub size: u64,
    /// Its first bytes.
    pub fixed: Vec<u8>,
}

impl Object {
    /// Bytes behind the fixed part.
    pub fn rest(&self) -> u64 {
        self.size - self.fixed.len() as u64
    }

    pub fn end_of_fixed(&self) -> u64 {
        self.at + self.fixed.len() as u64
    }
}

impl Journal {
    /// The object of a kind at an offset.
    pub(crate) fn object(&mut self, at: u64, kind: Kind) -> Result<Object, Error> {
        if !at.is_multiple_of(8) || at < self.header.length {
            return Err(corrupt("an offset where no object can be", at));
        }
        let fixed = self.fixed(kind);
        let head = self.pages.read(at, HEAD as usize)?;
        if head[0] != kind as u8 {
            return Err(corrupt("an object of another type than expected", at));
        }
        let size = le64(&head, 8);
        let fits = at.checked_add(size).is_some_and(|end| end <= self.pages.size());
        if size < fixed || !fits {
            return Err(corrupt("an object of a wrong size", at));
        }
        let bytes = self.pages.read(at, fixed as usize)?;
        Ok(Object { at, flags: head[1], size, fixed: bytes })
    }

    fn fixed(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Data if self.header.is_compact => 72,
            Kind::Data | Kind::Entry => 64,
            Kind::Field => 40,
            Kind::EntryArray => 24,
        }
    }

    /// Offsets that stand in a row, in the width of this file.
    pub(crate) fn offsets(&mut self, at: u64, count: usize) -> Result<Vec<u64>, Error> {
        let width = self.offset_width();
        let bytes = self.pages.read(at, count * width)?;
        let offset = |index| match width {
            4 => le32(&bytes, index * 4).into(),
            _ => le64(&bytes, index * 8),
        };
        Ok((0..count).map(offset).collect())
    }

    pub(crate) fn offset_width(&self) -> usize {
        if self.header.is_compact { 4 } else { 8 }
    }
}
