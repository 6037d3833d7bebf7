//! A file's bytes.

use super::checksums;
use super::extents::{self, Data, Decoded, Extent};
use super::pool::Pool;
use crate::filesystem::Error;
use fs_btrfs::compression::{Compression, ShortDecode, decompress};
use fs_btrfs::inode::{INODE_NODATACOW, INODE_NODATASUM, Inode};
use std::ops::Range;

/// Bytes of one read of a device.
const PIECE: u64 = 1 << 20;

/// A file, or a link with its target.
pub struct File<'a> {
    /// The filesystem.
    pub pool: &'a Pool,
    /// Unpacked extents.
    pub decoded: &'a Decoded,
    /// Root of the tree of checksums.
    pub checksums: Option<u64>,
    /// Root of the subvolume.
    pub root: u64,
    /// The inode.
    pub inode: &'a Inode,
}

impl File<'_> {
    /// Fills `out` from `offset`; fewer bytes only where the file ends.
    pub fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        if !self.inode.is_regular_file() && !self.inode.is_symlink() {
            return Err(Error::Corrupt { what: format!("inode {} is no file", self.inode.ino) });
        }
        let left = self.inode.size.saturating_sub(offset);
        let length = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let out = &mut out[..length];
        out.fill(0);
        let end = offset + length as u64;
        for extent in extents::of(self.pool, self.root, self.inode.ino, offset..end)? {
            let from = extent.start.max(offset);
            let to = extent.start.saturating_add(extent.length).min(end);
            if from < to {
                let part = &mut out[(from - offset) as usize..(to - offset) as usize];
                self.fill(&extent, from - extent.start, part)?;
            }
        }
        Ok(length)
    }

    /// Fills `out` with an extent's bytes from `skip`.
    fn fill(&self, extent: &Extent, skip: u64, out: &mut [u8]) -> Result<(), Error> {
        let (bytes, skip) = match &extent.data {
            Data::Plain(at) => return self.plain(at.checked_add(skip), out),
            Data::Inline { bytes, packing, unpacked } => {
                let bytes = self.unpack(*packing, bytes, *unpacked, ShortDecode::Pad)?;
                (std::sync::Arc::new(bytes), Some(skip))
            }
            Data::Packed { at, size, packing, unpacked, skip: inside } => {
                let read = || {
                    let mut packed = vec![0; *size];
                    self.sectors(*at, &mut packed)?;
                    // Only the end of a file may unpack to less than it says.
                    let last = extent.start.saturating_add(*unpacked as u64) >= self.inode.size;
                    let short = if last { ShortDecode::Pad } else { ShortDecode::Refuse };
                    self.unpack(*packing, &packed, *unpacked, short)
                };
                (self.decoded.get(*at, read)?, inside.checked_add(skip))
            }
        };
        let start = skip.and_then(|skip| usize::try_from(skip).ok());
        let end = start.and_then(|start| start.checked_add(out.len()));
        let part = start.zip(end).and_then(|(start, end)| bytes.get(start..end));
        let part = part.ok_or_else(|| Error::Corrupt {
            what: format!("extent at {} of inode {} is too short", extent.start, self.inode.ino),
        })?;
        out.copy_from_slice(part);
        Ok(())
    }

    fn unpack(
        &self,
        packing: Compression,
        bytes: &[u8],
        unpacked: usize,
        short: ShortDecode,
    ) -> Result<Vec<u8>, Error> {
        if !packing.is_compressed() {
            return Ok(bytes.to_vec());
        }
        let sector = self.pool.superblock.sectorsize as usize;
        Ok(decompress(packing, bytes, unpacked, sector, short)?)
    }

    fn plain(&self, at: Option<u64>, out: &mut [u8]) -> Result<(), Error> {
        let nowhere = || Error::Corrupt { what: "an extent past all addresses".to_owned() };
        let at = at.ok_or_else(nowhere)?;
        let end = at.checked_add(out.len() as u64).ok_or_else(nowhere)?;
        let mut from = at;
        while from < end {
            let to = end.min(from / PIECE * PIECE + PIECE);
            let part = &mut out[(from - at) as usize..(to - at) as usize];
            self.widened(from, part)?;
            from = to;
        }
        Ok(())
    }

    /// Reads whole sectors around what is asked for, for there are only checksums of those.
    fn widened(&self, at: u64, out: &mut [u8]) -> Result<(), Error> {
        let sector = u64::from(self.pool.superblock.sectorsize);
        let first = at / sector * sector;
        let end = (at + out.len() as u64).checked_next_multiple_of(sector);
        let end = end.ok_or_else(|| Error::Corrupt { what: "the last address".to_owned() })?;
        let mut whole = vec![0; (end - first) as usize];
        self.sectors(first, &mut whole)?;
        let skip = (at - first) as usize;
        out.copy_from_slice(&whole[skip..skip + out.len()]);
        Ok(())
    }

    fn sectors(&self, at: u64, out: &mut [u8]) -> Result<(), Error> {
        let summed = self.inode.flags & (INODE_NODATASUM | INODE_NODATACOW) == 0;
        checksums::read(self.pool, self.checksums.filter(|_| summed), at, out)
    }
}

/// Logical ranges that hold these bytes of a file.
pub fn spans(
    pool: &Pool,
    root: u64,
    inode: u64,
    bytes: Range<u64>,
) -> Result<Vec<Range<u64>>, Error> {
    let mut spans = Vec::new();
    for extent in extents::of(pool, root, inode, bytes.clone())? {
        let from = extent.start.max(bytes.start);
        let to = extent.start.saturating_add(extent.length).min(bytes.end);
        match extent.data {
            Data::Plain(at) if from < to => {
                let start = at.saturating_add(from - extent.start);
                spans.push(start..start.saturating_add(to - from));
            }
            Data::Packed { at, size, .. } => spans.push(at..at.saturating_add(size as u64)),
            _ => {}
        }
    }
    Ok(spans)
}
