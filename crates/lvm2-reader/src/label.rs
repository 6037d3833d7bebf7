//! The label that makes a device a physical volume, in one of its first four sectors, and the
//! header behind it: `lib/label/label.h` and `lib/format_text/layout.h` of LVM2.

use crate::Error;
use crate::bytes::{u32_at, u64_at};
use crate::error::corrupt;
use block_source::{BlockSource, ReadError};
use std::ops::Range;

pub const SECTOR: usize = 512;
/// Sectors that are searched for a label.
const SEARCHED: usize = 4;
const CRC_START: usize = 20;
/// All four sectors of 512 bytes; a device that is shorter cannot be one.
pub const SEARCHED_BYTES: usize = SEARCHED * SECTOR;

/// What a physical volume says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its id of 32 characters.
    pub id: String,
    /// Bytes of the device when it was made.
    pub device_size: u64,
    /// Areas with metadata, in bytes of the device.
    pub metadata: Vec<Range<u64>>,
    /// Whether it is said to be in a group; volumes of old LVM do not say.
    pub used: Option<bool>,
}

/// Whether a device bears a label.
pub fn is_signed(device: &dyn BlockSource) -> Result<bool, ReadError> {
    Ok(sectors(device)?.chunks(SECTOR).any(signed))
}

/// The label of a device.
pub fn read(device: &dyn BlockSource) -> Result<Option<Label>, Error> {
    let raw = sectors(device)?;
    let mut failed = None;
    for (number, sector) in raw.chunks(SECTOR).enumerate().filter(|(_, sector)| signed(sector)) {
        match parse(sector, number as u64) {
            Ok(label) => return Ok(Some(label)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(None), Err)
}

fn sectors(device: &dyn BlockSource) -> Result<Vec<u8>, ReadError> {
    if device.size() < SEARCHED_BYTES as u64 {
        return Ok(Vec::new());
    }
    let mut raw = vec![0; SEARCHED_BYTES];
    device.read_exact_at(0, &mut raw)?;
    Ok(raw)
}

fn signed(sector: &[u8]) -> bool {
    sector.starts_with(b"LABELONE") && sector.get(24..32) == Some(b"LVM2 001")
}

// Offsets: 0 "LABELONE", 8 sector, 16 checksum, 20 offset of the header, 24 type. The header: 0 id,
// 32 device size, 40 areas of (offset, size), ended by zeroes: those of data, those of metadata;
// then an extension: 0 version, 4 flags.

fn parse(sector: &[u8], number: u64) -> Result<Label, Error> {
    if u64_at(sector, 8) != number {
        return Err(corrupt("sector of an LVM label that says it stands elsewhere", number));
    }
    if !holds(crc(&sector[CRC_START..]), u32_at(sector, 16)) {
        return Err(corrupt("checksum of the LVM label in sector", number));
    }
    let header = sector.get(u32_at(sector, CRC_START) as usize..).unwrap_or_default();
    let id = header.get(..32).filter(|id| id.iter().all(u8::is_ascii_alphanumeric));
    let id = id.ok_or_else(|| corrupt("id in the LVM label in sector", number))?;
    let mut at = 40;
    let mut areas = || -> Option<Vec<Range<u64>>> {
        let mut list = Vec::new();
        loop {
            header.get(at..at + 16)?;
            let (start, size) = (u64_at(header, at), u64_at(header, at + 8));
            at += 16;
            if start == 0 {
                return Some(list);
            }
            list.push(start..start.checked_add(size)?);
        }
    };
    let lists = areas().and_then(|_data| areas());
    let metadata = lists.ok_or_else(|| corrupt("areas in the LVM label in sector", number))?;
    let used = (u32_at(header, at) >= 2).then(|| u32_at(header, at + 4) & 1 != 0);
    let id = String::from_utf8_lossy(id).into_owned();
    Ok(Label { id, device_size: u64_at(header, 32), metadata, used })
}

/// LVM's checksum: CRC-32, started from a number of its own and not inverted at the end.
pub fn crc(bytes: &[u8]) -> u32 {
    const START: u32 = 0xf597_a6cf;
    let mut sum = crc32fast::Hasher::new_with_initial(!START);
    sum.update(bytes);
    !sum.finalize()
}

/// Whether a checksum is the one that is stored. A fuzzer, which could not get past it, may.
pub fn holds(computed: u32, stored: u32) -> bool {
    cfg!(fuzzing) || computed == stored
}
