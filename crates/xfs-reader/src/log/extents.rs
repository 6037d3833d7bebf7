//! Lists of extents as the disk has them, and what can be done to them.

use crate::bytes::be64;

/// Bytes of one in a list.
pub const RECORD: usize = 16;
/// Extents are at most this long, and start before this block of a file.
pub const MOST_LENGTH: u64 = (1 << 21) - 1;
pub const MOST_START: u64 = 1 << 54;

/// A run of blocks of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub start: u64,
    pub block: u64,
    pub length: u64,
    pub unwritten: bool,
}

/// Of 128 bits: whether unwritten, 54 of the place in the file, 52 of the block, 21 of the length.
pub fn unpack(record: &[u8]) -> Extent {
    let (high, low) = (be64(record, 0), be64(record, 8));
    Extent {
        start: high >> 9 & (MOST_START - 1),
        block: (high & 0x1ff) << 43 | low >> 21,
        length: low & MOST_LENGTH,
        unwritten: high >> 63 == 1,
    }
}

pub fn pack(extent: Extent) -> u128 {
    u128::from(extent.unwritten) << 127
        | u128::from(extent.start) << 73
        | u128::from(extent.block) << 21
        | u128::from(extent.length)
}

/// Takes a range of a file out, whatever blocks it has.
pub fn take(extents: &[Extent], out: Extent) -> Vec<Extent> {
    let end = out.start + out.length;
    let mut rest = Vec::new();
    for extent in extents {
        let (from, to) = (extent.start, extent.start + extent.length);
        if from < out.start {
            rest.push(Extent { length: to.min(out.start) - from, ..*extent });
        }
        if to > end {
            let start = from.max(end);
            let block = extent.block + (start - from);
            rest.push(Extent { start, block, length: to - start, ..*extent });
        }
    }
    rest
}

/// Puts blocks into a hole of a file.
pub fn put(mut extents: Vec<Extent>, new: Extent) -> Option<Vec<Extent>> {
    let at = extents.partition_point(|extent| extent.start < new.start);
    let end_before = at.checked_sub(1).map_or(0, |at| extents[at].start + extents[at].length);
    let start_after = extents.get(at).map_or(MOST_START, |extent| extent.start);
    if end_before > new.start || new.start + new.length > start_after {
        return None;
    }
    extents.insert(at, new);
    extents.dedup_by(|next, before| {
        let joins = before.start + before.length == next.start
            && before.block + before.length == next.block
            && before.unwritten == next.unwritten
            && before.length + next.length <= MOST_LENGTH;
        if joins {
            before.length += next.length;
        }
        joins
    });
    Some(extents)
}
