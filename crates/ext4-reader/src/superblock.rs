//! The superblock: <https://docs.kernel.org/filesystems/ext4/globals.html#super-block>.

use crate::backup::find_backup;
use crate::bytes::{joined, u16_at, u32_at};
use crate::checksum::{crc16, crc32c};
use crate::name_hash::Sign;
use crate::{Error, InodeNumber};
use block_source::{BlockSource, ReadError};

pub const PRIMARY: u64 = 1024;
pub const LENGTH: usize = 1024;
const MAGIC: u16 = 0xef53;

/// Incompatible features, by bit.
pub mod incompat {
    pub const FILETYPE: u32 = 0x2;
    pub const RECOVER: u32 = 0x4;
    pub const JOURNAL_DEV: u32 = 0x8;
    pub const META_BG: u32 = 0x10;
    pub const BITS_64: u32 = 0x80;
    pub const EA_INODE: u32 = 0x400;
    pub const CSUM_SEED: u32 = 0x2000;
    pub const LARGE_DIR: u32 = 0x4000;
    /// filetype, recover, meta_bg, extents, 64bit, mmp, flex_bg, ea_inode, csum_seed, largedir,
    /// inline_data, encrypt, casefold.
    pub const KNOWN: u32 = 0x2
        | 0x4
        | 0x10
        | 0x40
        | 0x80
        | 0x100
        | 0x200
        | 0x400
        | 0x2000
        | 0x4000
        | 0x8000
        | 0x1_0000
        | 0x2_0000;
}

const COMPAT_HAS_JOURNAL: u32 = 0x4;
const STATE_CLEAN: u16 = 0x1;
const COMPAT_DIR_INDEX: u32 = 0x20;
const COMPAT_SPARSE_SUPER2: u32 = 0x200;
const RO_SPARSE_SUPER: u32 = 0x1;
const RO_GDT_CSUM: u32 = 0x10;
const RO_METADATA_CSUM: u32 = 0x400;
/// Read-only features that only ext4 has: huge_file, gdt_csum, dir_nlink, extra_isize, quota,
/// bigalloc, metadata_csum.
const RO_EXT4: u32 = 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200 | RO_METADATA_CSUM;

/// Which of the three a filesystem counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// No journal.
    Ext2,
    /// A journal, and nothing newer.
    Ext3,
    /// Any feature of ext4.
    Ext4,
}

/// A superblock whose numbers make sense together.
#[derive(Debug, Clone)]
pub struct Superblock {
    /// Volume label, without its padding.
    pub label: Vec<u8>,
    /// UUID.
    pub uuid: [u8; 16],
    /// Bytes in a block, 1 KiB to 64 KiB.
    pub block_size: u64,
    /// Blocks in the filesystem.
    pub blocks: u64,
    /// Inodes in the filesystem.
    pub inodes: u32,
    /// The block at which a backup superblock stands in for the damaged primary one.
    pub backup_used: Option<u64>,
    pub(crate) first_data_block: u64,
    pub(crate) blocks_per_group: u64,
    pub(crate) inodes_per_group: u32,
    pub(crate) inode_size: u64,
    pub(crate) descriptor_size: u64,
    pub(crate) first_meta_bg: u64,
    /// Where checksums of metadata start from, if there are any.
    pub(crate) checksum_seed: Option<u32>,
    pub(crate) descriptor_checksum: DescriptorChecksum,
    pub(crate) hash_seed: [u32; 4],
    /// Unknown if nothing wrote it down.
    pub(crate) hash_sign: Option<Sign>,
    compat: u32,
    incompat: u32,
    ro_compat: u32,
    backup_groups: [u32; 2],
    journal_inode: u32,
    state: u16,
}

impl Superblock {
    pub(crate) fn read(device: &dyn BlockSource) -> Result<Self, Error> {
        let problem = match Self::read_at(device, PRIMARY) {
            Err(problem @ (Error::Corrupt { .. } | Error::Read(_))) => problem,
            other => return other,
        };
        let Ok(Some(at)) = find_backup(device) else { return Err(problem) };
        let found = Self::read_at(device, at)?;
        Ok(Self { backup_used: Some(at / found.block_size), ..found })
    }

    fn read_at(device: &dyn BlockSource, at: u64) -> Result<Self, Error> {
        let mut raw = vec![0; LENGTH];
        device.read_exact_at(at, &mut raw)?;
        Self::parse(&raw)
    }

    pub(crate) fn parse(raw: &[u8]) -> Result<Self, Error> {
        if u16_at(raw, 0x38) != MAGIC {
            return Err(Error::corrupt("no superblock magic", u16_at(raw, 0x38)));
        }
        let ro_compat = u32_at(raw, 0x64);
        if ro_compat & RO_METADATA_CSUM != 0 && !checksum_holds(raw) {
            return Err(Error::corrupt("superblock checksum", u32_at(raw, 0x3fc)));
        }
        let incompat = u32_at(raw, 0x60);
        if incompat & incompat::JOURNAL_DEV != 0 {
            return Err(Error::unsupported("an external journal device"));
        }
        let unknown = incompat & !incompat::KNOWN;
        if unknown != 0 {
            return Err(Error::unsupported(format!("incompatible features {unknown:#x}")));
        }
        let log_block_size = u32_at(raw, 0x18);
        if log_block_size > 6 {
            return Err(Error::corrupt("block size out of range", log_block_size));
        }
        let revision = u32_at(raw, 0x4c);
        let wide = incompat & incompat::BITS_64 != 0;
        let superblock = Self {
            label: raw[0x78..0x88].iter().copied().take_while(|byte| *byte != 0).collect(),
            uuid: std::array::from_fn(|index| raw[0x68 + index]),
            block_size: 1024 << log_block_size,
            blocks: joined(u32_at(raw, 0x4), if wide { u32_at(raw, 0x150) } else { 0 }),
            inodes: u32_at(raw, 0x0),
            backup_used: None,
            first_data_block: u64::from(u32_at(raw, 0x14)),
            blocks_per_group: u64::from(u32_at(raw, 0x20)),
            inodes_per_group: u32_at(raw, 0x28),
            inode_size: if revision == 0 { 128 } else { u64::from(u16_at(raw, 0x58)) },
            descriptor_size: if wide { u64::from(u16_at(raw, 0xfe)) } else { 32 },
            first_meta_bg: u64::from(u32_at(raw, 0x104)),
            checksum_seed: (ro_compat & RO_METADATA_CSUM != 0).then(|| checksum_seed(raw)),
            descriptor_checksum: DescriptorChecksum::parse(raw),
            hash_seed: std::array::from_fn(|index| u32_at(raw, 0xec + 4 * index)),
            hash_sign: hash_sign(u32_at(raw, 0x160)),
            compat: u32_at(raw, 0x5c),
            incompat,
            ro_compat,
            backup_groups: [u32_at(raw, 0x24c), u32_at(raw, 0x250)],
            journal_inode: u32_at(raw, 0xe0),
            state: u16_at(raw, 0x3a),
        };
        superblock.check()?;
        Ok(superblock)
    }

    fn check(&self) -> Result<(), Error> {
        let corrupt = |what, at| Err(Error::corrupt(what, at));
        if self.blocks == 0 || self.blocks.checked_mul(self.block_size).is_none() {
            return corrupt("block count out of range", self.blocks);
        }
        if self.blocks_per_group == 0 || self.blocks_per_group > 1 << 27 {
            return corrupt("blocks per group out of range", self.blocks_per_group);
        }
        if self.inodes_per_group == 0 {
            return corrupt("inodes per group out of range", 0);
        }
        if !self.inode_size.is_power_of_two() || !(128..=self.block_size).contains(&self.inode_size)
        {
            return corrupt("inode size out of range", self.inode_size);
        }
        if !self.descriptor_size.is_power_of_two() || !(32..=1024).contains(&self.descriptor_size) {
            return corrupt("group descriptor size out of range", self.descriptor_size);
        }
        if u64::from(self.inodes_per_group) > 8 * self.block_size {
            return corrupt("inodes per group out of range", u64::from(self.inodes_per_group));
        }
        if self.groups().checked_mul(u64::from(self.inodes_per_group)) != Some(self.inodes.into()) {
            return corrupt("inode count does not fit the groups", u64::from(self.inodes));
        }
        if self.first_data_block > 1 {
            return corrupt("first data block out of range", self.first_data_block);
        }
        Ok(())
    }

    /// Whether the journal may hold changes that are not yet in place, since the filesystem was in
    /// use. Also if that is unknown: backups of the superblock do not say it, so with one in use
    /// any journal may hold changes. What became of them says [`crate::Ext4::journal`].
    pub fn needs_recovery(&self) -> bool {
        self.incompat & incompat::RECOVER != 0 || self.recovery_is_unknown()
    }

    /// Whether it was in use, or was not unmounted, and has no journal that makes up for that. Backups of the
    /// superblock do not say it.
    pub fn was_left_in_use(&self) -> bool {
        let has_journal = self.compat & COMPAT_HAS_JOURNAL != 0;
        !has_journal && self.backup_used.is_none() && self.state & STATE_CLEAN == 0
    }

    /// Whether the journal may or may not hold changes, for a backup of the superblock is in use.
    pub fn recovery_is_unknown(&self) -> bool {
        self.backup_used.is_some() && self.compat & COMPAT_HAS_JOURNAL != 0
    }

    /// ext2, ext3 or ext4, as `blkid` tells them apart.
    pub fn generation(&self) -> Generation {
        let old = incompat::FILETYPE | incompat::RECOVER | incompat::META_BG;
        if self.incompat & !old != 0 || self.ro_compat & RO_EXT4 != 0 {
            Generation::Ext4
        } else if self.compat & COMPAT_HAS_JOURNAL != 0 {
            Generation::Ext3
        } else {
            Generation::Ext2
        }
    }

    pub(crate) fn has_index_feature(&self) -> bool {
        self.compat & COMPAT_DIR_INDEX != 0
    }

    /// The inode that holds the journal; none if it is on another device.
    pub(crate) fn journal_inode(&self) -> Option<InodeNumber> {
        (self.journal_inode != 0).then_some(InodeNumber(self.journal_inode))
    }

    pub(crate) fn has(&self, feature: u32) -> bool {
        self.incompat & feature != 0
    }

    /// Groups, the last of which may be shorter.
    pub(crate) fn groups(&self) -> u64 {
        self.blocks.saturating_sub(self.first_data_block).div_ceil(self.blocks_per_group)
    }

    pub(crate) fn blocks_per_inode_table(&self) -> u64 {
        (u64::from(self.inodes_per_group) * self.inode_size).div_ceil(self.block_size)
    }

    pub(crate) fn is_sparse(&self) -> bool {
        self.ro_compat & RO_SPARSE_SUPER != 0
    }

    /// The two groups with backups that this feature leaves.
    pub(crate) fn sparse_super2_groups(&self) -> Option<[u32; 2]> {
        (self.compat & COMPAT_SPARSE_SUPER2 != 0).then_some(self.backup_groups)
    }
}

/// CRC-32C of all but the checksum itself, from an all-ones seed.
fn checksum_holds(raw: &[u8]) -> bool {
    crc32c(!0, &raw[..0x3fc]) == u32_at(raw, 0x3fc)
}

/// What protects the descriptors of groups.
#[derive(Debug, Clone, Copy)]
pub enum DescriptorChecksum {
    None,
    Crc16 { seed: u16 },
    Crc32c { seed: u32 },
}

impl DescriptorChecksum {
    fn parse(raw: &[u8]) -> Self {
        let ro_compat = u32_at(raw, 0x64);
        if ro_compat & RO_METADATA_CSUM != 0 {
            Self::Crc32c { seed: checksum_seed(raw) }
        } else if ro_compat & RO_GDT_CSUM != 0 {
            Self::Crc16 { seed: crc16(!0, &raw[0x68..0x78]) }
        } else {
            Self::None
        }
    }
}

/// The UUID's checksum, or a number that outlives a change of the UUID.
fn checksum_seed(raw: &[u8]) -> u32 {
    if u32_at(raw, 0x60) & incompat::CSUM_SEED != 0 {
        u32_at(raw, 0x270)
    } else {
        crc32c(!0, &raw[0x68..0x78])
    }
}

fn hash_sign(flags: u32) -> Option<Sign> {
    match flags & 3 {
        1 => Some(Sign::Signed),
        2 => Some(Sign::Unsigned),
        _ => None,
    }
}

pub fn is_signed(device: &dyn BlockSource, at: u64) -> Result<bool, ReadError> {
    if device.size() < at + LENGTH as u64 {
        return Ok(false);
    }
    let mut magic = [0; 2];
    device.read_exact_at(at + 0x38, &mut magic)?;
    Ok(u16::from_le_bytes(magic) == MAGIC)
}
