//! Owners of trees. When two files were swapped, as `xfs_fsr` does, the log tells only that all
//! blocks of a tree of extents belong to another inode from now on.

use super::fork::{self, Side};
use super::overlay::Overlay;
use crate::bytes::{be16, be32, be64};
use crate::{Error, Superblock, checksum};

const MAGIC: &[u8; 4] = b"BMA3";
const HEADER: usize = 72;
const OWNER: usize = 56;
const CHECKSUM: usize = 64;
/// Blocks that one replay may look at for this: trees of some 20 million extents.
pub const MOST_BLOCKS: usize = 1 << 18;
/// Format of a fork that is a tree.
const TREE: u8 = 3;

/// Writes the number of an inode into all blocks of one of its trees; `left` is the number of
/// blocks that may still be looked at.
pub fn change(
    overlay: &mut Overlay,
    superblock: &Superblock,
    inode: (u64, &[u8]),
    side: Side,
    left: &mut usize,
) -> Result<Result<(), &'static str>, Error> {
    let (number, inode) = inode;
    let Some(top) = fork::part(inode, side).filter(|_| fork::format(inode, side) == TREE) else {
        return Ok(Err("owner of a tree that is none"));
    };
    let room = top.len().saturating_sub(4) / 16;
    let mut level = be16(top, 0);
    let mut blocks = pointers(top, 4 + room * 8, be16(top, 2), room);
    while level > 0 && !blocks.is_empty() {
        level -= 1;
        let mut below = Vec::new();
        for block in blocks {
            if *left == 0 {
                return Ok(Err("trees of too many blocks"));
            }
            *left -= 1;
            match change_block(overlay, superblock, block, level, number)? {
                Ok(next) => below.extend(next),
                Err(what) => return Ok(Err(what)),
            }
        }
        blocks = below;
    }
    Ok(Ok(()))
}

/// Changes one block, and gives the blocks below it.
fn change_block(
    overlay: &mut Overlay,
    superblock: &Superblock,
    block: u64,
    level: u16,
    number: u64,
) -> Result<Result<Vec<u64>, &'static str>, Error> {
    let size = superblock.block_size;
    let offset = superblock.block_offset(block).filter(|offset| overlay.contains(*offset, size));
    let Some(offset) = offset else { return Ok(Err("block of a tree out of range")) };
    let mut bytes = overlay.bytes(offset, size)?;
    if be32(&bytes, 0).to_be_bytes() != *MAGIC || be16(&bytes, 4) != level {
        return Ok(Err("block of a tree that is none"));
    }
    if be64(&bytes, OWNER) != number {
        bytes[OWNER..OWNER + 8].copy_from_slice(&number.to_be_bytes());
        let sum = checksum::checksum(&bytes, CHECKSUM);
        bytes[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
        overlay.put(offset, &bytes)?;
    }
    let room = (bytes.len() - HEADER) / 16;
    let count = if level > 0 { be16(&bytes, 6) } else { 0 };
    Ok(Ok(pointers(&bytes, HEADER + room * 8, count, room)))
}

fn pointers(bytes: &[u8], at: usize, count: u16, room: usize) -> Vec<u64> {
    (0..usize::from(count).min(room)).map(|index| be64(bytes, at + index * 8)).collect()
}
