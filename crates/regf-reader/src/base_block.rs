//! The base block: the first sector of a hive and of its logs.
//!
//! On-disk format: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md#base-block>.
//! Only the first 512 bytes matter; the rest of the 4096 has no meaning on a disk.

use crate::bytes::{le32, le32s, le64};
use crate::error::{Error, corrupt, unsupported};
use block_source::BlockSource;

/// Bytes of the sector that is checked, and that a log has of it.
pub const SECTOR: usize = 512;

/// Bytes before the hive bins.
pub const LENGTH: u64 = 4096;

/// Granularity of hive bins.
pub const BIN: u32 = 4096;

/// What a file with a base block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    Hive,
    OldLog,
    NewLog,
    Other(u32),
}

/// A base block as it is on the disk.
#[derive(Debug, Clone, Copy)]
pub struct BaseBlock {
    /// Whether it bears the signature.
    pub is_signed: bool,
    /// Whether its checksum holds too.
    pub is_sound: bool,
    pub primary_sequence: u32,
    pub secondary_sequence: u32,
    /// FILETIME.
    pub written: u64,
    pub major: u32,
    pub minor: u32,
    pub file: File,
    pub format: u32,
    /// Offset of the root key in the hive bins.
    pub root: u32,
    /// Bytes of the hive bins.
    pub bins: u32,
    /// Sector size in 512 bytes.
    pub cluster: u32,
}

impl BaseBlock {
    /// The base block of a file that has at least a sector.
    pub fn read(source: &dyn BlockSource) -> Result<Self, Error> {
        let mut sector = [0; SECTOR];
        source.read_exact_at(0, &mut sector)?;
        Ok(Self::parse(&sector))
    }

    fn parse(sector: &[u8; SECTOR]) -> Self {
        let is_signed = sector.starts_with(b"regf");
        Self {
            is_signed,
            is_sound: is_signed && checksum(sector) == le32(sector, 508),
            primary_sequence: le32(sector, 4),
            secondary_sequence: le32(sector, 8),
            written: le64(sector, 12),
            major: le32(sector, 20),
            minor: le32(sector, 24),
            file: match le32(sector, 28) {
                0 => File::Hive,
                // The second is what very old versions wrote.
                1 | 2 => File::OldLog,
                6 => File::NewLog,
                other => File::Other(other),
            },
            format: le32(sector, 32),
            root: le32(sector, 36),
            bins: le32(sector, 40),
            cluster: le32(sector, 44),
        }
    }

    /// Whether writing was not ended.
    pub fn is_dirty(&self) -> bool {
        !self.is_sound || self.primary_sequence != self.secondary_sequence
    }

    /// Refuses what this reader does not know.
    pub fn check(&self) -> Result<(), Error> {
        if self.major != 1 || !(3..=6).contains(&self.minor) {
            return Err(unsupported(format!("hive of version {}.{}", self.major, self.minor)));
        }
        if self.format != 1 {
            return Err(unsupported(format!("hive of format {}", self.format)));
        }
        if self.bins == 0 || !self.bins.is_multiple_of(BIN) {
            return Err(corrupt("wrong size of the hive bins", 40));
        }
        Ok(())
    }
}

/// All words before it, exclusive-or; neither all zeroes nor all ones.
fn checksum(sector: &[u8; SECTOR]) -> u32 {
    match le32s(&sector[..508]).fold(0, |sum, word| sum ^ word) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}
