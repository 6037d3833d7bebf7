//! Block groups: where the inode table of a group is.
//! <https://docs.kernel.org/filesystems/ext4/globals.html#block-group-descriptors>

use crate::bytes::{joined, u32_at};
use crate::superblock::{PRIMARY, incompat};
use crate::{Error, Ext4, InodeNumber};
use std::ops::Range;

impl Ext4 {
    /// Where an inode's record is on the device.
    pub fn inode_range(&self, number: InodeNumber) -> Result<Range<u64>, Error> {
        let superblock = &self.superblock;
        if number.0 == 0 || number.0 > superblock.inodes {
            return Err(Error::corrupt("inode number out of range", number.0));
        }
        let index = number.0 - 1;
        let group = u64::from(index / superblock.inodes_per_group);
        let slot = u64::from(index % superblock.inodes_per_group);
        let table = self.block_offset(self.inode_table(group)?)?;
        let start = table + slot * superblock.inode_size;
        Ok(start..start + superblock.inode_size)
    }

    fn inode_table(&self, group: u64) -> Result<u64, Error> {
        let size = self.superblock.descriptor_size;
        let mut raw = [0; 64];
        let kept = size.min(64) as usize;
        self.device.read_exact_at(self.descriptor_offset(group)?, &mut raw[..kept])?;
        // The upper half is zero in a descriptor of 32 bytes.
        Ok(joined(u32_at(&raw, 0x8), u32_at(&raw, 0x28)))
    }

    fn descriptor_offset(&self, group: u64) -> Result<u64, Error> {
        let superblock = &self.superblock;
        let per_block = superblock.block_size / superblock.descriptor_size;
        let (block, slot) = (group / per_block, group % per_block);
        // The block that holds the primary superblock; with bigalloc and blocks of 1 KiB it is not
        // the first data block.
        let primary = PRIMARY / superblock.block_size;
        let at = if superblock.has(incompat::META_BG) && block >= superblock.first_meta_bg {
            let group = block * per_block;
            let start = group * superblock.blocks_per_group + superblock.first_data_block;
            let shifted =
                if group == 0 { primary - superblock.first_data_block.min(primary) } else { 0 };
            start + shifted + u64::from(superblock.has_superblock(group))
        } else {
            primary + 1 + block
        };
        Ok(self.block_offset(at)? + slot * superblock.descriptor_size)
    }
}
