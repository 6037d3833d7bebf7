//! Copies of the superblock, at the start of every allocation group but the first.

use crate::Error;
use crate::Superblock;
use crate::bytes::be32;
use crate::superblock::is_signed;
use block_source::BlockSource;

/// Numbers of allocation groups that `mkfs.xfs` chooses for one disk, by its size, and for arrays.
const COUNTS: [u64; 6] = [4, 2, 8, 16, 32, 3];
const BLOCK_SIZES: [u64; 5] = [4096, 1024, 2048, 512, 65536];
/// What `mkfs.xfs` writes for "no inode".
const NO_INODE: u64 = u64::MAX;

/// A backup that is where it says that it is.
///
/// Looked for where the damaged superblock says, then where `mkfs.xfs` puts it on a device of
/// this size. Of a filesystem that was grown the latter finds nothing.
pub fn find_backup(device: &dyn BlockSource) -> Result<Option<Superblock>, Error> {
    for at in places(device) {
        if !is_signed(device, at)? {
            continue;
        }
        let Ok(found) = Superblock::read_at(device, at) else { continue };
        let group_size = u64::from(found.ag_blocks) * found.block_size;
        // A file that holds a filesystem image has copies too.
        let group = at / group_size;
        if at.is_multiple_of(group_size) && (1..u64::from(found.ag_count)).contains(&group) {
            return Ok(Some(with_root(device, found, group as u32)));
        }
    }
    Ok(None)
}

fn places(device: &dyn BlockSource) -> Vec<u64> {
    let mut places = told(device);
    for block_size in BLOCK_SIZES {
        for count in COUNTS {
            let at = (device.size() / block_size).div_ceil(count).checked_mul(block_size);
            places.extend(at.filter(|at| *at > 0));
        }
    }
    places
}

/// Where the superblock itself has its copies, if it still tells that.
fn told(device: &dyn BlockSource) -> Vec<u64> {
    let mut raw = vec![0; 512];
    if device.read_exact_at(0, &mut raw).is_err() {
        return Vec::new();
    }
    let size = u64::from(be32(&raw, 84)).saturating_mul(u64::from(be32(&raw, 4)));
    let groups = (1..=3).map(|group| size.saturating_mul(group));
    groups.filter(|at| (1..device.size()).contains(at)).collect()
}

/// Only the copies in the middle and in the last group know the root directory.
fn with_root(device: &dyn BlockSource, found: Superblock, group: u32) -> Superblock {
    let known =
        |candidate: &Superblock| candidate.root_inode != NO_INODE && candidate.root_inode != 0;
    let size = u64::from(found.ag_blocks) * found.block_size;
    let others = [found.ag_count - 1, found.ag_count / 2].into_iter().filter_map(|other| {
        let at = u64::from(other).checked_mul(size)?;
        let there = Superblock::read_at(device, at).ok()?;
        (there.uuid == found.uuid).then_some((other, there))
    });
    let best = std::iter::once((group, found.clone())).chain(others).find(|(_, it)| known(it));
    let (group, best) = best.unwrap_or((group, found));
    Superblock { backup_used: Some(group), ..best }
}
