//! The headers and the region tables, each of which a vhdx image has twice.
//!
//! ```text
//! header  4096 bytes at 64 and 128 KiB: "head", CRC-32C, 8 sequence number, 48 log GUID,
//!         64 log version, 66 version, 68 log length, 72 log offset
//! regions 64 KiB at 192 and 256 KiB: "regi", CRC-32C, 8 count; from 16 on 32 bytes each:
//!         GUID, 16 offset, 24 length, 28 required
//! ```

use super::MIB;
use super::log::Log;
use crate::bytes::{le16, le32, le64};
use crate::error::Error;
use block_source::BlockSource;

const HEADERS: [u64; 2] = [64 << 10, 128 << 10];
const REGION_TABLES: [u64; 2] = [192 << 10, 256 << 10];
const MOST_REGIONS: usize = 2047;
const TABLE: [u8; 16] = *b"\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08";
const METADATA: [u8; 16] = *b"\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";

/// The newer of the two headers that is sound.
pub struct Header {
    sequence: u64,
    /// The log, unless it is empty.
    pub log: Option<Log>,
}

impl Header {
    pub fn newest(file: &dyn BlockSource) -> Result<Self, Error> {
        let mut newest: Option<Self> = None;
        for at in HEADERS {
            let mut bytes = vec![0; 4096];
            // One that cannot be read is like one that is not sound: that is what two are for.
            let read = file.read_exact_at(at, &mut bytes);
            if read.is_err() || !bytes.starts_with(b"head") || !checksum_holds(&mut bytes) {
                continue;
            }
            let header = Self::parse(&bytes)?;
            if newest.as_ref().is_none_or(|other| other.sequence < header.sequence) {
                newest = Some(header);
            }
        }
        newest.ok_or(Error::Corrupt { what: "no sound header", at: HEADERS[0] })
    }

    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (log_version, version) = (le16(bytes, 64), le16(bytes, 66));
        if version != 1 || log_version != 0 {
            return Err(Error::unsupported(format!("vhdx version {version}, log {log_version}")));
        }
        let id: [u8; 16] = bytes[48..64].try_into().expect("sixteen bytes");
        let log = Log { id, length: u64::from(le32(bytes, 68)), start: le64(bytes, 72) };
        Ok(Self { sequence: le64(bytes, 8), log: (id != [0; 16]).then_some(log) })
    }
}

/// The checksum at byte 4 covers the whole, with zeroes in its own place.
pub fn checksum_holds(bytes: &mut [u8]) -> bool {
    let said = le32(bytes, 4);
    bytes[4..8].fill(0);
    crc32c::crc32c(bytes) == said
}

/// A stretch of the file.
#[derive(Clone, Copy)]
pub struct Region {
    pub start: u64,
    pub length: u64,
}

/// Where the tables are.
pub struct Regions {
    pub table: Region,
    pub metadata: Region,
}

impl Regions {
    pub fn read(file: &dyn BlockSource) -> Result<Self, Error> {
        for at in REGION_TABLES {
            let mut bytes = vec![0; 64 << 10];
            let read = file.read_exact_at(at, &mut bytes);
            if read.is_ok() && bytes.starts_with(b"regi") && checksum_holds(&mut bytes) {
                return Self::parse(&bytes, at);
            }
        }
        Error::corrupt("no sound region table", REGION_TABLES[0])
    }

    fn parse(bytes: &[u8], at: u64) -> Result<Self, Error> {
        let (mut table, mut metadata) = (None, None);
        let count = le32(bytes, 8) as usize;
        if count > MOST_REGIONS {
            return Error::corrupt("too many regions", at);
        }
        for entry in bytes[16..].chunks_exact(32).take(count) {
            let region = Region { start: le64(entry, 16), length: u64::from(le32(entry, 24)) };
            let outside = region.start < MIB || region.start > u64::MAX - region.length;
            match &entry[..16] {
                _ if outside => return Error::corrupt("region out of range", at),
                id if *id == TABLE => table = Some(region),
                id if *id == METADATA => metadata = Some(region),
                _ if le32(entry, 28) & 1 != 0 => {
                    return Err(Error::unsupported(
                        "a vhdx with a required region of unknown kind",
                    ));
                }
                _ => {}
            }
        }
        match (table, metadata) {
            (Some(table), Some(metadata)) => Ok(Self { table, metadata }),
            _ => Error::corrupt("no block allocation table or no metadata", at),
        }
    }
}
