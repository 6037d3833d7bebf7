//! qcow2 images, versions 2 and 3.
//!
//! Layout: <https://qemu-project.gitlab.io/qemu/interop/qcow2.html>. Plain and compressed (zlib,
//! zstd) clusters, subclusters (extended L2 entries), an external data file, and a backing file
//! or a chain of them, in the folder of the image. Of the disk only its present state is read, no
//! internal snapshot. Refused: encryption, an image marked corrupt, unknown features.
//!
//! No table is held: a read asks for the entries that it needs, so that an image takes no memory.

mod backing;
mod header;

use crate::bytes::be64;
use crate::error::Error;
use crate::folder::Surroundings;
use crate::format::Edges;
use crate::layer::{Bytes, Layer, Written};
use crate::pieces::{Piece, pieces};
use block_source::{BlockSource, ReadError, check_bounds};
use header::{Compression, Header};
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

/// No cluster is larger than 2 MiB, and so no window over it; qemu writes none that is.
const MOST_WINDOW_LOG: u32 = 21;
const OFFSET_MASK: u64 = 0x00ff_ffff_ffff_fe00;
const COPIED: u64 = 1 << 63;
const COMPRESSED: u64 = 1 << 62;
const READS_AS_ZERO: u64 = 1;

/// Whether the file starts as a qcow2 image.
pub fn claims(edges: &Edges) -> bool {
    edges.has(0, header::MAGIC)
}

/// Opens a qcow2 image and all that it stands on.
pub fn open(file: Bytes, around: &Surroundings) -> Result<Bytes, Error> {
    let header = Header::read(&*file)?;
    let names = header.names(&*file)?;
    let data = match (header.external, &names.data) {
        (true, Some(name)) => Some(backing::data_file(name, around)?),
        (true, None) => return Error::corrupt("no name of the external data file", 72),
        (false, _) => None,
    };
    let backing = names.backing.map(|backing| backing.open(around)).transpose()?;
    Ok(Arc::new(Qcow2 { file, data, backing, header }))
}

struct Qcow2 {
    file: Bytes,
    data: Option<Bytes>,
    backing: Option<Bytes>,
    header: Header,
}

/// Where the bytes of a cluster, or of a part of it, are.
enum Place {
    /// In the backing file, if there is one.
    Below,
    Zero,
    At(u64),
    Compressed {
        at: u64,
        length: u64,
    },
}

impl BlockSource for Qcow2 {
    fn size(&self) -> u64 {
        self.header.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.header.size, offset, out.len())?;
        pieces(offset, out, self.header.table_span(), |piece| self.read_in_table(piece))
    }
}

impl Qcow2 {
    /// Reads what one second-level table tells of.
    fn read_in_table(&self, piece: &mut Piece<'_>) -> Result<(), ReadError> {
        let Some(table) = self.table(piece.chunk)? else {
            return self.read_below(piece.at, piece.target);
        };
        let (cluster, entry_size) = (self.header.cluster(), self.header.entry_size());
        let first = piece.inside / cluster;
        let last = (piece.inside + piece.target.len() as u64 - 1) / cluster;
        let mut entries = vec![0; ((last - first + 1) * entry_size) as usize];
        self.file.read_exact_at(table + first * entry_size, &mut entries)?;
        let mut entries = entries.chunks_exact(entry_size as usize);
        pieces(piece.at, piece.target, cluster, |piece| {
            let entry = entries.next().expect("one for each cluster that is read");
            self.read_cluster(entry, piece)
        })
    }

    /// Where a second-level table is, if it was written.
    fn table(&self, index: u64) -> Result<Option<u64>, ReadError> {
        let at = self.header.l1_at + index * 8;
        let mut entry = [0; 8];
        self.file.read_exact_at(at, &mut entry)?;
        self.table_in(be64(&entry, 0), at).map_err(|error| ReadError::failed(at, error))
    }

    fn table_in(&self, entry: u64, at: u64) -> Result<Option<u64>, Error> {
        let table = entry & OFFSET_MASK;
        if !table.is_multiple_of(self.header.cluster()) {
            return Error::corrupt("second-level table that begins inside a cluster", at);
        }
        Ok(Some(table).filter(|table| *table != 0))
    }

    fn read_cluster(&self, entry: &[u8], piece: &mut Piece<'_>) -> Result<(), ReadError> {
        let failed = |error| ReadError::failed(piece.at, error);
        if let Place::Compressed { at, length } = self.place(entry, 0).map_err(failed)? {
            let bytes = self.unpack(at, length)?;
            let inside = piece.inside as usize;
            piece.target.copy_from_slice(&bytes[inside..inside + piece.target.len()]);
            return Ok(());
        }
        let start = piece.at - piece.inside;
        pieces(piece.at, piece.target, self.header.subcluster(), |piece| {
            let inside = piece.at - start;
            match self.place(entry, inside).map_err(|e| ReadError::failed(piece.at, e))? {
                Place::At(at) => self.data().read_exact_at(at, piece.target),
                Place::Below => self.read_below(piece.at, piece.target),
                Place::Zero | Place::Compressed { .. } => {
                    piece.target.fill(0);
                    Ok(())
                }
            }
        })
    }

    fn data(&self) -> &Bytes {
        self.data.as_ref().unwrap_or(&self.file)
    }

    /// What the backing file has there: zeroes past its end, and where there is none.
    fn read_below(&self, at: u64, target: &mut [u8]) -> Result<(), ReadError> {
        let Some(backing) = &self.backing else {
            target.fill(0);
            return Ok(());
        };
        let left = backing.size().saturating_sub(at);
        let inside = usize::try_from(left).unwrap_or(usize::MAX).min(target.len());
        let (inside, past) = target.split_at_mut(inside);
        past.fill(0);
        if inside.is_empty() { Ok(()) } else { backing.read_exact_at(at, inside) }
    }

    /// What an entry says of the byte that is so far inside its cluster.
    fn place(&self, entry: &[u8], inside: u64) -> Result<Place, Error> {
        let descriptor = be64(entry, 0);
        if descriptor & COMPRESSED != 0 {
            return self.compressed(descriptor);
        }
        let start = descriptor & OFFSET_MASK;
        if !start.is_multiple_of(self.header.cluster()) {
            return Error::corrupt("cluster that begins inside another", start);
        }
        // Only in a data file of its own can a cluster be at the very beginning.
        let written = start != 0 || (self.data.is_some() && descriptor & COPIED != 0);
        let (allocated, zero) = if self.header.extended {
            let index = inside / self.header.subcluster();
            let bits = be64(entry, 8) >> index;
            (bits & 1 != 0, bits >> 32 & 1 != 0)
        } else {
            (written, descriptor & READS_AS_ZERO != 0)
        };
        match (allocated, zero) {
            (_, true) if !self.header.extended && self.header.version >= 3 => Ok(Place::Zero),
            (false, true) if self.header.extended => Ok(Place::Zero),
            (true, false) if written => Ok(Place::At(start + inside)),
            (false, false) => Ok(Place::Below),
            _ => Error::corrupt("entry of a cluster that contradicts itself", start),
        }
    }

    fn compressed(&self, descriptor: u64) -> Result<Place, Error> {
        let split = 62 - (self.header.cluster_bits - 8);
        let at = descriptor & ((1 << split) - 1);
        if self.data.is_some() {
            return Error::corrupt("compressed cluster in an external data file", at);
        }
        let sectors = (descriptor & (COMPRESSED - 1)) >> split;
        Ok(Place::Compressed { at, length: (sectors + 1) * 512 - (at & 511) })
    }

    /// A whole cluster from its compressed bytes, whose length is known only to the sector and may
    /// reach past the end of the file.
    fn unpack(&self, at: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let length = length.min(self.file.size().saturating_sub(at));
        let mut packed = vec![0; length as usize];
        self.file.read_exact_at(at, &mut packed)?;
        let mut out = vec![0; self.header.cluster() as usize];
        let unpacked = match self.header.compression {
            Compression::Zlib => {
                flate2::read::DeflateDecoder::new(&packed[..]).read_exact(&mut out)
            }
            Compression::Zstd => {
                zstd::stream::read::Decoder::new(&packed[..]).and_then(|mut decoder| {
                    decoder.window_log_max(MOST_WINDOW_LOG)?;
                    decoder.read_exact(&mut out)
                })
            }
        };
        unpacked.map_err(|error| ReadError::failed(at, error))?;
        Ok(out)
    }

    /// Notes the clusters that one second-level table tells of.
    fn note_table(&self, first: u64, table: &[u8], written: &mut Written) -> Option<()> {
        let (cluster, subcluster) = (self.header.cluster(), self.header.subcluster());
        for (slot, entry) in table.chunks_exact(self.header.entry_size() as usize).enumerate() {
            if entry.iter().all(|byte| *byte == 0) {
                continue;
            }
            let start = first + slot as u64 * cluster;
            for inside in (0..cluster).step_by(subcluster as usize) {
                let left = self.header.size.saturating_sub(start + inside);
                match self.place(entry, inside).ok()? {
                    Place::At(at) => {
                        let length = subcluster.min(left);
                        written.needs(&**self.data(), at.checked_add(length), length);
                        written.add(start + inside, subcluster);
                    }
                    Place::Compressed { at, length } => {
                        // The last sector may reach past the end.
                        let end = (at + length).saturating_sub(511);
                        written.needs(&*self.file, Some(end), cluster.min(left));
                        written.add(start, cluster);
                        break;
                    }
                    Place::Below | Place::Zero => {}
                }
            }
        }
        Some(())
    }
}

impl Layer for Qcow2 {
    /// `None` also if a second-level table serves twice, which no sound image has.
    fn note_written(&self, written: &mut Written) -> Option<()> {
        let below = self.backing.as_ref().map_or(Some(()), |it| it.note_written(written));
        let mut seen = HashSet::new();
        let mut table = vec![0; self.header.cluster() as usize];
        let mut entries = vec![0; 8192];
        let tables = self.header.tables();
        for first in (0..tables).step_by(1024) {
            let count = (tables - first).min(1024);
            let entries = &mut entries[..count as usize * 8];
            self.file.read_exact_at(self.header.l1_at + first * 8, entries).ok()?;
            for (index, entry) in entries.chunks_exact(8).enumerate() {
                let Some(at) = self.table_in(be64(entry, 0), 0).ok()? else { continue };
                written.may_read(self.header.cluster())?;
                if !seen.insert(at) {
                    return None;
                }
                let start = (first + index as u64) * self.header.table_span();
                let end = at.saturating_add(self.header.cluster());
                if end > self.file.size() {
                    let left = self.header.size.saturating_sub(start);
                    written.needs(&*self.file, Some(end), self.header.table_span().min(left));
                    continue;
                }
                self.file.read_exact_at(at, &mut table).ok()?;
                self.note_table(start, &table, written)?;
            }
        }
        below
    }
}
