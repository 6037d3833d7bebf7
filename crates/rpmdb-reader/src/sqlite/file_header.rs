//! The first 100 bytes of the first page: 16 page size, 18 and 19 versions, 20 bytes kept free at
//! the end of each page, 21 to 23 fixed numbers, 24 counter of changes, 28 pages, 56 text, 92
//! the counter for which the number of pages holds.

use crate::bytes::{be16, be32};
use crate::error::{Error, corrupt, unsupported};

pub const MAGIC: &[u8; 16] = b"SQLite format 3\0";
pub const SIZE: usize = 100;
const UTF_8: u32 = 1;

/// What the head of the file says.
pub struct FileHeader {
    pub page_size: u32,
    /// Bytes of a page that are used.
    pub usable: u32,
    /// Pages of the database, if that is known.
    pub pages: Option<u32>,
}

impl FileHeader {
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if !bytes.starts_with(MAGIC) || bytes.len() < SIZE {
            return Err(corrupt("head of an SQLite file", 0));
        }
        let page_size = match be16(bytes, 16) {
            1 => 65536,
            size if size >= 512 && size.is_power_of_two() => u32::from(size),
            _ => return Err(corrupt("page size", 16)),
        };
        if bytes[19] > 2 {
            return Err(unsupported(format!("SQLite file of version {}", bytes[19])));
        }
        let usable = page_size - u32::from(bytes[20]);
        if usable < 480 || bytes[21..24] != [64, 32, 32] {
            return Err(corrupt("sizes in the head of an SQLite file", 20));
        }
        // Zero in a database that no table was ever made in.
        if ![0, UTF_8].contains(&be32(bytes, 56)) {
            return Err(unsupported("SQLite file with text in UTF-16"));
        }
        let pages = be32(bytes, 28);
        let known = pages != 0 && be32(bytes, 24) == be32(bytes, 92);
        Ok(Self { page_size, usable, pages: known.then_some(pages) })
    }
}
