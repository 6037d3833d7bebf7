//! Block groups: where the inode table of a group is.
//! <https://docs.kernel.org/filesystems/ext4/globals.html#block-group-descriptors>
//!
//! A descriptor is believed if its checksum holds, or, where there is none, if it points to places
//! that it can point to. If it does not, its copies in other groups are asked; these may be old,
//! but the inode table never moves.

use crate::bytes::{joined, u16_at, u32_at};
use crate::checksum::{crc16, crc32c};
use crate::superblock::{DescriptorChecksum, PRIMARY, incompat};
use crate::{Error, Ext4, InodeNumber};
use std::ops::Range;

/// Copies that are asked for one descriptor.
const MOST_COPIES: usize = 8;
/// Groups that [`Ext4::check_descriptors`] looks at: eight terabytes in the usual geometry.
const MOST_CHECKED: u64 = 1 << 16;
const CHECKSUM: usize = 0x1e;
/// Flag of a group whose inodes were never written.
const INODES_UNINIT: u16 = 0x1;

/// What became of the group descriptors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DescriptorHealth {
    /// Groups with inodes that were looked at.
    pub checked: u64,
    /// Of these, groups whose own descriptor is damaged and that are read by a copy of it.
    pub from_backup: u64,
    /// Of these, groups whose inodes cannot be read, for no copy is sound either.
    pub lost: u64,
}

impl Ext4 {
    /// Where an inode's record is on the device as this reader sees it ([`Ext4::device`]).
    pub fn inode_range(&self, number: InodeNumber) -> Result<Range<u64>, Error> {
        let superblock = &self.superblock;
        if number.0 == 0 || number.0 > superblock.inodes {
            return Err(Error::corrupt("inode number out of range", number.0));
        }
        let index = number.0 - 1;
        let group = u64::from(index / superblock.inodes_per_group);
        let slot = u64::from(index % superblock.inodes_per_group);
        let table = self.block_offset(self.table_start(group)?)?;
        let start = table + slot * superblock.inode_size;
        Ok(start..start + superblock.inode_size)
    }

    /// The device ranges that hold an inode's record, in the journal if a newer one is there; none if a
    /// fast commit told all of it.
    pub fn inode_places(&self, number: InodeNumber) -> Result<Vec<Range<u64>>, Error> {
        if self.changes.inode(number).is_some() {
            return Ok(Vec::new());
        }
        Ok(self.located(vec![self.inode_range(number)?]))
    }

    /// Looks at the descriptors of all groups, at most 65,536. For a warning: damaged ones are
    /// replaced by their copies anyway, when they are needed.
    pub fn check_descriptors(&self) -> DescriptorHealth {
        let with_inodes = self.superblock.inodes.div_ceil(self.superblock.inodes_per_group);
        let mut health = DescriptorHealth::default();
        for group in 0..u64::from(with_inodes).min(MOST_CHECKED) {
            health.checked += 1;
            match self.inode_table(group) {
                Ok(Table { copied: true, .. }) => health.from_backup += 1,
                Ok(_) => {}
                Err(_) => health.lost += 1,
            }
        }
        health
    }

    /// The part of a group's inode table that may hold directories, as its descriptor tells; nothing is proved by it.
    pub(crate) fn table_with_directories(&self, group: u64) -> Result<Range<u64>, Error> {
        let table = self.inode_table(group)?;
        self.tables.note(group, table.block);
        let start = self.block_offset(table.block)?;
        let length = if table.has_directories { table.used } else { 0 };
        Ok(start..start + u64::from(length) * self.superblock.inode_size)
    }

    /// The first block of a group's inode table. What could not be found is asked again.
    fn table_start(&self, group: u64) -> Result<u64, Error> {
        if let Some(block) = self.tables.known(group) {
            return Ok(block);
        }
        let block = self.inode_table(group)?.block;
        self.tables.note(group, block);
        Ok(block)
    }

    fn inode_table(&self, group: u64) -> Result<Table, Error> {
        let mut problem = Error::corrupt("descriptor of block group", group);
        for (place, copied) in self.places(group) {
            match self.descriptor(group, place) {
                Ok(Some(table)) => return Ok(Table { copied, ..table }),
                Ok(None) => {}
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }

    /// Where a descriptor is asked for, and whether that is a copy. If the superblock is a backup
    /// and nothing else tells whether the descriptors beside the damaged one are sound, the copies
    /// come first.
    fn places(&self, group: u64) -> impl Iterator<Item = (Place, bool)> {
        let superblock = &self.superblock;
        let unproven = matches!(superblock.descriptor_checksum, DescriptorChecksum::None);
        let copies_first = unproven && superblock.backup_used.is_some();
        let own = (self.own_place(group), false);
        let copies = std::iter::once_with(move || self.copies(group)).flatten();
        let first = (!copies_first).then_some(own).into_iter();
        first.chain(copies.map(|place| (place, true))).chain(copies_first.then_some(own))
    }

    /// The inode table, if the descriptor at `place` can be believed.
    fn descriptor(&self, group: u64, place: Place) -> Result<Option<Table>, Error> {
        let size = self.superblock.descriptor_size;
        let mut raw = vec![0; size as usize];
        let start = self.block_offset(place.block)? + place.slot * size;
        self.device.read_exact_at(start, &mut raw)?;
        // The upper half is zero in a descriptor of 32 bytes.
        let at = |low, high| joined(u32_at(&raw, low), u32_at(&raw, high));
        let (bitmaps, table) = ([at(0x0, 0x20), at(0x4, 0x24)], at(0x8, 0x28));
        let blocks = self.superblock.first_data_block + 1..self.superblock.blocks;
        let length = self.superblock.blocks_per_inode_table();
        let inside = bitmaps.iter().all(|block| blocks.contains(block))
            && blocks.contains(&table)
            && table.checked_add(length).is_some_and(|end| end <= blocks.end);
        let count = |low, high| u32::from(u16_at(&raw, low)) | u32::from(u16_at(&raw, high)) << 16;
        let written = u16_at(&raw, 0x12) & INODES_UNINIT == 0;
        let sound = inside && self.checksum_holds(group, &raw);
        Ok(sound.then(|| Table {
            block: table,
            copied: false,
            used: self.superblock.inodes_per_group.saturating_sub(count(0x1c, 0x32)),
            has_directories: written && count(0x10, 0x30) > 0,
        }))
    }

    fn checksum_holds(&self, group: u64, raw: &[u8]) -> bool {
        let (number, (before, after)) = ((group as u32).to_le_bytes(), raw.split_at(CHECKSUM));
        let (stored, after) = (u16_at(after, 0), &after[2..]);
        match self.superblock.descriptor_checksum {
            DescriptorChecksum::None => true,
            DescriptorChecksum::Crc32c { seed } => {
                let sum = [&number[..], before, &[0; 2], after].into_iter().fold(seed, crc32c);
                sum as u16 == stored
            }
            DescriptorChecksum::Crc16 { seed } => {
                [&number[..], before, after].into_iter().fold(seed, crc16) == stored
            }
        }
    }

    /// Where the descriptor of a group should be.
    fn own_place(&self, group: u64) -> Place {
        let superblock = &self.superblock;
        let per_block = superblock.block_size / superblock.descriptor_size;
        let (block, slot) = (group / per_block, group % per_block);
        // The block that holds the primary superblock; with bigalloc and blocks of 1 KiB it is not
        // the first data block.
        let primary = PRIMARY / superblock.block_size;
        if !self.in_meta_group(block) {
            return Place { block: primary + 1 + block, slot };
        }
        let group = block * per_block;
        let shifted =
            if group == 0 { primary - superblock.first_data_block.min(primary) } else { 0 };
        Place { block: self.after_superblock(group) + shifted, slot }
    }

    /// Where copies of it are: in the second and the last group of its meta group, or after each
    /// copy of the superblock.
    fn copies(&self, group: u64) -> Vec<Place> {
        let superblock = &self.superblock;
        let per_block = superblock.block_size / superblock.descriptor_size;
        let (block, slot) = (group / per_block, group % per_block);
        if self.in_meta_group(block) {
            let first = block * per_block;
            let groups = [first + 1, first + per_block - 1];
            return groups.map(|g| Place { block: self.after_superblock(g), slot }).to_vec();
        }
        let backups = superblock.backup_groups(MOST_COPIES).into_iter();
        backups
            .map(|g| Place { block: self.after_superblock(g).saturating_add(block), slot })
            .collect()
    }

    fn in_meta_group(&self, block: u64) -> bool {
        self.superblock.has(incompat::META_BG) && block >= self.superblock.first_meta_bg
    }

    /// The first block of a group, or the one after its copy of the superblock. Past the end of
    /// the filesystem if there is no such group, which reading it then finds.
    fn after_superblock(&self, group: u64) -> u64 {
        let start = group.saturating_mul(self.superblock.blocks_per_group);
        let first = start.saturating_add(self.superblock.first_data_block);
        first.saturating_add(u64::from(self.superblock.has_superblock(group)))
    }
}

/// Where an inode table starts.
struct Table {
    block: u64,
    /// Whether a copy of the descriptor says so.
    copied: bool,
    /// How many of its inodes, from the start, were ever used.
    used: u32,
    has_directories: bool,
}

/// A block, and which descriptor in it.
#[derive(Clone, Copy)]
struct Place {
    block: u64,
    slot: u64,
}
