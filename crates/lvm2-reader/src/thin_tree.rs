//! Nodes of the trees in which a thin pool keeps its metadata: `drivers/md/persistent-data` of the
//! kernel.

use crate::Error;
use crate::bytes::{u32_at, u64_at};
use crate::error::corrupt;
use crate::label::holds;

pub const BLOCK: usize = 4096;
const HEADER: usize = 32;
const INNER: u32 = 1;
const LEAF: u32 = 2;
const SALT: u32 = 121_107;

/// A node whose checksum holds and whose keys ascend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub leaf: bool,
    pub keys: Vec<u64>,
    /// The first eight bytes of each value: a block of the tree, or what a leaf says.
    pub values: Vec<u64>,
}

// Offsets: 0 checksum, 4 flags, 8 own block, 16 entries, 20 room for entries, 24 bytes of a value,
// 32 keys, and behind the room for them the values.

impl Node {
    pub fn parse(raw: &[u8], block: u64) -> Result<Self, Error> {
        let wrong = |what| corrupt(what, block);
        if !holds(checksum(&raw[4..], SALT), u32_at(raw, 0)) || u64_at(raw, 8) != block {
            return Err(wrong("checksum of the thin pool's metadata block"));
        }
        let flags = u32_at(raw, 4);
        let count = u32_at(raw, 16) as usize;
        let (room, width) = (u32_at(raw, 20) as usize, u32_at(raw, 24) as usize);
        let fits = room.checked_mul(8 + width).is_some_and(|bytes| bytes <= raw.len() - HEADER);
        if !matches!(flags, INNER | LEAF) || count > room || width < 8 || !fits {
            return Err(wrong("header of the thin pool's metadata block"));
        }
        let keys: Vec<u64> = (0..count).map(|index| u64_at(raw, HEADER + index * 8)).collect();
        if keys.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(wrong("order of keys in the thin pool's metadata block"));
        }
        let first = HEADER + room * 8;
        let values = (0..count).map(|index| u64_at(raw, first + index * width)).collect();
        Ok(Self { leaf: flags == LEAF, keys, values })
    }

    /// The last entry at a key or before it.
    pub fn before(&self, key: u64) -> Option<usize> {
        self.keys.partition_point(|own| *own <= key).checked_sub(1)
    }
}

/// CRC-32C, not inverted at the end, with a number for each kind of block mixed in.
pub fn checksum(bytes: &[u8], salt: u32) -> u32 {
    !crc32c::crc32c(bytes) ^ salt
}
