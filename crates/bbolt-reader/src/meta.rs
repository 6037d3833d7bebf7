//! The two meta pages, which are the first of a file: each transaction writes the other one.
//!
//! Behind the 16 bytes of a page's header: `magic`, `version`, `pageSize`, `flags` (32 bits each), `root`
//! (the bucket's `root` page and `sequence`), `freelist`, `pgid` (the first page that was never used),
//! `txid`, `checksum` (FNV-1a over all before it), 64 bits each.

use crate::bytes::{le32, le64};
use crate::error::{Error, corrupt};
use crate::file::File;

const MAGIC: u32 = 0xed0c_daed;
const VERSION: u32 = 2;
const LENGTH: usize = 64;
const CHECKED: usize = 56;
const PAGE_HEADER: u64 = 16;
/// From a kilobyte on bbolt itself looks for a second meta page; no machine has larger pages.
const PAGE_SIZES: std::ops::RangeInclusive<u32> = 10..=16;

/// What a meta page says.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    pub page_size: u64,
    pub root: u64,
    pub sequence: u64,
    /// Pages from this one on were never used.
    pub pages: u64,
    pub transaction: u64,
}

/// The first meta page and the second. If the first is lost, so is the size of a page, and the second is
/// looked for where each size would have it.
pub fn both(file: &File) -> [Result<Meta, Error>; 2] {
    let first = Meta::read(file, 0, 0);
    let second = match &first {
        Ok(meta) => second(file, meta.page_size),
        Err(_) => search(file),
    };
    [first, second]
}

fn second(file: &File, page_size: u64) -> Result<Meta, Error> {
    let meta = Meta::read(file, 1, page_size)?;
    if meta.page_size == page_size {
        return Ok(meta);
    }
    Err(corrupt("meta pages of two sizes", 1))
}

fn search(file: &File) -> Result<Meta, Error> {
    let found = PAGE_SIZES.map(|bits| second(file, 1 << bits)).find(Result::is_ok);
    found.unwrap_or_else(|| Err(corrupt("no second meta page", 1)))
}

impl Meta {
    fn read(file: &File, page: u64, start: u64) -> Result<Self, Error> {
        match file.size() {
            0 => return Err(corrupt("an empty file", page)),
            size if size < PAGE_HEADER + LENGTH as u64 => {
                return Err(corrupt("a file that is too short for bbolt", page));
            }
            _ => {}
        }
        Self::parse(&file.read(page, start + PAGE_HEADER, LENGTH)?, page)
    }

    fn parse(bytes: &[u8], page: u64) -> Result<Self, Error> {
        let unsupported = |feature: String| Err(Error::Unsupported { feature });
        match le32(bytes, 0) {
            MAGIC => {}
            magic if magic == MAGIC.swap_bytes() => {
                return unsupported("a database of a big-endian machine".to_owned());
            }
            _ => return Err(corrupt("no signature of bbolt", page)),
        }
        if le64(bytes, CHECKED) != fnv_1a(&bytes[..CHECKED]) {
            return Err(corrupt("a meta page whose checksum does not hold", page));
        }
        let (version, page_size) = (le32(bytes, 4), le32(bytes, 8));
        if version != VERSION {
            return unsupported(format!("version {version}"));
        }
        if !page_size.is_power_of_two() || !PAGE_SIZES.contains(&page_size.ilog2()) {
            return unsupported(format!("pages of {page_size} bytes"));
        }
        Ok(Self {
            page_size: page_size.into(),
            root: le64(bytes, 16),
            sequence: le64(bytes, 24),
            pages: le64(bytes, 40),
            transaction: le64(bytes, 48),
        })
    }
}

fn fnv_1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
