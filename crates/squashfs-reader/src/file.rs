//! Files: blocks one after the other, whose sizes a list behind the inode tells, and an end that may
//! be in a fragment.

use crate::Squashfs;
use crate::codec::unpack;
use crate::error::{Error, corrupt};
use crate::inode::{File, Inode, Kind};
use crate::metadata::Cursor;
use std::ops::Range;
use std::sync::Arc;

/// Set in a size: the block is not packed.
const PLAIN: u32 = 1 << 24;
/// Blocks of a file that is read: 64 GiB at 4 KiB, 16 TiB at 1 MiB.
const MOST_BLOCKS: u64 = 1 << 24;
/// Sizes that are read at once.
const PIECE: usize = 2048;

pub fn read_at(
    image: &Squashfs,
    inode: &Inode,
    offset: u64,
    out: &mut [u8],
) -> Result<usize, Error> {
    let file = of(inode)?;
    let left = usize::try_from(file.size.saturating_sub(offset)).unwrap_or(usize::MAX);
    let length = out.len().min(left);
    let parts = Parts::new(image, file, offset..offset + length as u64)?;
    let mut done = 0;
    for part in parts.all {
        let bytes = &mut out[done..done + part.inside.len()];
        part.fill(image, bytes)?;
        done += bytes.len();
    }
    Ok(done)
}

pub fn ranges(
    image: &Squashfs,
    inode: &Inode,
    bytes: Range<u64>,
) -> Result<Vec<Range<u64>>, Error> {
    let file = of(inode)?;
    let end = bytes.end.min(file.size);
    let parts = Parts::new(image, file, bytes.start.min(end)..end)?;
    let mut all: Vec<Range<u64>> = Vec::new();
    for part in parts.all {
        let range = part.at..part.at.saturating_add(u64::from(part.size & (PLAIN - 1)));
        match all.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if last.end == range.start => last.end = range.end,
            _ => all.push(range),
        }
    }
    Ok(all)
}

fn of(inode: &Inode) -> Result<&File, Error> {
    match &inode.kind {
        Kind::File(file) => Ok(file),
        _ => Err(corrupt("no file", inode.at.0)),
    }
}

/// A block on disk, and which of its unpacked bytes are wanted.
struct Part {
    at: u64,
    /// Size word; zero is a hole.
    size: u32,
    /// Most bytes that it may unpack to.
    unpacked: usize,
    inside: Range<usize>,
}

struct Parts {
    all: Vec<Part>,
}

impl Parts {
    fn new(image: &Squashfs, file: &File, bytes: Range<u64>) -> Result<Self, Error> {
        let block = u64::from(image.superblock.block_size);
        // The end is no block of its own if it is in a fragment.
        let whole = file.size / block;
        let blocks = if file.fragment.is_some() { whole } else { file.size.div_ceil(block) };
        let mut all = Vec::new();
        if bytes.is_empty() {
            return Ok(Self { all });
        }
        let first = bytes.start / block;
        let last = (bytes.end - 1) / block;
        let sizes = sizes(image, file, blocks.min(last + 1), blocks)?;
        let mut at = file.start;
        for (index, size) in (0..).zip(sizes.iter()).take_while(|it| it.0 <= last) {
            if index >= first {
                let inside = inside(&bytes, index, block);
                let unpacked = (file.size - index * block).min(block) as usize;
                all.push(Part { at, size: *size, unpacked, inside });
            }
            at = at.saturating_add(u64::from(size & (PLAIN - 1)));
        }
        if last >= blocks {
            let (fragment, offset) = file.fragment.ok_or_else(|| corrupt("end of a file", at))?;
            let found = image.fragment(fragment)?;
            let part = inside(&bytes, whole, block);
            let skip = offset as usize;
            let inside = skip.saturating_add(part.start)..skip.saturating_add(part.end);
            let unpacked = block as usize;
            all.push(Part { at: found.at, size: found.size, unpacked, inside });
        }
        Ok(Self { all })
    }
}

/// Which bytes of a block are in a range of the file.
fn inside(bytes: &Range<u64>, index: u64, block: u64) -> Range<usize> {
    let start = index * block;
    let from = bytes.start.saturating_sub(start);
    let to = bytes.end.saturating_sub(start).min(block);
    from as usize..to as usize
}

/// Sizes of at least the first `count` of a file's blocks.
fn sizes(image: &Squashfs, file: &File, count: u64, blocks: u64) -> Result<Arc<Vec<u32>>, Error> {
    let (at, offset) = file.list;
    if count > MOST_BLOCKS {
        let feature = format!("squashfs files of more than {MOST_BLOCKS} blocks");
        return Err(Error::Unsupported { feature });
    }
    // A list for each power of two, so that the start of a large file costs little.
    let rounded = count.next_power_of_two().max(PIECE as u64);
    let key = (at << 13 | offset as u64 & 0x1fff) ^ u64::from(rounded.ilog2()) << 57;
    image.lists.get(key, || read_sizes(image, file, rounded.min(blocks)))
}

fn read_sizes(image: &Squashfs, file: &File, count: u64) -> Result<Vec<u32>, Error> {
    let mut cursor = Cursor::new(image, file.list.0, file.list.1);
    let mut sizes = Vec::new();
    let mut left = count as usize;
    // Piece by piece, so that a false count costs no more than what is there.
    while left > 0 {
        let now = left.min(PIECE);
        let mut bytes = vec![0; now * 4];
        cursor.fill(&mut bytes)?;
        let words = bytes.chunks_exact(4);
        sizes.extend(words.map(|it| u32::from_le_bytes([it[0], it[1], it[2], it[3]])));
        left -= now;
    }
    Ok(sizes)
}

impl Part {
    fn fill(&self, image: &Squashfs, out: &mut [u8]) -> Result<(), Error> {
        let size = self.size & (PLAIN - 1);
        if size == 0 {
            out.fill(0);
            return Ok(());
        }
        if size > image.superblock.block_size || self.size >> 25 != 0 {
            return Err(corrupt("size of a block", self.at));
        }
        let bytes = image.data.get(self.at, || self.unpack(image, size as usize))?;
        let part = bytes.get(self.inside.clone());
        out.copy_from_slice(part.ok_or_else(|| corrupt("block too short", self.at))?);
        Ok(())
    }

    fn unpack(&self, image: &Squashfs, size: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; size];
        image.source.read_exact_at(self.at, &mut bytes)?;
        if self.size & PLAIN != 0 {
            return Ok(bytes);
        }
        let found = unpack(image.superblock.compression, &bytes, self.unpacked);
        found.ok_or_else(|| corrupt("packed block", self.at))
    }
}
