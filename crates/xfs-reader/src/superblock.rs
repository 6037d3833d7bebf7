//! The superblock, one sector at the start of every allocation group; the first one counts.
//! <https://docs.kernel.org/filesystems/xfs/> and "XFS Algorithms & Data Structures", "Superblocks".
//!
//! Refused: versions before 4, directories of version 1, log or inode formats without names here,
//! features that `features.rs` does not know.

use crate::Error;
use crate::backup::find_backup;
use crate::bytes::{be16, be32, be64, uuid};
use crate::checksum;
use crate::features::{self, features2, incompat, version};
use block_source::{BlockSource, ReadError};

const MAGIC: &[u8; 4] = b"XFSB";
/// Bytes that are needed to know the size of a sector.
const LEAST: usize = 512;
const CHECKSUM: usize = 224;

/// A superblock whose numbers make sense together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superblock {
    /// Version: 4, or 5 with checksums.
    pub version: u8,
    /// Volume label, without its padding.
    pub label: Vec<u8>,
    /// UUID as users see it.
    pub uuid: [u8; 16],
    /// UUID that metadata carries; the same unless the user's was changed.
    pub meta_uuid: [u8; 16],
    /// Bytes in a block, 512 to 65,536.
    pub block_size: u64,
    /// Bytes in a sector, 512 to 32,768 and at most a block.
    pub sector_size: u64,
    /// Blocks in the filesystem.
    pub blocks: u64,
    /// Allocation groups.
    pub ag_count: u32,
    /// Blocks in an allocation group; the last may have fewer.
    pub ag_blocks: u32,
    /// Bits of a block number that are the block in its allocation group.
    pub ag_block_bits: u32,
    /// Bytes in an inode, 256 to 2,048.
    pub inode_size: u64,
    /// Inodes in a block.
    pub inodes_per_block: u64,
    /// Bytes in a block of a directory, up to 65,536.
    pub directory_block_size: u64,
    /// Number of the root directory's inode.
    pub root_inode: u64,
    /// First block of the log, as a number that holds its allocation group; 0 if the log is on
    /// a device of its own.
    pub log_start: u64,
    /// Blocks in the log.
    pub log_blocks: u32,
    /// Bytes in a sector of the log.
    pub log_sector_size: u64,
    /// Bytes in a stripe unit of the log; 0 or 1 if there is none.
    pub log_stripe_unit: u32,
    /// Whether records of the log are of version 2.
    pub log_version_2: bool,
    /// Blocks on the realtime device.
    pub realtime_blocks: u64,
    /// The version number with its bits as stored.
    pub version_number: u16,
    /// The second word of features, version 4's own.
    pub features2: u32,
    /// Incompatible features of version 5 ([`incompat`]); 0 in version 4.
    pub incompat: u32,
    /// Features of version 5 that matter to writers; 0 in version 4.
    pub ro_compat: u32,
    /// Features that the log may use in version 5; 0 in version 4.
    pub log_incompat: u32,
    /// The allocation group whose superblock stands in for the damaged first one.
    pub backup_used: Option<u32>,
}

impl Superblock {
    /// Reads the first superblock, or a backup if that is damaged.
    pub fn read(device: &dyn BlockSource) -> Result<Self, Error> {
        let problem = match Self::read_at(device, 0) {
            Err(problem @ (Error::Corrupt { .. } | Error::Read(_))) => problem,
            other => return other,
        };
        match find_backup(device) {
            Ok(Some(found)) => Ok(found),
            _ => Err(problem),
        }
    }

    pub(crate) fn read_at(device: &dyn BlockSource, at: u64) -> Result<Self, Error> {
        let mut raw = vec![0; LEAST];
        device.read_exact_at(at, &mut raw)?;
        check_magic(&raw)?;
        let sector_size = usize::from(be16(&raw, 102));
        check_size("sector size out of range", sector_size as u64, 512..=32768)?;
        raw.resize(sector_size, 0);
        device.read_exact_at(at, &mut raw)?;
        Self::parse(&raw)
    }

    /// The superblock that a whole sector holds.
    pub fn parse(raw: &[u8]) -> Result<Self, Error> {
        check_magic(raw)?;
        let size = be16(raw, 102);
        let raw = raw.get(..usize::from(size));
        let raw = raw.filter(|raw| raw.len() >= LEAST);
        let raw = raw.ok_or(Error::corrupt("sector size out of range", size))?;
        let number = be16(raw, 100);
        let version = (number & 0xf) as u8;
        // Old kernels wrote the second word of features to a wrong place as well.
        let features2 = be32(raw, 200) | be32(raw, 204);
        match version {
            4 => features::check_version_4(number, features2)?,
            5 => {
                check(checksum::holds(raw, CHECKSUM), "superblock checksum", be32(raw, CHECKSUM))?;
                features::check_version_5(be32(raw, 216))?;
            }
            _ => return Err(Error::unsupported(format!("XFS of version {version}"))),
        }
        if number & version::DIRECTORY_2 == 0 && version == 4 {
            return Err(Error::unsupported("directories of version 1"));
        }
        let superblock = Self::take(raw, version, features2);
        superblock.check(raw)?;
        Ok(superblock)
    }

    fn take(raw: &[u8], version: u8, features2: u32) -> Self {
        let modern = |at| if version == 5 { be32(raw, at) } else { 0 };
        let incompat = modern(216);
        let user = uuid(raw, 32);
        let own_uuid = incompat & incompat::META_UUID != 0;
        let sector_size = u64::from(be16(raw, 102));
        let block_size = u64::from(be32(raw, 4));
        Self {
            version,
            label: raw[108..120].iter().copied().take_while(|byte| *byte != 0).collect(),
            uuid: user,
            meta_uuid: if own_uuid { uuid(raw, 248) } else { user },
            block_size,
            sector_size,
            blocks: be64(raw, 8),
            ag_count: be32(raw, 88),
            ag_blocks: be32(raw, 84),
            ag_block_bits: u32::from(raw[124]),
            inode_size: u64::from(be16(raw, 104)),
            inodes_per_block: u64::from(be16(raw, 106)),
            directory_block_size: block_size.checked_shl(u32::from(raw[192])).unwrap_or(0),
            root_inode: be64(raw, 56),
            log_start: be64(raw, 48),
            log_blocks: be32(raw, 96),
            log_sector_size: match be16(raw, 194) {
                0 => sector_size,
                size => u64::from(size),
            },
            log_stripe_unit: be32(raw, 196),
            log_version_2: be16(raw, 100) & version::LOG_2 != 0,
            realtime_blocks: be64(raw, 16),
            version_number: be16(raw, 100),
            features2,
            incompat,
            ro_compat: modern(212),
            log_incompat: modern(220),
            backup_used: None,
        }
    }

    fn check(&self, raw: &[u8]) -> Result<(), Error> {
        check_size("block size out of range", self.block_size, 512..=65536)?;
        check_size("sector size out of range", self.sector_size, 512..=self.block_size.min(32768))?;
        check_size("log sector size out of range", self.log_sector_size, 512..=32768)?;
        check_size("inode size out of range", self.inode_size, 256..=self.block_size.min(2048))?;
        check_size(
            "directory block size out of range",
            self.directory_block_size,
            self.block_size..=65536,
        )?;
        let logs = [(120, self.block_size), (121, self.sector_size), (122, self.inode_size)];
        for (at, size) in logs {
            check(u32::from(raw[at]) == size.ilog2(), "logarithm of a size", u64::from(raw[at]))?;
        }
        check(
            self.inodes_per_block == self.block_size / self.inode_size,
            "inodes per block",
            self.inodes_per_block,
        )?;
        check(
            u64::from(raw[123]) == u64::from(self.inodes_per_block.ilog2()),
            "logarithm of inodes per block",
            raw[123],
        )?;
        check(
            (4..=1 << 31).contains(&self.ag_blocks),
            "allocation group size out of range",
            self.ag_blocks,
        )?;
        let bits = self.ag_blocks.next_power_of_two().ilog2();
        check(
            self.ag_block_bits == bits,
            "logarithm of the allocation group size",
            self.ag_block_bits,
        )?;
        self.check_totals()
    }

    fn check_totals(&self) -> Result<(), Error> {
        let (count, size) = (u64::from(self.ag_count), u64::from(self.ag_blocks));
        let full = count.checked_sub(1).map(|full| full * size);
        let fits = full.is_some_and(|full| (full + 1..=full + size).contains(&self.blocks));
        check(fits, "block count does not fit the allocation groups", self.blocks)?;
        check(
            self.blocks.checked_mul(self.block_size).is_some(),
            "block count out of range",
            self.blocks,
        )?;
        // With all its bits a number of an inode must not reach past 64 bits.
        let bits = self.ag_block_bits + self.inodes_per_block.ilog2();
        check(
            count.checked_shl(bits).is_some_and(|top| top >> bits == count),
            "allocation group count out of range",
            count,
        )
    }

    /// Whether metadata has checksums, owners and places of its own.
    pub fn has_checksums(&self) -> bool {
        self.version == 5
    }

    /// Whether directory entries tell the kind of what they name.
    pub fn has_file_types(&self) -> bool {
        self.has(incompat::FTYPE) || self.version == 4 && self.features2 & features2::FTYPE != 0
    }

    /// Whether names are hashed without regard to the case of ASCII letters.
    pub fn folds_case(&self) -> bool {
        self.version_number & version::ASCII_CI != 0
    }

    /// Whether an incompatible feature of version 5 is in use.
    pub fn has(&self, feature: u32) -> bool {
        self.incompat & feature != 0
    }

    /// Offset of a block on the device, by a number that holds its allocation group.
    pub fn block_offset(&self, block: u64) -> Option<u64> {
        let group = block >> self.ag_block_bits;
        self.group_block_offset(group, block & ((1 << self.ag_block_bits) - 1))
    }

    /// Offset on the device of a block of an allocation group.
    pub fn group_block_offset(&self, group: u64, block: u64) -> Option<u64> {
        let linear = group.checked_mul(u64::from(self.ag_blocks))?.checked_add(block)?;
        let inside = group < u64::from(self.ag_count) && block < u64::from(self.ag_blocks);
        (inside && linear < self.blocks).then(|| linear * self.block_size)
    }

    /// Offset of an inode on the device, by its number.
    pub fn inode_offset(&self, number: u64) -> Option<u64> {
        let block = self.block_offset(number >> self.inodes_per_block.ilog2())?;
        Some(block + (number & (self.inodes_per_block - 1)) * self.inode_size)
    }
}

fn check_magic(raw: &[u8]) -> Result<(), Error> {
    check(raw.len() >= LEAST && raw[..4] == *MAGIC, "no superblock magic", be32(raw, 0))
}

fn check(holds: bool, what: &'static str, at: impl Into<u64>) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::corrupt(what, at)) }
}

fn check_size(
    what: &'static str,
    size: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<(), Error> {
    check(size.is_power_of_two() && range.contains(&size), what, size)
}

/// Whether a superblock seems to stand at an offset.
pub fn is_signed(device: &dyn BlockSource, at: u64) -> Result<bool, ReadError> {
    if device.size().checked_sub(at).is_none_or(|rest| rest < LEAST as u64) {
        return Ok(false);
    }
    let mut magic = [0; 4];
    device.read_exact_at(at, &mut magic)?;
    Ok(magic == *MAGIC)
}
