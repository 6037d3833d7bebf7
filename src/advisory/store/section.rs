//! Reading a section: the index is held in memory, lists are read when looked up.

use super::format::{self, Entry, Extent, FeedInfo, LIST_HEAD, MAX_LIST, Place};
use super::{Fault, format::sha256};
use fst::Map;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// A section whose index was checked.
pub(super) struct Indexed {
    pub info: FeedInfo,
    pub entry: Entry,
    pub place: Place,
    index: Map<Vec<u8>>,
}

impl std::fmt::Debug for Indexed {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Indexed").field("info", &self.info).finish_non_exhaustive()
    }
}

/// All sections of a store of `size` bytes.
pub(super) fn open_all(file: &File, size: u64) -> Result<Vec<Indexed>, Fault> {
    let (header, base) = format::read_header(file, size)?;
    header.feeds.into_iter().map(|entry| Indexed::open(file, entry, base, size)).collect()
}

impl Indexed {
    fn open(file: &File, entry: Entry, base: u64, size: u64) -> Result<Self, Fault> {
        let place = entry.place(base, size)?;
        let bytes = format::read(file, place.index)?;
        // An fst trusts its bytes, so they are looked at only when the sum is right.
        if sha256(&bytes) != entry.index_sha256 {
            return Err(Fault::Damaged("an index's sum is wrong"));
        }
        let index = Map::new(bytes).map_err(|_| Fault::Damaged("an index is malformed"))?;
        Ok(Self { info: entry.info.clone(), entry, place, index })
    }

    /// Whether there is a list, be it empty.
    pub fn holds(&self, key: &[u8]) -> bool {
        self.index.contains_key(key)
    }

    /// The list under `key`; empty when there is none.
    pub fn list<T: DeserializeOwned>(&self, file: &File, key: &[u8]) -> Result<Vec<T>, Fault> {
        let Some(offset) = self.index.get(key) else { return Ok(Vec::new()) };
        let bytes = self.bytes(file, offset)?;
        postcard::from_bytes(&bytes).map_err(|_| Fault::Damaged("a list is malformed"))
    }

    fn bytes(&self, file: &File, offset: u64) -> Result<Vec<u8>, Fault> {
        const OUTSIDE: Fault = Fault::Damaged("a list lies outside its section");
        let left = self.place.data.length.checked_sub(offset).ok_or(OUTSIDE)?;
        let left = left.checked_sub(LIST_HEAD).ok_or(OUTSIDE)?;
        let start = self.place.data.start + offset;
        let mut head = [0; LIST_HEAD as usize];
        file.read_exact_at(&mut head, start)?;
        let [l0, l1, l2, l3, c0, c1, c2, c3] = head;
        let length = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        if length > left || length > MAX_LIST {
            return Err(OUTSIDE);
        }
        let bytes = format::read(file, Extent { start: start + LIST_HEAD, length })?;
        if crc32fast::hash(&bytes) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(Fault::Damaged("a list's sum is wrong"));
        }
        Ok(bytes)
    }
}
