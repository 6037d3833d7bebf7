//! Directories that fit their inode.
//! "XFS Algorithms & Data Structures", "Short Form Directories".

use crate::bytes::{be32, be64};
use crate::dirent::{Flaw, Record, is_name, kind};

/// The entries of a short directory. Ends after [`Flaw::Length`].
pub struct ShortForm<'a> {
    bytes: &'a [u8],
    at: usize,
    left: u8,
    number: usize,
    file_types: bool,
}

impl<'a> ShortForm<'a> {
    /// The header holds the parent's number, of the same width as all others.
    pub fn of(bytes: &'a [u8], file_types: bool) -> Self {
        let count = bytes.first().copied().unwrap_or(0);
        let wide = bytes.get(1).is_some_and(|wide| *wide > 0);
        let number = if wide { 8 } else { 4 };
        Self { bytes, at: 2 + number, left: count, number, file_types }
    }

    /// Where the entries end, once all were read.
    pub fn end(&self) -> usize {
        self.at
    }

    fn entry(&self) -> Option<(Record<'a>, usize)> {
        let rest = self.bytes.get(self.at..)?;
        let name_length = usize::from(*rest.first()?);
        let number_at = 3 + name_length + usize::from(self.file_types);
        let length = number_at + self.number;
        if length > rest.len() {
            return None;
        }
        let inode =
            if self.number == 8 { be64(rest, number_at) } else { u64::from(be32(rest, number_at)) };
        let kind = self.file_types.then(|| kind(rest[3 + name_length])).flatten();
        Some((Record { inode, name: &rest[3..3 + name_length], kind }, self.at + length))
    }
}

impl<'a> Iterator for ShortForm<'a> {
    type Item = Result<Record<'a>, Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let Some((record, next)) = self.entry() else {
            self.left = 0;
            return Some(Err(Flaw::Length));
        };
        self.left -= 1;
        self.at = next;
        Some(if is_name(record.name) { Ok(record) } else { Err(Flaw::Name) })
    }
}
