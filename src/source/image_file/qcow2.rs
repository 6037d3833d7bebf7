//! qcow2 images, versions 2 and 3.
//!
//! Layout: <https://qemu-project.gitlab.io/qemu/interop/qcow2.html>. Plain and compressed
//! (zlib, zstd) clusters. Refused: a backing file (it names a path on the scanning machine),
//! an external data file, encryption, extended L2 entries, an image marked corrupt.

use super::{Error, Image};
use crate::block::{BLOCK_SIZE, BlockFetcher, BlockSource, Done, FileSource, ReadError};
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

const MAGIC: &[u8; 4] = b"QFI\xfb";
/// Largest disk that is opened: 64 TiB, the largest EBS volume.
const MOST_BYTES: u64 = 64 << 40;
/// Largest first-level table, the bound that qemu itself sets.
const MOST_L1_BYTES: u64 = 32 << 20;
/// Second-level tables that are read to count what is written: those of 2 TiB in usual clusters.
const MOST_COUNTED_BYTES: u64 = 256 << 20;
/// No cluster is larger than 2 MiB, and so no window over it; qemu writes none that is.
const MOST_WINDOW_LOG: u32 = 21;
const OFFSET_MASK: u64 = 0x00ff_ffff_ffff_fe00;
const COMPRESSED: u64 = 1 << 62;
const READS_AS_ZERO: u64 = 1;

/// Whether the file starts as a qcow2 image.
pub fn claims(file: &File) -> std::io::Result<bool> {
    let mut magic = [0; 4];
    let read = file.read_at(&mut magic, 0)?;
    Ok(read == 4 && magic == *MAGIC)
}

/// Opens a qcow2 image.
pub fn open(file: File) -> Result<Image, Error> {
    let file = FileSource::new(file)?;
    let image = Qcow2::open(file)?;
    let allocated = image.allocated_blocks()?;
    Ok(Image { fetcher: Arc::new(image), allocated })
}

struct Qcow2 {
    file: FileSource,
    size: u64,
    cluster_bits: u32,
    l1: Vec<u64>,
    compression: Compression,
}

#[derive(Clone, Copy)]
enum Compression {
    Zlib,
    Zstd,
}

/// Where a cluster's bytes are.
enum Cluster {
    Zero,
    At(u64),
    Compressed { at: u64, length: u64 },
}

impl Qcow2 {
    fn open(file: FileSource) -> Result<Self, Error> {
        let mut head = [0; 112];
        let known = file.size().min(head.len() as u64) as usize;
        if known < 72 {
            return Err(Error::Corrupt { what: "header cut off", at: 0 });
        }
        read(&file, 0, &mut head[..known])?;
        let version = u32_at(&head, 4);
        let (size, cluster_bits) = (u64_at(&head, 24), u32_at(&head, 20));
        let compression = check_features(&head, version)?;
        if !(9..=21).contains(&cluster_bits) {
            return Err(Error::Corrupt { what: "cluster size out of range", at: 20 });
        }
        if size > MOST_BYTES {
            return Err(Error::Unsupported { feature: format!("a disk of {size} bytes") });
        }
        let wanted = size.div_ceil(1 << (2 * cluster_bits - 3));
        let l1_size = u64::from(u32_at(&head, 36));
        let l1_at = u64_at(&head, 40);
        let fits = wanted * 8 <= MOST_L1_BYTES
            && l1_at.checked_add(wanted * 8).is_some_and(|end| end <= file.size());
        if l1_size < wanted || !fits {
            return Err(Error::Corrupt { what: "first-level table out of range", at: 36 });
        }
        let l1 = first_level(&file, l1_at, wanted as usize)?;
        Ok(Self { file, size, cluster_bits, l1, compression })
    }

    fn cluster_size(&self) -> u64 {
        1 << self.cluster_bits
    }

    fn cluster(&self, entry: u64) -> Cluster {
        if entry & COMPRESSED != 0 {
            let split = 62 - (self.cluster_bits - 8);
            let at = entry & ((1 << split) - 1);
            let sectors = (entry & (COMPRESSED - 1)) >> split;
            return Cluster::Compressed { at, length: (sectors + 1) * 512 - (at & 511) };
        }
        match entry & OFFSET_MASK {
            _ if entry & READS_AS_ZERO != 0 => Cluster::Zero,
            0 => Cluster::Zero,
            at => Cluster::At(at),
        }
    }

    fn entry(&self, offset: u64) -> Result<Cluster, ReadError> {
        let cluster = offset >> self.cluster_bits;
        let per_table = self.cluster_bits - 3;
        let Some(at) = self.l1.get((cluster >> per_table) as usize).filter(|at| **at != 0) else {
            return Ok(Cluster::Zero);
        };
        let mut entry = [0; 8];
        self.file.read_exact_at(at + (cluster & ((1 << per_table) - 1)) * 8, &mut entry)?;
        Ok(self.cluster(u64::from_be_bytes(entry)))
    }

    fn read_range(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        let mut done = 0;
        while done < out.len() {
            let at = offset + done as u64;
            let inside = at & (self.cluster_size() - 1);
            let length = ((self.cluster_size() - inside) as usize).min(out.len() - done);
            let target = &mut out[done..done + length];
            match self.entry(at)? {
                Cluster::Zero => target.fill(0),
                Cluster::At(start) => self.file.read_exact_at(start + inside, target)?,
                Cluster::Compressed { at, length: packed } => {
                    let bytes = self.unpack(at, packed)?;
                    target.copy_from_slice(&bytes[inside as usize..inside as usize + length]);
                }
            }
            done += length;
        }
        Ok(())
    }

    /// A whole cluster from its compressed bytes, whose length is known only to the sector and may
    /// reach past the end of the file.
    fn unpack(&self, at: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let length = length.min(self.file.size().saturating_sub(at));
        let mut packed = vec![0; length as usize];
        self.file.read_exact_at(at, &mut packed)?;
        let mut out = vec![0; self.cluster_size() as usize];
        let unpacked = match self.compression {
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

    /// 512 KiB blocks of the disk in which at least one cluster is written. `None` if that is too
    /// much to count, or if a second-level table serves twice, which no sound image has.
    fn allocated_blocks(&self) -> Result<Option<u64>, Error> {
        let most = (MOST_COUNTED_BYTES >> self.cluster_bits) as usize;
        let mut seen = HashSet::new();
        let mut table = vec![0; self.cluster_size() as usize];
        let mut count = Count::default();
        for (index, at) in self.l1.iter().enumerate().filter(|(_, at)| **at != 0) {
            if seen.len() >= most || !seen.insert(*at) {
                return Ok(None);
            }
            read(&self.file, *at, &mut table)?;
            for (slot, entry) in table.chunks_exact(8).enumerate() {
                if !matches!(self.cluster(u64_at(entry, 0)), Cluster::Zero) {
                    let cluster = ((index as u64) << (self.cluster_bits - 3)) + slot as u64;
                    count.add(cluster << self.cluster_bits, self.cluster_size());
                }
            }
        }
        Ok(Some(count.blocks))
    }
}

/// Counts the blocks that stretches cover, which come in rising order.
#[derive(Default)]
struct Count {
    blocks: u64,
    /// All before this block is counted.
    to: u64,
}

impl Count {
    fn add(&mut self, start: u64, length: u64) {
        let behind = (start + length).div_ceil(BLOCK_SIZE);
        self.blocks += behind.saturating_sub(self.to.max(start / BLOCK_SIZE));
        self.to = self.to.max(behind);
    }
}

/// The first-level table, read in pieces: it can be as large as all else that is held.
fn first_level(file: &FileSource, at: u64, entries: usize) -> Result<Vec<u64>, Error> {
    let mut table = Vec::with_capacity(entries);
    let mut piece = [0; 8192];
    while table.len() < entries {
        let bytes = &mut piece[..((entries - table.len()) * 8).min(8192)];
        read(file, at + table.len() as u64 * 8, bytes)?;
        table.extend(bytes.chunks_exact(8).map(|entry| u64_at(entry, 0) & OFFSET_MASK));
    }
    Ok(table)
}

fn check_features(head: &[u8], version: u32) -> Result<Compression, Error> {
    let unsupported = |feature: &str| Err(Error::Unsupported { feature: feature.to_owned() });
    if u64_at(head, 8) != 0 {
        return unsupported("qcow2 with a backing file; convert it with qemu-img first");
    }
    if u32_at(head, 32) != 0 {
        return unsupported("encrypted qcow2");
    }
    match version {
        2 => return Ok(Compression::Zlib),
        3 => {}
        _ => return Err(Error::Unsupported { feature: format!("qcow2 version {version}") }),
    }
    let incompatible = u64_at(head, 72);
    if incompatible & 2 != 0 {
        return Err(Error::Corrupt { what: "image marked as corrupt", at: 72 });
    }
    // Dirty (1) only says that reference counts may be off; compression type (8) is read below.
    match incompatible & !(1 | 8) {
        0 => {}
        4 => return unsupported("qcow2 with an external data file"),
        16 => return unsupported("qcow2 with extended L2 entries"),
        other => {
            return Err(Error::Unsupported { feature: format!("qcow2 feature bits {other:#x}") });
        }
    }
    match (incompatible & 8, head[104]) {
        (0, _) | (_, 0) => Ok(Compression::Zlib),
        (_, 1) => Ok(Compression::Zstd),
        (_, other) => Err(Error::Unsupported { feature: format!("qcow2 compression {other}") }),
    }
}

impl BlockFetcher for Qcow2 {
    fn size(&self) -> u64 {
        self.size
    }

    fn fetch(&self, block: u64, done: Done) {
        let start = block * BLOCK_SIZE;
        let length = BLOCK_SIZE.min(self.size.saturating_sub(start));
        let mut bytes = vec![0; length as usize];
        done(self.read_range(start, &mut bytes).map(|()| Some(bytes.into())));
    }
}

fn read(file: &FileSource, at: u64, out: &mut [u8]) -> Result<(), Error> {
    file.read_exact_at(at, out).map_err(|error| Error::Read(std::io::Error::other(error)))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
