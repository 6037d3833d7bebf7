//! What hangs on an inode, its data and its attributes, as it is in the log: bytes, a list of
//! extents, or the root of a tree of extents. Bytes and extents are as on the disk; a root is as
//! in memory, a block of a tree with its whole header.

use super::transaction::Item;
use crate::bytes::be16;
use std::ops::Range;

/// Which part is in the log, and as what.
mod field {
    pub const DATA_BYTES: u32 = 0x002;
    pub const DATA_EXTENTS: u32 = 0x004;
    pub const DATA_ROOT: u32 = 0x008;
    pub const DATA: u32 = DATA_BYTES | DATA_EXTENTS | DATA_ROOT;
    pub const ATTRIBUTE_BYTES: u32 = 0x040;
    pub const ATTRIBUTE_EXTENTS: u32 = 0x080;
    pub const ATTRIBUTE_ROOT: u32 = 0x100;
    pub const ATTRIBUTES: u32 = ATTRIBUTE_BYTES | ATTRIBUTE_EXTENTS | ATTRIBUTE_ROOT;
}

const FORK_OFFSET: usize = 82;
/// Bytes of the header of a block of a tree, of version 4 and 5.
const BLOCK_HEADER: [usize; 2] = [24, 72];
/// Bytes of the header of a root inside an inode.
const ROOT_HEADER: usize = 4;
/// Bytes of a key, and of a pointer.
const WORD: usize = 8;

/// Which of the two that hang on an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Data,
    Attributes,
}

/// How one of the two is kept.
pub fn format(inode: &[u8], side: Side) -> u8 {
    inode[if side == Side::Data { 5 } else { 83 }]
}

/// The bytes of one of the two, if they lie inside their inode.
pub fn part(inode: &[u8], side: Side) -> Option<&[u8]> {
    let range = ranges(inode)?;
    inode.get(if side == Side::Data { range.0 } else { range.1 })
}

/// The same, to be changed.
pub fn part_mut(inode: &mut [u8], side: Side) -> Option<&mut [u8]> {
    let range = ranges(inode)?;
    inode.get_mut(if side == Side::Data { range.0 } else { range.1 })
}

fn ranges(inode: &[u8]) -> Option<(Range<usize>, Range<usize>)> {
    let start = data_start(inode[4]);
    let middle = match usize::from(inode[FORK_OFFSET]) * 8 {
        0 => inode.len(),
        length => start + length,
    };
    (middle <= inode.len()).then_some((start..middle, middle..inode.len()))
}

/// Where what hangs on an inode begins.
pub fn data_start(version: u8) -> usize {
    if version >= 3 { 176 } else { 100 }
}

/// Puts what is in the log into an inode whose fixed fields are new already.
pub fn apply(fields: u32, item: &Item, inode: &mut [u8]) -> Result<(), &'static str> {
    let header = BLOCK_HEADER[usize::from(inode[4] >= 3)];
    let (data, _) = ranges(inode).ok_or("attributes past the end of their inode")?;
    let (data, attributes) = inode[data.start..].split_at_mut(data.end - data.start);
    let as_root = |fields: u32, root: u32| (fields == root).then_some(header);
    let mut part = 2;
    if fields & field::DATA != 0 {
        fill(data, item.part(part), as_root(fields & field::DATA, field::DATA_ROOT))?;
        part += 1;
    }
    if fields & field::ATTRIBUTES != 0 {
        let root = as_root(fields & field::ATTRIBUTES, field::ATTRIBUTE_ROOT);
        fill(attributes, item.part(part), root)?;
    }
    Ok(())
}

/// `root` is the length of the header that a root has in the log, if it is one.
fn fill(fork: &mut [u8], region: &[u8], root: Option<usize>) -> Result<(), &'static str> {
    if let Some(header) = root {
        return fill_root(fork, region, header);
    }
    let place = fork.get_mut(..region.len()).ok_or("more in the log than fits into an inode")?;
    place.copy_from_slice(region);
    Ok(())
}

/// A root: level, number of records, keys, and pointers after the room for all keys.
fn fill_root(fork: &mut [u8], block: &[u8], header: usize) -> Result<(), &'static str> {
    let from = block.get(header..).ok_or("root of a tree cut short")?;
    let room = fork.len().checked_sub(ROOT_HEADER).ok_or("no room for the root of a tree")?;
    let (level, count) = (be16(block, 4), usize::from(be16(block, 6)));
    let (from_room, to_room) = (from.len() / (2 * WORD), room / (2 * WORD));
    if level == 0 || count == 0 || count > from_room.min(to_room) {
        return Err("root of a tree with an impossible number of records");
    }
    fork[..ROOT_HEADER].copy_from_slice(&block[4..8]);
    let to = &mut fork[ROOT_HEADER..];
    let length = count * WORD;
    to[..length].copy_from_slice(&from[..length]);
    let (from_pointers, to_pointers) = (from_room * WORD, to_room * WORD);
    to[to_pointers..to_pointers + length]
        .copy_from_slice(&from[from_pointers..from_pointers + length]);
    Ok(())
}
