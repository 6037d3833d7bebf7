//! Disks packed by gzip, xz or zstd.
//!
//! They are read at any place, so they are unpacked once: into a temporary file without a name,
//! which the kernel drops with the process however that ends. Blocks of zeroes become holes.

use crate::error::Error;
use crate::format::Edges;
use crate::layer::MOST_BYTES;
use crate::{Limits, Unpacking, Watch};
use block_source::BlockSource;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are unpacked at once, and the size of holes.
const STRIDE: usize = 64 << 10;
/// What small files may unpack to without being asked for it.
const LEAST_LIMIT: u64 = 64 << 30;
/// How many times their size larger ones may.
const RATIO: u64 = 4096;
/// Largest windows, those of `xz -9` and `zstd --ultra -22`.
const MOST_XZ_KIB: u32 = 256 << 10;
const MOST_ZSTD_LOG: u32 = 27;

/// How a file is packed.
#[derive(Clone, Copy)]
pub enum Packing {
    Gzip,
    Xz,
    Zstd,
}

impl Packing {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// Tells by the first bytes whether a file is packed.
pub fn recognise(edges: &Edges) -> Option<Packing> {
    let known = [
        (Packing::Gzip, &b"\x1f\x8b\x08"[..]),
        (Packing::Xz, b"\xfd7zXZ\0"),
        (Packing::Zstd, b"\x28\xb5\x2f\xfd"),
    ];
    known.into_iter().find(|(_, magic)| edges.has(0, magic)).map(|(packing, _)| packing)
}

/// What a file was unpacked to.
pub struct Unpacked {
    pub file: File,
    /// Why there is no more, if the packed file was cut off.
    pub cut: Option<Error>,
}

/// Unpacks a file to a temporary one. Of one that was cut off, what came before is kept; of one that is damaged
/// nothing, for much can come out of a decoder before it sees that it is wrong.
pub fn unpack(
    packed: Arc<dyn BlockSource>,
    packing: Packing,
    limits: &Limits,
    watch: Watch,
) -> Result<Unpacked, Error> {
    let total = packed.size();
    let bounds = Bounds::of(total, limits);
    let read = Arc::new(AtomicU64::new(0));
    watch(Unpacking { packing: packing.name(), read: read.clone(), total });
    let failed = |source| Error::Packed {
        packing: packing.name(),
        at: read.load(Ordering::Relaxed),
        source,
    };
    let input = BufReader::with_capacity(STRIDE, Sequential { file: packed, at: read.clone() });
    let mut decoder = decoder(input, packing).map_err(failed)?;
    let folder = limits.temporary.clone().unwrap_or_else(std::env::temp_dir);
    let file = tempfile::tempfile_in(&folder)?;
    let room = room(&file)?;
    let (mut size, mut kept) = (0, 0);
    let mut buffer = vec![0; STRIDE];
    let cut = loop {
        let (length, cut) = fill(&mut *decoder, &mut buffer).map_err(failed)?;
        if length == 0 {
            break cut;
        }
        let bytes = &buffer[..length];
        if bytes.iter().any(|byte| *byte != 0) {
            kept += length as u64;
            if kept > room {
                return Err(Error::NoRoom { most: room, folder });
            }
            file.write_all_at(bytes, size).map_err(failed)?;
        }
        size += length as u64;
        bounds.check(size)?;
        if cut.is_some() {
            break cut;
        }
    };
    let cut = cut.map(failed);
    if size == 0
        && let Some(error) = cut
    {
        return Err(error);
    }
    file.set_len(size)?;
    Ok(Unpacked { file, cut })
}

struct Bounds {
    most: u64,
    of: &'static str,
}

impl Bounds {
    fn of(packed: u64, limits: &Limits) -> Self {
        match limits.unpacked {
            Some(most) => Self { most, of: "that are allowed" },
            None => Self {
                most: packed.saturating_mul(RATIO).clamp(LEAST_LIMIT, MOST_BYTES),
                of: "that so small a file may",
            },
        }
    }

    fn check(&self, size: u64) -> Result<(), Error> {
        if size > self.most {
            return Err(Error::TooLarge { most: self.most, of: self.of });
        }
        Ok(())
    }
}

/// What may be written: nine tenths of what is free.
fn room(file: &File) -> Result<u64, Error> {
    let free = rustix::fs::fstatvfs(file).map_err(std::io::Error::from)?;
    Ok(free.f_bavail.saturating_mul(free.f_frsize) / 10 * 9)
}

fn decoder(input: BufReader<Sequential>, packing: Packing) -> std::io::Result<Box<dyn Read>> {
    Ok(match packing {
        Packing::Gzip => Box::new(MultiGzDecoder::new(input)),
        Packing::Xz => Box::new(XzReader::new_mem_limit(input, true, MOST_XZ_KIB)),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(MOST_ZSTD_LOG)?;
            Box::new(decoder)
        }
    })
}

/// Reads until the buffer is full or the stream ends; with the error if it ends before it should.
fn fill(
    decoder: &mut dyn Read,
    buffer: &mut [u8],
) -> std::io::Result<(usize, Option<std::io::Error>)> {
    let mut filled = 0;
    while filled < buffer.len() {
        match decoder.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Ok((filled, Some(error)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((filled, None))
}

/// A file read from its beginning to its end.
struct Sequential {
    file: Arc<dyn BlockSource>,
    at: Arc<AtomicU64>,
}

impl Read for Sequential {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let at = self.at.load(Ordering::Relaxed);
        let left = usize::try_from(self.file.size().saturating_sub(at)).unwrap_or(usize::MAX);
        let length = left.min(out.len());
        self.file.read_exact_at(at, &mut out[..length]).map_err(std::io::Error::other)?;
        self.at.store(at + length as u64, Ordering::Relaxed);
        Ok(length)
    }
}
