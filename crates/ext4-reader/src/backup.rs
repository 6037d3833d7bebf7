//! Copies of the superblock and of the group descriptors.
//! <https://docs.kernel.org/filesystems/ext4/overview.html#layout>

use crate::Superblock;
use crate::bytes::u16_at;
use crate::superblock::{LENGTH, is_signed};
use block_source::{BlockSource, ReadError};

/// Block size, blocks in a group and first block, as mke2fs sets them; the last with clusters of
/// sixteen blocks.
const GEOMETRIES: [(u64, u64, u64); 4] =
    [(4096, 32768, 0), (1024, 8192, 1), (2048, 16384, 0), (4096, 524_288, 0)];

/// The first whole backup, in groups 1, 3, 5 and 7 of common geometries.
pub fn find_backup(device: &dyn BlockSource) -> Result<Option<u64>, ReadError> {
    for (block_size, per_group, first) in GEOMETRIES {
        for group in [1, 3, 5, 7] {
            let at = (group * per_group + first) * block_size;
            if !is_signed(device, at)? {
                continue;
            }
            let mut raw = vec![0; LENGTH];
            device.read_exact_at(at, &mut raw)?;
            // A backup names its own group; a file that holds a filesystem image does not.
            let own = u64::from(u16_at(&raw, 0x5a)) == group;
            if own && Superblock::parse(&raw).is_ok_and(|found| found.block_size == block_size) {
                return Ok(Some(at));
            }
        }
    }
    Ok(None)
}

impl Superblock {
    /// Whether a group starts with a copy of the superblock.
    pub(crate) fn has_superblock(&self, group: u64) -> bool {
        if group == 0 {
            return true;
        }
        if let Some(backups) = self.sparse_super2_groups() {
            return backups.iter().any(|backup| u64::from(*backup) == group);
        }
        !self.is_sparse() || group == 1 || [3, 5, 7].iter().any(|base| is_power(group, *base))
    }

    /// The first `most` groups after group 0 that start with a copy of the superblock.
    pub(crate) fn backup_groups(&self, most: usize) -> Vec<u64> {
        let groups = 1..self.groups();
        match self.sparse_super2_groups() {
            Some(two) => two.map(u64::from).into_iter().filter(|g| groups.contains(g)).collect(),
            None => groups.filter(|group| self.has_superblock(*group)).take(most).collect(),
        }
    }
}

fn is_power(mut number: u64, base: u64) -> bool {
    while number.is_multiple_of(base) && number > 1 {
        number /= base;
    }
    number == 1
}
