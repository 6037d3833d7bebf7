//! One sparse extent: grains found through two levels of tables, plain or compressed.
//!
//! ```text
//! header  512 bytes: magic, version, flags, capacity, grain size, descriptor, entries in a
//!         table, redundant and primary directory (all in sectors), compression
//! footer  the same, 1024 bytes before the end, if the header gives no place of the directory
//! grain   compressed: u64 first sector on the disk, u32 length, zlib stream
//! ```

use crate::bytes::{le16, le32, le64};
use crate::error::Error;
use crate::layer::{Bytes, Layer, MOST_BYTES, Written, read_up_to};
use crate::pieces::{Piece, pieces};
use block_source::{BlockSource, ReadError, check_bounds};
use std::collections::HashSet;
use std::io::Read;

pub const MAGIC: &[u8] = b"KDMV";
const AT_END: u64 = u64::MAX;
const ZEROED_GRAINS: u32 = 1 << 2;
const COMPRESSED: u32 = 1 << 16;
const MARKERS: u32 = 1 << 17;
/// Largest grain: a grain is unpacked in memory. VMware writes 64 KiB.
const MOST_GRAIN: u64 = 2 << 20;

/// A sparse extent.
pub struct Sparse {
    file: Bytes,
    size: u64,
    grain: u64,
    entries: u64,
    directory: u64,
    descriptor: (u64, u64),
    flags: u32,
}

/// Where the bytes of a grain are.
enum Grain {
    Zero,
    At(u64),
    Compressed(u64),
}

impl Sparse {
    pub fn open(file: Bytes) -> Result<Self, Error> {
        let header = header(&file, 0)?;
        if le64(&header, 56) != AT_END {
            return Self::parse(file, &header, 0);
        }
        let at = file.size().saturating_sub(1024);
        let footer = self::header(&file, at)?;
        if le64(&footer, 56) == AT_END {
            return Error::corrupt("footer without the place of the directory", at);
        }
        Self::parse(file, &footer, at)
    }

    fn parse(file: Bytes, header: &[u8; 512], at: u64) -> Result<Self, Error> {
        let (version, flags) = (le32(header, 4), le32(header, 8));
        if !(1..=3).contains(&version) {
            return Err(Error::unsupported(format!("vmdk version {version}")));
        }
        let compression = le16(header, 77);
        if flags & COMPRESSED != 0 && compression != 1 {
            return Err(Error::unsupported(format!("vmdk compression {compression}")));
        }
        let bytes = |at| le64(header, at).checked_mul(512);
        let (Some(size), Some(grain)) = (bytes(12), bytes(20)) else {
            return Error::corrupt("size out of range", at);
        };
        let (Some(directory), Some(start), Some(length)) = (bytes(56), bytes(28), bytes(36)) else {
            return Error::corrupt("place out of range", at);
        };
        if size > MOST_BYTES {
            return Err(Error::unsupported(format!("a disk of {size} bytes")));
        }
        let entries = u64::from(le32(header, 44));
        if !grain.is_power_of_two() || grain > MOST_GRAIN || !(1..=512).contains(&entries) {
            return Error::corrupt("grain or table size out of range", at);
        }
        let sparse =
            Self { file, size, grain, entries, directory, descriptor: (start, length), flags };
        let end = directory.checked_add(sparse.tables() * 4);
        match end.filter(|end| *end <= sparse.file.size()) {
            Some(_) => Ok(sparse),
            None => Error::corrupt("grain directory past the end", at),
        }
    }

    /// The descriptor within, if there is one, and so far as it is not too long.
    pub fn descriptor(&self, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let (start, length) = self.descriptor;
        if start == 0 || length == 0 {
            return Ok(None);
        }
        Ok(Some(read_up_to(&*self.file, start, length.min(most))?))
    }

    /// Bytes of the disk that one table tells of.
    fn table_span(&self) -> u64 {
        self.grain * self.entries
    }

    fn tables(&self) -> u64 {
        self.size.div_ceil(self.table_span())
    }

    fn read_in_table(&self, piece: &mut Piece<'_>) -> Result<(), ReadError> {
        let mut entry = [0; 4];
        self.file.read_exact_at(self.directory + piece.chunk * 4, &mut entry)?;
        let table = u64::from(le32(&entry, 0)) * 512;
        if table == 0 {
            piece.target.fill(0);
            return Ok(());
        }
        let first = piece.inside / self.grain;
        let last = (piece.inside + piece.target.len() as u64 - 1) / self.grain;
        let mut entries = vec![0; ((last - first + 1) * 4) as usize];
        self.file.read_exact_at(table + first * 4, &mut entries)?;
        let mut entries = entries.chunks_exact(4).map(|entry| self.place(le32(entry, 0)));
        pieces(piece.at, piece.target, self.grain, |piece| {
            match entries.next().expect("one for each grain that is read") {
                Grain::Zero => {
                    piece.target.fill(0);
                    Ok(())
                }
                Grain::At(at) => self.file.read_exact_at(at + piece.inside, piece.target),
                Grain::Compressed(at) => self.read_compressed(at, piece),
            }
        })
    }

    fn place(&self, sector: u32) -> Grain {
        match sector {
            0 => Grain::Zero,
            1 if self.flags & ZEROED_GRAINS != 0 => Grain::Zero,
            sector if self.flags & COMPRESSED != 0 => Grain::Compressed(u64::from(sector) * 512),
            sector => Grain::At(u64::from(sector) * 512),
        }
    }

    fn read_compressed(&self, at: u64, piece: &mut Piece<'_>) -> Result<(), ReadError> {
        let start = piece.at - piece.inside;
        let (at, length) = self.packed(at, start).map_err(|error| ReadError::failed(at, error))?;
        let packed = read_up_to(&*self.file, at, length)?;
        // The last grain of a disk may be cut off where the disk ends.
        let mut bytes = vec![0; self.grain.min(self.size - start) as usize];
        flate2::read::ZlibDecoder::new(&packed[..])
            .read_exact(&mut bytes)
            .map_err(|error| ReadError::failed(at, error))?;
        let inside = piece.inside as usize;
        piece.target.copy_from_slice(&bytes[inside..inside + piece.target.len()]);
        Ok(())
    }

    /// Notes the grains that one table tells of.
    fn note_table(&self, start: u64, table: &[u8], written: &mut Written) {
        for (slot, entry) in table.chunks_exact(4).enumerate() {
            let at = start + slot as u64 * self.grain;
            let length = self.grain.min(self.size.saturating_sub(at));
            let end = match self.place(le32(entry, 0)) {
                Grain::Zero => continue,
                Grain::At(at) => at.checked_add(length),
                // How long it is stands with it.
                Grain::Compressed(at) => at.checked_add(1),
            };
            written.needs(&*self.file, end, length);
            written.add(at, self.grain);
        }
    }

    /// Where the stream of a grain is, which before it says which grain it is and how long.
    fn packed(&self, at: u64, start: u64) -> Result<(u64, u64), Error> {
        // Deflate makes bytes that it cannot pack longer by little.
        let most = self.grain * 2 + 1024;
        if self.flags & MARKERS == 0 {
            return Ok((at, most));
        }
        let mut marker = [0; 12];
        self.file.read_exact_at(at, &mut marker)?;
        if le64(&marker, 0) != start / 512 {
            return Error::corrupt("compressed grain of another place", at);
        }
        let length = u64::from(le32(&marker, 8));
        if length > most {
            return Error::corrupt("compressed grain too long", at);
        }
        Ok((at + 12, length))
    }
}

fn header(file: &Bytes, at: u64) -> Result<[u8; 512], Error> {
    let mut header = [0; 512];
    if file.size() < at + 512 {
        return Error::corrupt("header cut off", at);
    }
    file.read_exact_at(at, &mut header)?;
    if !header.starts_with(MAGIC) {
        return Error::corrupt("no header of a sparse vmdk", at);
    }
    Ok(header)
}

impl BlockSource for Sparse {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        pieces(offset, out, self.table_span(), |piece| self.read_in_table(piece))
    }
}

impl Layer for Sparse {
    /// `None` also if a table serves twice, which no sound image has.
    fn note_written(&self, written: &mut Written) -> Option<()> {
        let mut seen = HashSet::new();
        let mut directory = vec![0; 4096];
        let mut table = vec![0; self.entries as usize * 4];
        for first in (0..self.tables()).step_by(1024) {
            let count = (self.tables() - first).min(1024) as usize;
            written.may_read(4096)?;
            self.file
                .read_exact_at(self.directory + first * 4, &mut directory[..count * 4])
                .ok()?;
            for (index, entry) in directory[..count * 4].chunks_exact(4).enumerate() {
                let at = u64::from(le32(entry, 0)) * 512;
                if at == 0 {
                    continue;
                }
                written.may_read(table.len() as u64)?;
                if !seen.insert(at) {
                    return None;
                }
                let start = (first + index as u64) * self.table_span();
                let end = at.saturating_add(table.len() as u64);
                if end > self.file.size() {
                    let length = self.table_span().min(self.size.saturating_sub(start));
                    written.needs(&*self.file, Some(end), length);
                    continue;
                }
                self.file.read_exact_at(at, &mut table).ok()?;
                self.note_table(start, &table, written);
            }
        }
        Some(())
    }
}
