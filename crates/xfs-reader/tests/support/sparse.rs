//! A small disk by its sectors, which can be harmed, sealed with checksums that hold, counted, and
//! kept in a few bytes. Shared with the fuzz target.

use block_source::{BlockSource, ReadError, check_bounds};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const SECTOR: usize = 512;
#[allow(dead_code, reason = "not all that share this use it")]
const RECORD: usize = 4 + SECTOR;

/// A disk of which all sectors are zeroes but some.
#[derive(Debug, Default)]
pub struct Sparse {
    sectors: BTreeMap<u64, [u8; SECTOR]>,
    size: u64,
    read: AtomicU64,
    touched: Mutex<BTreeSet<u64>>,
}

impl Clone for Sparse {
    fn clone(&self) -> Self {
        Self { sectors: self.sectors.clone(), size: self.size, ..Self::default() }
    }
}

impl BlockSource for Sparse {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        self.read.fetch_add(out.len() as u64, Ordering::Relaxed);
        self.copy(offset, out);
        if let Ok(mut touched) = self.touched.lock() {
            let sectors =
                offset / SECTOR as u64..(offset + out.len() as u64).div_ceil(SECTOR as u64);
            touched.extend(self.sectors.range(sectors).map(|(index, _)| *index));
        }
        Ok(())
    }
}

impl Sparse {
    /// The sectors of an image that are not all zeroes.
    #[allow(dead_code, reason = "not all that share this use it")]
    pub fn of(image: &[u8]) -> Self {
        let sectors = image.as_chunks::<SECTOR>().0;
        let used = (0..).zip(sectors).filter(|(_, sector)| sector.iter().any(|byte| *byte != 0));
        let sectors = used.map(|(index, sector)| (index, *sector)).collect();
        Self { sectors, size: image.len() as u64, ..Self::default() }
    }

    /// The megabytes of the disk, whether checksums are made to hold, then each sector after its
    /// number.
    #[allow(dead_code, reason = "not all that share this use it")]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let [megabytes, sealed, records @ ..] = bytes else { return Self::default() };
        let size = u64::from(*megabytes) << 20;
        let records = records.as_chunks::<RECORD>().0.iter().map(|record| {
            let (index, sector) = record.split_at(4);
            let index = u32::from_le_bytes([index[0], index[1], index[2], index[3]]);
            let mut bytes = [0; SECTOR];
            bytes.copy_from_slice(sector);
            (u64::from(index), bytes)
        });
        let inside = records.filter(|(index, _)| *index < size / SECTOR as u64);
        let mut disk = Self { sectors: inside.collect(), size, ..Self::default() };
        if is_sealed(*sealed) {
            disk.seal();
        }
        disk
    }

    /// Bytes that were read so far.
    #[allow(dead_code, reason = "not all that share this use it")]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Sectors that are not zeroes and were read so far.
    #[allow(dead_code, reason = "not all that share this use it")]
    pub fn touched(&self) -> BTreeSet<u64> {
        self.touched.lock().map(|touched| touched.clone()).unwrap_or_default()
    }

    /// A byte, to be changed.
    #[allow(dead_code, reason = "not all that share this use it")]
    pub fn byte(&mut self, offset: u64) -> &mut u8 {
        let sector = self.sectors.entry(offset / SECTOR as u64).or_insert([0; SECTOR]);
        &mut sector[offset as usize % SECTOR]
    }

    fn copy(&self, offset: u64, out: &mut [u8]) {
        out.fill(0);
        let end = offset + out.len() as u64;
        let sectors = offset / SECTOR as u64..end.div_ceil(SECTOR as u64);
        for (index, sector) in self.sectors.range(sectors) {
            let start = index * SECTOR as u64;
            let (from, to) = (offset.max(start), end.min(start + SECTOR as u64));
            let part = &sector[(from - start) as usize..(to - start) as usize];
            out[(from - offset) as usize..(to - offset) as usize].copy_from_slice(part);
        }
    }

    /// Makes all checksums of version 5 hold, whatever was harmed.
    pub fn seal(&mut self) {
        let sizes = self.sizes();
        let indexes: Vec<_> = self.sectors.keys().copied().collect();
        for index in indexes {
            let Some((length, at)) = sizes.checksum(&self.sectors[&index]) else { continue };
            let mut whole = vec![0; length.min((self.size - index * SECTOR as u64) as usize)];
            self.copy(index * SECTOR as u64, &mut whole);
            whole[at..at + 4].fill(0);
            let sum = crc32c::crc32c(&whole).to_le_bytes();
            if let Some(sector) = self.sectors.get_mut(&index) {
                sector[at..at + 4].copy_from_slice(&sum);
            }
        }
    }

    fn sizes(&self) -> Sizes {
        let mut raw = [0; SECTOR];
        self.copy(0, &mut raw);
        let block = u32::from_be_bytes([raw[4], raw[5], raw[6], raw[7]]) as usize;
        let block = block.clamp(SECTOR, 1 << 16);
        Sizes {
            sector: usize::from(u16::from_be_bytes([raw[102], raw[103]])).clamp(SECTOR, 1 << 15),
            inode: usize::from(u16::from_be_bytes([raw[104], raw[105]])).clamp(SECTOR, 1 << 11),
            folder_block: (block << (raw[192] % 8)).min(1 << 16),
            block,
        }
    }
}

/// Whether the second byte of a disk kept in bytes says that checksums are made to hold.
#[allow(dead_code, reason = "not all that share this use it")]
pub fn is_sealed(byte: u8) -> bool {
    byte & 1 == 1
}

struct Sizes {
    sector: usize,
    inode: usize,
    block: usize,
    folder_block: usize,
}

impl Sizes {
    /// Length and place of the checksum of the structure that starts with a sector, if any does.
    fn checksum(&self, sector: &[u8; SECTOR]) -> Option<(usize, usize)> {
        match &sector[..4] {
            b"XFSB" => Some((self.sector, 224)),
            b"BMA3" => Some((self.block, 64)),
            b"XDB3" | b"XDD3" => Some((self.folder_block, 4)),
            b"XSLM" | b"XARM" => Some((self.block, 12)),
            [b'I', b'N', ..] => Some((self.inode, 100)),
            _ => match u16::from_be_bytes([sector[8], sector[9]]) {
                0x3df1 | 0x3dff => Some((self.folder_block, 12)),
                0x3bee => Some((self.block, 12)),
                // Of a folder or of attributes, which may differ in size.
                0x3ebe => Some((self.folder_block.max(self.block), 12)),
                _ => None,
            },
        }
    }
}
