//! A file's extents: items that say where a part of it is, and how it is packed.
//!
//! Layout of an item: generation, size unpacked (8), compression (16), encryption (17), other
//! encoding (18), kind (20); then the data itself, or address (21), size on disk (29), offset in
//! what is unpacked (37), length (45).

use super::pool::Pool;
use crate::filesystem::Error;
use fs_btrfs::chunk::DiskKey;
use fs_btrfs::compression::{Compression, MAX_COMPRESSED, MAX_UNCOMPRESSED};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

const EXTENT_DATA: u8 = 108;
/// Size of an item that holds no data itself.
const SIZE: usize = 53;
const KIND_AT: usize = 20;
const INLINE: u8 = 0;
/// Extents that are looked at for one read.
const MOST: usize = 1 << 20;

/// A part of a file that is not a hole.
#[derive(Debug)]
pub struct Extent {
    /// Where it begins in the file.
    pub start: u64,
    /// Its length in the file.
    pub length: u64,
    /// Where its bytes are.
    pub data: Data,
}

/// Where the bytes of an extent are.
#[derive(Debug)]
pub enum Data {
    /// In the item.
    Inline {
        /// As they are kept.
        bytes: Vec<u8>,
        /// How they are packed.
        packing: Compression,
        /// Size unpacked.
        unpacked: usize,
    },
    /// At a logical address, as they are.
    Plain(u64),
    /// At a logical address, packed as a whole.
    Packed {
        /// Logical address.
        at: u64,
        /// Size on disk.
        size: usize,
        /// How.
        packing: Compression,
        /// Size unpacked.
        unpacked: usize,
        /// Where this extent's bytes begin in what is unpacked.
        skip: u64,
    },
}

/// The extents that hold any of these bytes of a file, in order.
pub fn of(pool: &Pool, root: u64, inode: u64, bytes: Range<u64>) -> Result<Vec<Extent>, Error> {
    let wanted = DiskKey { objectid: inode, key_type: EXTENT_DATA, offset: bytes.start };
    let mut items = Vec::new();
    pool.with_tree(|tree| {
        let from = floor(tree, root, &wanted)?;
        tree.for_each_from(root, &from, &mut |key: &DiskKey, data: &[u8]| {
            if key.objectid != inode || key.key_type != EXTENT_DATA || key.offset >= bytes.end {
                return Ok(false);
            }
            items.push((key.offset, data[..kept(key.offset, data)].to_vec()));
            Ok(items.len() < MOST)
        })
    })?;
    let mut extents = Vec::new();
    for (start, item) in items {
        let extent = parse(inode, start, &item)?;
        extents.extend(extent.filter(|it| it.start.saturating_add(it.length) > bytes.start));
    }
    Ok(extents)
}

/// How much of an item is looked at: only the first of a file may hold data, as large as a node.
fn kept(start: u64, item: &[u8]) -> usize {
    let is_inline = start == 0 && item.get(KIND_AT) == Some(&INLINE);
    if is_inline { item.len() } else { item.len().min(SIZE) }
}

/// The last key that is not above `wanted` and of the same object and type, or `wanted` itself.
pub fn floor(
    tree: &fs_btrfs::btree::Tree,
    root: u64,
    wanted: &DiskKey,
) -> fs_btrfs::Result<DiskKey> {
    let leaf = tree.descend(root, wanted)?;
    let alike = |key: &DiskKey| {
        key.objectid == wanted.objectid
            && key.key_type == wanted.key_type
            && key.offset <= wanted.offset
    };
    let items = leaf.body.items().unwrap_or_default();
    Ok(items.iter().rev().map(|item| item.key).find(alike).unwrap_or(*wanted))
}

/// An extent; `None` for a hole, and for blocks that were never written.
fn parse(inode: u64, start: u64, item: &[u8]) -> Result<Option<Extent>, Error> {
    let corrupt =
        |what: &str| Error::Corrupt { what: format!("extent at {start} of inode {inode}: {what}") };
    let number = |at: usize| {
        let bytes = item.get(at..at + 8).ok_or_else(|| corrupt("too short"))?;
        Ok::<_, Error>(u64::from_le_bytes(bytes.try_into().expect("eight bytes")))
    };
    let unpacked = number(8)?;
    let head = item.get(..21).ok_or_else(|| corrupt("too short"))?;
    let (packing, kind) = (Compression::from_byte(head[16])?, head[KIND_AT]);
    if head[17..20] != [0; 3] {
        return Err(Error::Unsupported { feature: "btrfs: encrypted extents".to_owned() });
    }
    let small = || usize::try_from(unpacked).ok().filter(|size| *size <= MAX_UNCOMPRESSED);
    if kind == INLINE {
        if start != 0 {
            return Err(corrupt("data in an item that is not the first"));
        }
        let unpacked = small().ok_or_else(|| corrupt("too large"))?;
        let data = Data::Inline { bytes: item[21..].to_vec(), packing, unpacked };
        return Ok(Some(Extent { start, length: unpacked as u64, data }));
    }
    let (at, size, skip, length) = (number(21)?, number(29)?, number(37)?, number(45)?);
    let is_inside = skip.checked_add(length).is_some_and(|end| end <= unpacked);
    let data = match (kind, at) {
        (1, 0) | (2, _) => return Ok(None),
        (1, _) if !is_inside => return Err(corrupt("ends past itself")),
        (1, _) if !packing.is_compressed() => {
            Data::Plain(at.checked_add(skip).ok_or_else(|| corrupt("no such address"))?)
        }
        (1, _) if size > MAX_COMPRESSED => return Err(corrupt("packed too large")),
        (1, _) => {
            let unpacked = small().ok_or_else(|| corrupt("too large"))?;
            Data::Packed { at, size: size as usize, packing, unpacked, skip }
        }
        _ => return Err(corrupt("of an unknown kind")),
    };
    Ok(Some(Extent { start, length, data }))
}

/// Extents that were unpacked lately, by their address.
#[derive(Default)]
pub struct Decoded(Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>);

impl Decoded {
    const MOST: usize = 16;

    /// The unpacked bytes of the extent at an address, unpacked now if they are not kept.
    pub fn get(
        &self,
        at: u64,
        unpack: impl FnOnce() -> Result<Vec<u8>, Error>,
    ) -> Result<Arc<Vec<u8>>, Error> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().iter().find(|it| it.0 == at).map(|it| it.1.clone());
        if let Some(bytes) = kept {
            return Ok(bytes);
        }
        let bytes = Arc::new(unpack()?);
        let mut all = lock();
        if all.len() >= Self::MOST {
            all.pop_front();
        }
        all.push_back((at, bytes.clone()));
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An inline extent of `length` bytes.
    fn inline(length: u8) -> Vec<u8> {
        let mut item = vec![0; 21];
        item[8] = length;
        item.extend(vec![7; usize::from(length)]);
        item
    }

    /// As the kernel's own check of trees has it; else a million items of 64 KiB could be one file's.
    #[test]
    fn only_the_first_extent_holds_data_in_its_item() {
        let item = inline(200);
        assert_eq!(kept(0, &item), item.len());
        let extent = parse(1, 0, &item).expect("sound").expect("no hole");
        assert!(matches!(extent.data, Data::Inline { bytes, .. } if bytes == [7; 200]));
        assert_eq!(kept(4096, &item), SIZE);
        let error = parse(1, 4096, &item[..SIZE]).expect_err("refused").to_string();
        assert!(error.contains("data in an item that is not the first"), "{error}");
    }
}
