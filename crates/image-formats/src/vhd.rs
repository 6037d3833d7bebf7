//! vhd images (Virtual PC, Azure, Xen): fixed and dynamic ones. One that stands on a parent is
//! refused.
//!
//! ```text
//! footer  512 bytes at the end, big endian, and at the beginning too of a dynamic one:
//!         "conectix", 16 place of the header, 48 size, 60 type (2 fixed, 3 dynamic,
//!         4 differencing), 64 checksum
//! header  1024 bytes: "cxsparse", 16 place of the table, 28 entries, 32 block size, 36 checksum
//! table   u32 first sector of each block, or 0xffffffff
//! block   a bit for each sector that was written, up to whole sectors, and the sectors
//! ```

use crate::bytes::{be32, be64};
use crate::error::Error;
use crate::folder::Surroundings;
use crate::format::Edges;
use crate::layer::{Bytes, Layer, MOST_BYTES, Part, Written};
use crate::pieces::{Piece, pieces};
use block_source::{BlockSource, ReadError, check_bounds};
use std::sync::Arc;

const COOKIE: &[u8] = b"conectix";
const NOTHING: u32 = u32::MAX;

/// Whether the file starts as a dynamic vhd, or ends with a sound footer of a fixed one.
pub fn claims(edges: &Edges) -> bool {
    edges.has(0, COOKIE) || Footer::parse(&edges.tail).is_some_and(|footer| footer.kind == 2)
}

/// Opens a vhd image.
pub fn open(file: Bytes, _: &Surroundings) -> Result<Bytes, Error> {
    let edges = Edges::of(&*file)?;
    // That at the beginning is a copy, for the case that the file was cut off.
    let footer = Footer::parse(&edges.tail).or_else(|| Footer::parse(&edges.head));
    let Some(footer) = footer else { return Error::corrupt("no sound footer", 0) };
    match footer.kind {
        // All but the footer: who wrote it on a raw disk shall hide no more than itself.
        2 => Ok(Arc::new(Part::new(file, 0, edges.size - 512))),
        3 => Ok(Arc::new(Dynamic::open(file, &footer)?)),
        4 => Err(Error::unsupported("a vhd that stands on a parent")),
        other => Err(Error::unsupported(format!("a vhd of type {other}"))),
    }
}

struct Footer {
    header: u64,
    size: u64,
    kind: u32,
}

impl Footer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let sound = bytes.len() == 512 && bytes.starts_with(COOKIE);
        (sound && checksum(bytes, 64) == be32(bytes, 64)).then(|| Self {
            header: be64(bytes, 16),
            size: be64(bytes, 48),
            kind: be32(bytes, 60),
        })
    }
}

/// All bytes but the checksum's own four, added up and inverted.
fn checksum(bytes: &[u8], own: usize) -> u32 {
    let others = bytes[..own].iter().chain(&bytes[own + 4..]);
    !others.map(|byte| u32::from(*byte)).sum::<u32>()
}

struct Dynamic {
    file: Bytes,
    size: u64,
    block: u64,
    table: u64,
}

impl Dynamic {
    fn open(file: Bytes, footer: &Footer) -> Result<Self, Error> {
        let at = footer.header;
        if at.checked_add(1024).is_none_or(|end| end > file.size()) {
            return Error::corrupt("header past the end", at);
        }
        let mut header = [0; 1024];
        file.read_exact_at(at, &mut header)?;
        if !header.starts_with(b"cxsparse") || checksum(&header, 36) != be32(&header, 36) {
            return Error::corrupt("no sound header", at);
        }
        let (table, block) = (be64(&header, 16), u64::from(be32(&header, 32)));
        if !block.is_power_of_two() || block < 512 {
            return Error::corrupt("block size out of range", at + 32);
        }
        if footer.size > MOST_BYTES {
            return Err(Error::unsupported(format!("a disk of {} bytes", footer.size)));
        }
        let wanted = footer.size.div_ceil(block);
        let end = table.checked_add(wanted * 4);
        if u64::from(be32(&header, 28)) < wanted || end.is_none_or(|end| end > file.size()) {
            return Error::corrupt("table of blocks out of range", at + 28);
        }
        Ok(Self { file, size: footer.size, block, table })
    }

    /// Bytes of the bits before the sectors of a block.
    fn bits_length(&self) -> u64 {
        (self.block / 512).div_ceil(8).next_multiple_of(512)
    }

    fn read_piece(&self, piece: &mut Piece<'_>) -> Result<(), ReadError> {
        let mut entry = [0; 4];
        self.file.read_exact_at(self.table + piece.chunk * 4, &mut entry)?;
        let sector = be32(&entry, 0);
        if sector == NOTHING {
            piece.target.fill(0);
            return Ok(());
        }
        let start = u64::from(sector) * 512;
        let first = piece.inside / 512;
        let last = (piece.inside + piece.target.len() as u64 - 1) / 512;
        let mut bits = vec![0; (last / 8 - first / 8 + 1) as usize];
        self.file.read_exact_at(start + first / 8, &mut bits)?;
        let is_written = |sector: u64| {
            let byte = bits[(sector / 8 - first / 8) as usize];
            byte >> (7 - sector % 8) & 1 != 0
        };
        let data = start + self.bits_length() + piece.inside;
        if (first..=last).all(is_written) {
            return self.file.read_exact_at(data, piece.target);
        }
        pieces(piece.inside, piece.target, 512, |part| {
            if is_written(part.chunk) {
                return self.file.read_exact_at(data + part.at - piece.inside, part.target);
            }
            part.target.fill(0);
            Ok(())
        })
    }
}

impl BlockSource for Dynamic {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        pieces(offset, out, self.block, |piece| self.read_piece(piece))
    }
}

impl Layer for Dynamic {
    /// By whole blocks of the image, of 2 MiB as a rule.
    fn note_written(&self, written: &mut Written) -> Option<()> {
        let mut table = vec![0; 4096];
        let blocks = self.size.div_ceil(self.block);
        for first in (0..blocks).step_by(1024) {
            let count = (blocks - first).min(1024) as usize;
            written.may_read(4096)?;
            self.file.read_exact_at(self.table + first * 4, &mut table[..count * 4]).ok()?;
            for (index, entry) in table[..count * 4].chunks_exact(4).enumerate() {
                let sector = be32(entry, 0);
                if sector != NOTHING {
                    let start = (first + index as u64) * self.block;
                    let length = self.block.min(self.size - start);
                    let end = u64::from(sector) * 512 + self.bits_length() + length;
                    written.needs(&*self.file, Some(end), length);
                    written.add(start, self.block);
                }
            }
        }
        Some(())
    }
}
