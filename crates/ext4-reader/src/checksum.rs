//! Checksums of metadata: <https://docs.kernel.org/filesystems/ext4/overview.html#checksums>.

use crate::Inode;
use crate::bytes::{u16_at, u32_at};

/// Bytes at the end of a directory block that hold its checksum, dressed as an unused entry.
pub const TAIL: usize = 12;
const TAIL_TYPE: u8 = 0xde;

/// CRC-32C as the kernel chains it: not inverted at either end.
pub fn crc32c(seed: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, bytes)
}

/// CRC-16 with the polynomial of ANSI, lowest bit first.
pub fn crc16(seed: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(seed, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            let shifted = sum >> 1;
            if sum & 1 == 1 { shifted ^ 0xa001 } else { shifted }
        })
    })
}

/// CRC-32 with the highest bit first, as old journals have it: not inverted at either end.
pub fn crc32_be(seed: u32, bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(seed, |sum, byte| sum << 8 ^ CRC32_BE[(sum >> 24 ^ u32::from(*byte)) as usize & 0xff])
}

static CRC32_BE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut sum = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
            bit += 1;
        }
        table[index] = sum;
        index += 1;
    }
    table
};

/// What the checksums of all that belongs to an inode start from.
pub fn inode_seed(filesystem_seed: u32, inode: &Inode) -> u32 {
    let seed = crc32c(filesystem_seed, &inode.number.0.to_le_bytes());
    crc32c(seed, &inode.generation.to_le_bytes())
}

/// Whether the record of an inode has a checksum that holds. Half of it stands in the part that
/// only larger inodes have.
pub fn inode_holds(filesystem_seed: u32, inode: &Inode, raw: &[u8]) -> bool {
    const LOW: usize = 0x7c;
    const HIGH: usize = 0x82;
    let mut blank = raw.to_vec();
    blank[LOW..LOW + 2].fill(0);
    let wide = raw.len() > 128 && u16_at(raw, 0x80) >= 4;
    if wide {
        blank[HIGH..HIGH + 2].fill(0);
    }
    let sum = crc32c(inode_seed(filesystem_seed, inode), &blank);
    let high = if wide { u32::from(u16_at(raw, HIGH)) << 16 } else { sum & 0xffff_0000 };
    sum == high | u32::from(u16_at(raw, LOW))
}

/// Whether a block of an extent tree has a checksum that holds. It stands after the last entry
/// that there is room for.
pub fn extents_hold(seed: u32, block: &[u8]) -> bool {
    let end = 12 + 12 * usize::from(u16_at(block, 4));
    let parts = block.split_at_checked(end).filter(|(_, tail)| tail.len() >= 4);
    parts.is_some_and(|(entries, tail)| crc32c(seed, entries) == u32_at(tail, 0))
}

/// Whether a block of extended attributes has a checksum that holds. Inodes share such blocks, so
/// it starts from the block's number.
pub fn xattrs_hold(filesystem_seed: u32, number: u64, block: &[u8]) -> bool {
    const AT: usize = 16;
    let seed = crc32c(filesystem_seed, &number.to_le_bytes());
    let sum = [&block[..AT], &[0; 4], &block[AT + 4..]].into_iter().fold(seed, crc32c);
    sum == u32_at(block, AT)
}

/// Whether a directory block with entries has a checksum that holds.
pub fn leaf_holds(seed: u32, block: &[u8]) -> bool {
    let Some((entries, tail)) = block.split_at_checked(block.len().saturating_sub(TAIL)) else {
        return false;
    };
    let dressed = u32_at(tail, 0) == 0 && u16_at(tail, 4) == TAIL as u16;
    dressed && tail[6..8] == [0, TAIL_TYPE] && crc32c(seed, entries) == u32_at(tail, 8)
}

/// Whether an index block has a checksum that holds. It covers the `used` bytes in front, and the
/// four bytes before itself; it stands after the last entry that the block has room for.
pub fn index_holds(seed: u32, block: &[u8], used: usize, tail: usize) -> bool {
    let (Some(used), Some(tail)) = (block.get(..used), block.get(tail..tail + 8)) else {
        return false;
    };
    let sum = crc32c(crc32c(seed, used), &tail[..4]);
    crc32c(sum, &[0; 4]) == u32_at(tail, 4)
}
