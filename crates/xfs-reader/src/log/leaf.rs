//! A block of extents of a tree, found by a place in the file, and written back with the keys that
//! lead to it.

use super::extents::{Extent, RECORD, pack, unpack};
use super::fork::{self, Side};
use super::overlay::Overlay;
use crate::bytes::{be16, be32, be64};
use crate::{Error, Superblock, checksum};

const MAGIC: &[u8; 4] = b"BMA3";
const CHECKSUM: usize = 64;
/// Bytes of the header of a block, and of a root inside an inode. The level and the number of
/// records are the last words of the latter.
const HEADER: usize = 72;
const ROOT_HEADER: usize = 4;
/// No tree is higher.
const MOST_LEVELS: u16 = 9;
/// Bytes of a key, and of a pointer.
const WORD: usize = 8;

/// A block of extents.
pub struct Leaf {
    offset: u64,
    bytes: Vec<u8>,
    /// Nodes above it, from the root down: their offset if they are blocks, and the key followed.
    way: Vec<(Option<u64>, usize)>,
}

impl Leaf {
    /// The block that has, or would have, all extents from `start` to `end`; none if there is no
    /// such block, or the tree makes no sense.
    pub fn find(
        overlay: &mut Overlay,
        superblock: &Superblock,
        inode: &[u8],
        start: u64,
        end: u64,
    ) -> Result<Option<Self>, Error> {
        let Some(top) = fork::part(inode, Side::Data) else { return Ok(None) };
        let (mut level, mut count) = (be16(top, 0), be16(top, 2));
        let mut body = top.get(ROOT_HEADER..).unwrap_or_default().to_vec();
        let (mut way, mut offset) = (Vec::new(), None);
        if !(1..=MOST_LEVELS).contains(&level) {
            return Ok(None);
        }
        loop {
            let Some((index, block)) = follow(&body, usize::from(count), start, end) else {
                return Ok(None);
            };
            way.push((offset, index));
            level -= 1;
            let Some((at, bytes)) = read(overlay, superblock, block, level)? else {
                return Ok(None);
            };
            if level == 0 {
                return Ok(Some(Self { offset: at, bytes, way }));
            }
            (offset, count) = (Some(at), be16(&bytes, 6));
            body = bytes[HEADER..].to_vec();
        }
    }

    pub fn extents(&self) -> Vec<Extent> {
        let count = usize::from(be16(&self.bytes, 6));
        self.bytes[HEADER..].chunks_exact(RECORD).take(count).map(unpack).collect()
    }

    /// Extents that it has room for.
    pub fn room(&self) -> usize {
        (self.bytes.len() - HEADER) / RECORD
    }

    /// Writes other extents, at least one and at most as many as there is room for.
    pub fn write(
        mut self,
        overlay: &mut Overlay,
        inode: &mut [u8],
        extents: &[Extent],
    ) -> Result<(), Error> {
        self.bytes[6..8].copy_from_slice(&(extents.len() as u16).to_be_bytes());
        for (record, extent) in self.bytes[HEADER..].chunks_exact_mut(RECORD).zip(extents) {
            record.copy_from_slice(&pack(*extent).to_be_bytes());
        }
        write(overlay, self.offset, &mut self.bytes)?;
        let key = extents.first().map_or(0, |extent| extent.start).to_be_bytes();
        for (offset, index) in self.way.into_iter().rev() {
            let at = index * WORD;
            if let Some(offset) = offset {
                let mut bytes = overlay.bytes(offset, self.bytes.len() as u64)?;
                bytes[HEADER + at..HEADER + at + WORD].copy_from_slice(&key);
                write(overlay, offset, &mut bytes)?;
            } else if let Some(top) = fork::part_mut(inode, Side::Data) {
                top[ROOT_HEADER + at..ROOT_HEADER + at + WORD].copy_from_slice(&key);
            }
            // Keys further up are those of the first block below.
            if index > 0 {
                break;
            }
        }
        Ok(())
    }
}

/// The key to follow, and the block that it leads to; none if the next key is before `end`.
fn follow(body: &[u8], count: usize, start: u64, end: u64) -> Option<(usize, u64)> {
    let room = body.len() / (2 * WORD);
    if count == 0 || count > room {
        return None;
    }
    let key = |index: usize| be64(body, index * WORD);
    let after = (0..count).find(|index| key(*index) > start).unwrap_or(count);
    let index = after.saturating_sub(1);
    let next = index + 1;
    (next >= count || key(next) >= end).then(|| (index, be64(body, (room + index) * WORD)))
}

fn read(
    overlay: &mut Overlay,
    superblock: &Superblock,
    block: u64,
    level: u16,
) -> Result<Option<(u64, Vec<u8>)>, Error> {
    let size = superblock.block_size;
    let offset = superblock.block_offset(block).filter(|offset| overlay.contains(*offset, size));
    let Some(offset) = offset else { return Ok(None) };
    let bytes = overlay.bytes(offset, size)?;
    let sound = be32(&bytes, 0).to_be_bytes() == *MAGIC
        && be16(&bytes, 4) == level
        && usize::from(be16(&bytes, 6)) <= (bytes.len() - HEADER) / RECORD;
    Ok(sound.then_some((offset, bytes)))
}

fn write(overlay: &mut Overlay, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
    let sum = checksum::checksum(bytes, CHECKSUM);
    bytes[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
    overlay.put(offset, bytes)
}
