//! Bytes of a file, and numbers in them, of either byte order.

use crate::error::{Error, corrupt};
use block_source::BlockSource;

/// Bytes of the largest table that is read.
const MOST_TABLE: u64 = 8 << 20;

/// Bytes of a file; that it does not have them is damage.
pub fn bytes(source: &dyn BlockSource, at: u64, length: u64) -> Result<Vec<u8>, Error> {
    let is_inside = at.checked_add(length).is_some_and(|end| end <= source.size());
    if !is_inside || length > MOST_TABLE {
        return Err(corrupt("a table outside of the file", at));
    }
    let mut bytes = vec![0; length as usize];
    source.read_exact_at(at, &mut bytes)?;
    Ok(bytes)
}

/// Widths and order of the numbers of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Whether the largest byte comes first.
    pub is_big: bool,
    /// Whether addresses have 64 bits.
    pub is_wide: bool,
}

impl Numbers {
    /// A number of up to eight bytes; `None` if they are not there.
    pub fn number(self, bytes: &[u8], at: usize, length: usize) -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.is_big {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        })
    }

    pub fn u16(self, bytes: &[u8], at: usize) -> Option<u64> {
        self.number(bytes, at, 2)
    }

    pub fn u32(self, bytes: &[u8], at: usize) -> Option<u64> {
        self.number(bytes, at, 4)
    }

    pub fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        self.number(bytes, at, 8)
    }

    /// A number as wide as an address, which stands elsewhere in files of 32 bits.
    pub fn word(self, bytes: &[u8], narrow: usize, wide: usize) -> Option<u64> {
        if self.is_wide { self.u64(bytes, wide) } else { self.u32(bytes, narrow) }
    }
}

/// A name that ends with a zero or with its field.
pub fn name(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_NAME)]).into_owned()
}

/// Bytes of a section's name that are kept.
const LONGEST_NAME: usize = 64;
