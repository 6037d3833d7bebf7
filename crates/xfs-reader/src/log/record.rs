//! Records, the units in which the log is written: one block of header, for large records some
//! blocks of further header, and the data. The first word of each block of data is moved to the
//! header, and the number of the turn written in its place.

use super::host::Order;
use super::ring::{BLOCK, MAGIC, Ring};
use super::shortfall::BadRecord;
use crate::Error;
use crate::bytes::{be32, be64, uuid};

/// Blocks of data that the words in one block of header belong to.
const PER_HEADER: usize = 64;
/// Bytes of data that each block of header stands for.
pub const HEADER_SPAN: u64 = 32 << 10;
/// The largest record: the kernel's largest buffer, and a stripe unit with it.
const MOST_DATA: u64 = 512 << 10;
const CYCLE_DATA: usize = 44;
const CHECKSUM: usize = 32;
/// Bytes of the header that are in the checksum; on 32-bit x86 the structure is shorter.
const HEADER_LENGTHS: [usize; 2] = [328, 324];
/// Bytes of a block of further header that are in the checksum.
const FURTHER_LENGTH: usize = 260;

/// The header of a record, with lengths that are possible.
#[derive(Debug, Clone)]
pub struct Header {
    /// Where it stands.
    pub block: u64,
    pub cycle: u32,
    pub lsn: u64,
    /// The oldest record that was still needed when this one was written.
    pub tail: u64,
    pub operations: u32,
    pub uuid: [u8; 16],
    pub format: u32,
    /// Bytes of data.
    pub length: u64,
    /// Blocks of header, at least one.
    pub own_blocks: u64,
    checksum: u32,
}

impl Header {
    /// The header in a block. One without data is what recovery leaves behind to blot out others.
    pub fn parse(ring: &Ring, block: u64, raw: &[u8], version_2: bool) -> Result<Self, BadRecord> {
        let version = be32(raw, 8);
        if be32(raw, 0) != MAGIC {
            return Err(BadRecord::NoHeader);
        }
        if version == 0 || version > 3 {
            return Err(BadRecord::Version(version));
        }
        let large = version_2 && version & 2 != 0;
        let size = if large { u64::from(be32(raw, 320)) } else { HEADER_SPAN };
        let length = u64::from(be32(raw, 12));
        let tail = be64(raw, 24) & 0xffff_ffff;
        let own_blocks = size.div_ceil(HEADER_SPAN).max(1);
        let blocks = own_blocks + length.div_ceil(BLOCK);
        if length > MOST_DATA || size > MOST_DATA || blocks > ring.blocks || tail >= ring.blocks {
            return Err(BadRecord::Lengths);
        }
        Ok(Self {
            block,
            cycle: be32(raw, 4),
            lsn: be64(raw, 16),
            tail,
            operations: be32(raw, 40),
            uuid: uuid(raw, 304),
            format: be32(raw, 300),
            length,
            own_blocks,
            checksum: u32::from_le_bytes(std::array::from_fn(|at| raw[CHECKSUM + at])),
        })
    }

    /// Blocks of header and data.
    pub fn blocks(&self) -> u64 {
        self.own_blocks + self.length.div_ceil(BLOCK)
    }

    /// Whether it says that the filesystem was unmounted, and nothing else.
    pub fn is_unmount(&self, ring: &Ring) -> Result<bool, Error> {
        const UNMOUNT: u8 = 0x20;
        if self.operations != 1 || self.length == 0 {
            return Ok(false);
        }
        let data = ring.read(self.block + self.own_blocks, 1)?;
        Ok(data[9] & UNMOUNT != 0)
    }
}

/// A whole record.
pub struct Record {
    pub header: Header,
    pub order: Order,
    /// Its data as it was before it was written.
    pub data: Vec<u8>,
}

/// How to read records of a filesystem.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Whether the log has records of version 2.
    pub version_2: bool,
    /// Whether a record must have a checksum.
    pub checksums: bool,
    pub uuid: [u8; 16],
}

impl Rules {
    /// Reads the header that should stand at a block.
    pub fn header(&self, ring: &Ring, block: u64) -> Result<Result<Header, BadRecord>, Error> {
        let raw = ring.read(block, 1)?;
        Ok(Header::parse(ring, block % ring.blocks, &raw, self.version_2))
    }

    /// Reads the record at a block, and checks all that can be checked of it.
    pub fn record(&self, ring: &Ring, block: u64) -> Result<Result<Record, BadRecord>, Error> {
        let header = match self.header(ring, block)? {
            Ok(header) => header,
            Err(bad) => return Ok(Err(bad)),
        };
        let mut headers = ring.read(block, header.blocks())?;
        let data = headers.split_off((header.own_blocks * BLOCK) as usize);
        Ok(self.check(header, &headers, data))
    }

    fn check(&self, header: Header, headers: &[u8], data: Vec<u8>) -> Result<Record, BadRecord> {
        // Records without data were written by recovery, which leaves their checksums out.
        if header.length > 0 && !self.checksum_holds(&header, headers, &data) {
            return Err(BadRecord::Checksum);
        }
        if header.uuid != self.uuid {
            return Err(BadRecord::Uuid);
        }
        let order = Order::parse(header.format).ok_or(BadRecord::Format(header.format))?;
        let data = unpack(&header, headers, data);
        Ok(Record { header, order, data })
    }

    fn checksum_holds(&self, header: &Header, headers: &[u8], data: &[u8]) -> bool {
        if header.checksum == 0 {
            // mkfs writes none; kernels before 3.8 wrote none either.
            return !self.checksums || header.operations == 1;
        }
        let data = &data[..header.length as usize];
        // Those that the data fills; there may be more.
        let filled = header.length.div_ceil(HEADER_SPAN).saturating_sub(1) as usize;
        HEADER_LENGTHS.iter().any(|length| {
            let sum = crc32c::crc32c(&headers[..CHECKSUM]);
            let sum = crc32c::crc32c_append(sum, &[0; 4]);
            let sum = crc32c::crc32c_append(sum, &headers[CHECKSUM + 4..*length]);
            let further = headers[BLOCK as usize..].chunks_exact(BLOCK as usize).take(filled);
            let sum = further
                .fold(sum, |sum, block| crc32c::crc32c_append(sum, &block[..FURTHER_LENGTH]));
            crc32c::crc32c_append(sum, data) == header.checksum
        })
    }
}

/// Puts the first words of the blocks of data back.
fn unpack(header: &Header, headers: &[u8], mut data: Vec<u8>) -> Vec<u8> {
    for (index, block) in data.chunks_exact_mut(BLOCK as usize).enumerate() {
        let word = match index / PER_HEADER {
            0 => CYCLE_DATA + index * 4,
            further => further * BLOCK as usize + 4 + index % PER_HEADER * 4,
        };
        if let Some(word) = headers.get(word..word + 4) {
            block[..4].copy_from_slice(word);
        }
    }
    data.truncate(header.length as usize);
    data
}
