//! The metadata of a vhdx image: sizes, and whether it stands on a parent.
//!
//! ```text
//! "metadata", 10 count; from 32 on 32 bytes each: GUID, 16 offset, 20 length, 24 flags (4 required)
//! ```

use super::MIB;
use super::header::Region;
use crate::bytes::{le16, le32, le64};
use crate::error::Error;
use crate::layer::MOST_BYTES;
use block_source::BlockSource;

const MOST_ITEMS: usize = 2047;
const PARAMETERS: [u8; 16] = *b"\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b";
const SIZE: [u8; 16] = *b"\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8";
const SECTOR: [u8; 16] = *b"\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f";
/// The physical sector size and the name of the disk: no matter for its bytes.
const IGNORED: [[u8; 16]; 2] = [
    *b"\xc7\x48\xa3\xcd\x5d\x44\x71\x44\x9c\xc9\xe9\x88\x52\x51\xc5\x56",
    *b"\xab\x12\xca\xbe\xe6\xb2\x23\x45\x93\xef\xc3\x09\xe0\x00\xc7\x46",
];

/// What is needed of it, checked.
pub struct Metadata {
    pub block: u64,
    pub size: u64,
    pub sector: u64,
}

#[derive(Default)]
struct Found {
    block: Option<u64>,
    size: Option<u64>,
    sector: Option<u64>,
}

impl Metadata {
    pub fn read(file: &dyn BlockSource, region: Region) -> Result<Self, Error> {
        let mut table = vec![0; 64 << 10];
        if region.length < table.len() as u64 {
            return Error::corrupt("metadata too short", region.start);
        }
        file.read_exact_at(region.start, &mut table)?;
        let count = usize::from(le16(&table, 10));
        if !table.starts_with(b"metadata") || count > MOST_ITEMS {
            return Error::corrupt("no sound table of metadata", region.start);
        }
        let mut found = Found::default();
        for entry in table[32..].chunks_exact(32).take(count) {
            found.add(file, region, entry)?;
        }
        found.check(region.start)
    }
}

impl Found {
    fn add(&mut self, file: &dyn BlockSource, region: Region, entry: &[u8]) -> Result<(), Error> {
        let (offset, length) = (u64::from(le32(entry, 16)), u64::from(le32(entry, 20)));
        let mut value = [0; 8];
        let mut read = |size: u64| {
            if length < size || offset + length > region.length {
                return Error::corrupt("metadata out of range", region.start);
            }
            file.read_exact_at(region.start + offset, &mut value[..size as usize])?;
            Ok(le64(&value, 0))
        };
        match &entry[..16] {
            id if *id == PARAMETERS => {
                let value = read(8)?;
                if value >> 32 & 2 != 0 {
                    return Err(Error::unsupported("a vhdx that stands on a parent"));
                }
                self.block = Some(value & 0xffff_ffff);
            }
            id if *id == SIZE => self.size = Some(read(8)?),
            id if *id == SECTOR => self.sector = Some(read(4)?),
            id if IGNORED.iter().any(|ignored| id == ignored) => {}
            _ if le32(entry, 24) & 4 != 0 => {
                return Err(Error::unsupported("a vhdx with required metadata of unknown kind"));
            }
            _ => {}
        }
        Ok(())
    }

    fn check(self, at: u64) -> Result<Metadata, Error> {
        let (Some(block), Some(size), Some(sector)) = (self.block, self.size, self.sector) else {
            return Error::corrupt("metadata without a size", at);
        };
        let blocks = MIB..=256 * MIB;
        if !block.is_power_of_two() || !blocks.contains(&block) || !matches!(sector, 512 | 4096) {
            return Error::corrupt("block or sector size out of range", at);
        }
        if size > MOST_BYTES {
            return Err(Error::unsupported(format!("a disk of {size} bytes")));
        }
        Ok(Metadata { block, size, sector })
    }
}
