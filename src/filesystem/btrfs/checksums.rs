//! Checksums of data: one for each sector, in a tree of their own.

use super::extents::floor;
use super::pool::Pool;
use crate::filesystem::Error;
use fs_btrfs::chunk::DiskKey;
use std::collections::HashMap;

const OBJECT: u64 = u64::MAX - 9;
const ITEM: u8 = 128;

/// Fills `out`, which begins and ends with whole sectors, from the first copy whose checksums hold;
/// sectors without a checksum are taken as they are.
pub fn read(pool: &Pool, tree: Option<u64>, at: u64, out: &mut [u8]) -> Result<(), Error> {
    let sums = match tree {
        Some(root) => Sums::read(pool, root, at, out.len() as u64)?,
        None => Sums::default(),
    };
    let sector = pool.superblock.sectorsize as usize;
    let whole = pool.read_copy(at, 0, out).is_ok();
    for (index, bytes) in out.chunks_mut(sector).enumerate() {
        let at = at + (index * sector) as u64;
        if !whole || !sums.hold(pool, at, bytes) {
            one(pool, &sums, at, bytes)?;
        }
    }
    Ok(())
}

/// One sector from whichever copy is good.
fn one(pool: &Pool, sums: &Sums, at: u64, out: &mut [u8]) -> Result<(), Error> {
    let mut first = None;
    for copy in 0..pool.copies(at) {
        match pool.read_copy(at, copy, out) {
            Ok(()) if sums.hold(pool, at, out) => return Ok(()),
            Ok(()) => {
                let what = format!("checksum of data at logical address {at:#x}");
                first.get_or_insert(Error::Corrupt { what });
            }
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    let none = || Error::Corrupt { what: format!("no copy of logical address {at:#x}") };
    Err(first.unwrap_or_else(none))
}

#[derive(Default)]
struct Sums(HashMap<u64, Vec<u8>>);

impl Sums {
    fn read(pool: &Pool, root: u64, start: u64, length: u64) -> Result<Self, Error> {
        let sector = u64::from(pool.superblock.sectorsize);
        let size = pool.superblock.csum_type.digest_len();
        let end = start.saturating_add(length);
        let wanted = DiskKey { objectid: OBJECT, key_type: ITEM, offset: start };
        let mut sums = HashMap::new();
        pool.with_tree(|tree| {
            let from = floor(tree, root, &wanted)?;
            tree.for_each_from(root, &from, &mut |key: &DiskKey, data: &[u8]| {
                if key.objectid != OBJECT || key.key_type != ITEM || key.offset >= end {
                    return Ok(false);
                }
                // Of a long run only what is asked for.
                let skipped = start.saturating_sub(key.offset) / sector;
                let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
                for (index, sum) in data.chunks_exact(size).enumerate().skip(skipped) {
                    let at = key.offset.saturating_add(index as u64 * sector);
                    if at >= end {
                        break;
                    }
                    sums.insert(at, sum.to_vec());
                }
                Ok(true)
            })
        })?;
        Ok(Self(sums))
    }

    fn hold(&self, pool: &Pool, at: u64, bytes: &[u8]) -> bool {
        self.0.get(&at).is_none_or(|sum| pool.superblock.csum_type.verify(bytes, sum))
    }
}
