//! Values of entries: texts end with a zero, numbers are aligned to their width.

use crate::bytes::{be16, be32, be64, part};
use crate::error::{Error, corrupt};

const CHAR: u32 = 1;
const INT8: u32 = 2;
const INT16: u32 = 3;
const INT32: u32 = 4;
const INT64: u32 = 5;
const TEXT: u32 = 6;
pub const BYTES: u32 = 7;
const TEXTS: u32 = 8;
const TRANSLATED: u32 = 9;
/// Bytes of a single text.
const MOST_TEXT: usize = 64 << 10;

/// An entry of the index.
#[derive(Clone, Copy)]
pub struct Entry {
    pub tag: u32,
    pub kind: u32,
    pub offset: u32,
    pub count: u32,
    /// Where in the header the entry stands.
    pub at: u64,
}

impl Entry {
    /// Checks kind, place and extent; gives where the value ends.
    pub fn end(&self, data: &[u8]) -> Result<u64, Error> {
        let length = match self.kind {
            TEXT | TEXTS | TRANSLATED => {
                let mut texts = self.texts(data)?;
                let before = texts.rest.len();
                if texts.by_ref().count() != self.count as usize {
                    return Err(self.wrong());
                }
                before - texts.rest.len()
            }
            _ => self.fixed(data)?.1.len(),
        };
        Ok(u64::from(self.offset) + length as u64)
    }

    fn wrong(&self) -> Error {
        corrupt("entry of a header", self.at)
    }

    /// The bytes of a value whose items are all of one width.
    fn fixed<'a>(&self, data: &'a [u8]) -> Result<(usize, &'a [u8]), Error> {
        let width = match self.kind {
            CHAR | INT8 | BYTES => 1,
            INT16 => 2,
            INT32 => 4,
            INT64 => 8,
            _ => return Err(self.wrong()),
        };
        let length = (self.count as usize).checked_mul(width).ok_or_else(|| self.wrong())?;
        let aligned = (self.offset as usize).is_multiple_of(width) && self.count > 0;
        let bytes = part(data, self.offset as usize, length).filter(|_| aligned);
        Ok((width, bytes.ok_or_else(|| self.wrong())?))
    }

    pub fn bytes<'a>(&self, data: &'a [u8]) -> Result<&'a [u8], Error> {
        self.fixed(data).map(|(_, bytes)| bytes)
    }

    pub fn numbers<'a>(
        &self,
        data: &'a [u8],
    ) -> Result<impl ExactSizeIterator<Item = u64> + use<'a>, Error> {
        let (width, bytes) = self.fixed(data)?;
        Ok(bytes.chunks_exact(width).map(move |item| match width {
            1 => u64::from(item[0]),
            2 => u64::from(be16(item, 0)),
            4 => u64::from(be32(item, 0)),
            _ => be64(item, 0),
        }))
    }

    pub fn texts<'a>(&self, data: &'a [u8]) -> Result<Strings<'a>, Error> {
        let one = self.kind == TEXT && self.count == 1;
        let rest = data.get(self.offset as usize..).filter(|rest| !rest.is_empty());
        match rest {
            Some(rest) if one || [TEXTS, TRANSLATED].contains(&self.kind) => {
                Ok(Strings { rest, left: self.count })
            }
            _ => Err(self.wrong()),
        }
    }

    pub fn text<'a>(&self, data: &'a [u8]) -> Result<&'a [u8], Error> {
        let mut texts = self.texts(data)?;
        // One that is longer is no name of anything.
        texts.rest = &texts.rest[..texts.rest.len().min(MOST_TEXT)];
        texts.next().ok_or_else(|| self.wrong())
    }
}

/// Texts of an entry, without the zeroes that end them. Ends early where the header ends.
#[derive(Clone)]
pub struct Strings<'a> {
    rest: &'a [u8],
    left: u32,
}

impl Strings<'_> {
    /// How many there should be.
    pub fn expected(&self) -> usize {
        self.left as usize
    }
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let end = self.rest.iter().position(|byte| *byte == 0)?;
        let text = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Some(text)
    }
}
