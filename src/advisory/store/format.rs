//! The store's layout, all numbers little-endian:
//!
//! ```text
//! 0   magic, 8 bytes
//! 8   format version, u32
//! 12  length of the header, u32
//! 16  SHA-256 of the header
//! 48  header: postcard, one entry per feed
//!     then each section: its index (an fst map, key to offset) and its data
//! data: lists, each u32 length, u32 crc32, postcard
//! ```
//!
//! Offsets of sections count from the header's end, those of lists from the start of the data.
//! A reader refuses versions above its own; any change of the layout or of a record raises it.

use super::Fault;
use crate::advisory::feeds::Release;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Version of the format that this program writes and reads.
pub const FORMAT: u32 = 1;

pub(super) const MAGIC: &[u8; 8] = b"SLADVIS\n";
pub(super) const PRELUDE: usize = 48;
/// Length and sum ahead of each list.
pub(super) const LIST_HEAD: u64 = 8;
pub(super) const MAX_HEADER: u64 = 4 << 20;
pub(super) const MAX_INDEX: u64 = 256 << 20;
pub(super) const MAX_LIST: u64 = 64 << 20;

/// One feed in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedInfo {
    /// Feed name.
    pub name: String,
    /// URL or path that the data came from.
    pub source: String,
    /// The feed's own date, else that of the server's copy or of the file, else of the fetch.
    /// RFC 3339.
    pub date: String,
    /// The server's entity tag.
    pub etag: Option<String>,
    /// The server's date, as it wrote it.
    pub last_modified: Option<String>,
    /// SHA-256 of the feed's file, in hex.
    pub sha256: String,
    /// Records in the store.
    pub records: u64,
    /// Entries of the feed that could not be understood.
    pub skipped: u64,
    /// Releases that the feed speaks of.
    pub releases: Vec<Release>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Header {
    pub feeds: Vec<Entry>,
}

/// A feed and where its section is, as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub info: FeedInfo,
    pub index_sha256: [u8; 32],
    pub offset: u64,
    pub index_length: u64,
    pub data_length: u64,
}

/// A stretch of the file that was found to lie within it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub start: u64,
    pub length: u64,
}

/// A section's two parts, within the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub index: Extent,
    pub data: Extent,
}

impl Entry {
    pub fn place(&self, base: u64, size: u64) -> Result<Place, Fault> {
        const OUTSIDE: Fault = Fault::Damaged("a section lies outside the file");
        if self.index_length > MAX_INDEX {
            return Err(Fault::Damaged("an index is too large"));
        }
        let start = base.checked_add(self.offset).ok_or(OUTSIDE)?;
        let middle = start.checked_add(self.index_length).ok_or(OUTSIDE)?;
        let end = middle.checked_add(self.data_length).ok_or(OUTSIDE)?;
        if end > size {
            return Err(OUTSIDE);
        }
        let index = Extent { start, length: self.index_length };
        Ok(Place { index, data: Extent { start: middle, length: self.data_length } })
    }
}

/// The bytes ahead of the sections.
pub(super) fn head(header: &[u8], length: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PRELUDE.saturating_add(header.len()));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&sha256(header));
    bytes.extend_from_slice(header);
    bytes
}

/// The header, and where it ends.
pub(super) fn read_header(file: &File, size: u64) -> Result<(Header, u64), Fault> {
    let mut prelude = [0; PRELUDE];
    let present = usize::try_from(size).unwrap_or(PRELUDE).min(PRELUDE);
    file.read_exact_at(&mut prelude[..present], 0)?;
    let (magic, rest) = prelude.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(Fault::Foreign);
    }
    if present < PRELUDE {
        return Err(Fault::Damaged("cut off"));
    }
    let number =
        |at: usize| u32::from_le_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]);
    if number(0) > FORMAT {
        return Err(Fault::Newer(number(0)));
    }
    if number(0) != FORMAT {
        return Err(Fault::Damaged("no such format version"));
    }
    let length = u64::from(number(4));
    let extent = Extent { start: PRELUDE as u64, length };
    let end = extent.start + length;
    if length > MAX_HEADER || end > size {
        return Err(Fault::Damaged("the header lies outside the file"));
    }
    let bytes = read(file, extent)?;
    if sha256(&bytes) != rest[8..40] {
        return Err(Fault::Damaged("the header's sum is wrong"));
    }
    let header = postcard::from_bytes(&bytes).map_err(|_| Fault::Damaged("no header"))?;
    Ok((header, end))
}

/// Reads an extent that the caller has capped.
pub(super) fn read(file: &File, extent: Extent) -> Result<Vec<u8>, Fault> {
    let length = usize::try_from(extent.length).map_err(|_| Fault::Damaged("too large"))?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, extent.start)?;
    Ok(bytes)
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
