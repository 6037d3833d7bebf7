//! vhdx images (Hyper-V): fixed and dynamic ones. One that stands on a parent is refused.
//!
//! Layout: Microsoft's MS-VHDX. A log that was not replayed is replayed in memory ([`log`]), since
//! without it the tables are those of some moment before.

mod header;
mod log;
mod metadata;

use crate::bytes::le64;
use crate::error::Error;
use crate::folder::Surroundings;
use crate::format::Edges;
use crate::layer::{Bytes, Layer, Written};
use crate::pieces::{Piece, pieces};
use block_source::{BlockSource, ReadError, check_bounds};
use header::{Header, Regions};
use metadata::Metadata;
use std::sync::Arc;

const MIB: u64 = 1 << 20;

/// Whether the file starts as a vhdx image.
pub fn claims(edges: &Edges) -> bool {
    edges.has(0, b"vhdxfile")
}

/// Opens a vhdx image.
pub fn open(file: Bytes, _: &Surroundings) -> Result<Bytes, Error> {
    let header = Header::newest(&*file)?;
    let file = match header.log {
        Some(log) => log.replay(file)?,
        None => file,
    };
    let regions = Regions::read(&*file)?;
    let metadata = Metadata::read(&*file, regions.metadata)?;
    let vhdx = Vhdx { file, table: regions.table.start, metadata };
    let (entries, length) = (vhdx.entries(), regions.table.length);
    if entries * 8 > length || vhdx.table + entries * 8 > vhdx.file.size() {
        return Error::corrupt("block allocation table out of range", vhdx.table);
    }
    Ok(Arc::new(vhdx))
}

struct Vhdx {
    file: Bytes,
    table: u64,
    metadata: Metadata,
}

impl Vhdx {
    /// Blocks of the disk, behind whose entries stands one for a bitmap of their sectors.
    fn ratio(&self) -> u64 {
        (self.metadata.sector << 23) / self.metadata.block
    }

    fn blocks(&self) -> u64 {
        self.metadata.size.div_ceil(self.metadata.block)
    }

    /// Entries up to that of the last block.
    fn entries(&self) -> u64 {
        self.blocks() + self.blocks().saturating_sub(1) / self.ratio()
    }

    fn read_piece(&self, piece: &mut Piece<'_>) -> Result<(), ReadError> {
        let at = self.table + (piece.chunk + piece.chunk / self.ratio()) * 8;
        let mut entry = [0; 8];
        self.file.read_exact_at(at, &mut entry)?;
        match place(le64(&entry, 0), at) {
            Ok(None) => {
                piece.target.fill(0);
                Ok(())
            }
            Ok(Some(start)) => {
                let from = start.checked_add(piece.inside);
                self.file.read_exact_at(from.unwrap_or(u64::MAX), piece.target)
            }
            Err(error) => Err(ReadError::failed(piece.at, error)),
        }
    }
}

/// Where a block is, if it holds anything.
fn place(entry: u64, at: u64) -> Result<Option<u64>, Error> {
    match entry & 7 {
        // Not present, undefined, zero, and unmapped, the last also as earlier versions wrote it.
        0..=3 | 5 => Ok(None),
        6 => Ok(Some(entry & !(MIB - 1))),
        _ => Error::corrupt("state of a block that only an image with a parent has", at),
    }
}

impl BlockSource for Vhdx {
    fn size(&self) -> u64 {
        self.metadata.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.metadata.size, offset, out.len())?;
        pieces(offset, out, self.metadata.block, |piece| self.read_piece(piece))
    }
}

impl Layer for Vhdx {
    /// By whole blocks of the image, of 1 MiB or more.
    fn note_written(&self, written: &mut Written) -> Option<()> {
        let (ratio, block) = (self.ratio(), self.metadata.block);
        let mut table = vec![0; 8192];
        for first in (0..self.entries()).step_by(1024) {
            let count = (self.entries() - first).min(1024) as usize;
            written.may_read(8192)?;
            self.file.read_exact_at(self.table + first * 8, &mut table[..count * 8]).ok()?;
            for (index, entry) in table[..count * 8].chunks_exact(8).enumerate() {
                let index = first + index as u64;
                // The last of each group is that of a bitmap.
                let of_block = index % (ratio + 1) != ratio;
                if of_block && let Some(at) = place(le64(entry, 0), 0).ok()? {
                    let start = (index - index / (ratio + 1)) * block;
                    let length = block.min(self.metadata.size.saturating_sub(start));
                    written.needs(&*self.file, at.checked_add(length), length);
                    written.add(start, block);
                }
            }
        }
        Some(())
    }
}
