//! Unfinished changes to the blocks of files. After a write to shared blocks the old blocks are
//! taken out of the file in one transaction and the new ones put in by another; between them the
//! log holds an intent, which is carried out here as the kernel does it when it mounts.
//!
//! Only where what is changed goes on fitting: into the inode, or into the block of the tree.

use super::extents::{Extent, MOST_LENGTH, MOST_START, RECORD, pack, put, take, unpack};
use super::fork::{self, Side};
use super::host::Order;
use super::leaf::Leaf;
use super::overlay::Overlay;
use crate::bytes::{be32, be64};
use crate::{Error, Superblock, checksum};

/// Formats of data: extents listed in the inode, and in a tree.
const LISTED: u8 = 2;
const TREE: u8 = 3;
const CHECKSUM: usize = 100;
const NREXT64: u64 = 0x10;

/// Flags of an intent: what to do, and what is not done here.
mod flag {
    pub const KIND: u32 = 0xff;
    pub const MAP: u32 = 1;
    pub const UNMAP: u32 = 2;
    pub const ATTRIBUTES: u32 = 1 << 31;
    pub const UNWRITTEN: u32 = 1 << 30;
    pub const REALTIME: u32 = 1 << 29;
}

/// An intent to change the blocks of a file.
pub struct Mapping {
    pub inode: u64,
    flags: u32,
    extent: Extent,
}

impl Mapping {
    /// From the description of an intent.
    pub fn parse(raw: &[u8], order: Order) -> Self {
        let flags = order.u32(raw, 44);
        let extent = Extent {
            start: order.u64(raw, 32),
            block: order.u64(raw, 24),
            length: u64::from(order.u32(raw, 40)),
            unwritten: flags & flag::UNWRITTEN != 0,
        };
        Self { inode: order.u64(raw, 16), flags, extent }
    }

    /// Carries it out; false if that is not possible here.
    pub fn apply(&self, overlay: &mut Overlay, superblock: &Superblock) -> Result<bool, Error> {
        let size = superblock.inode_size;
        let offset = superblock.inode_offset(self.inode);
        let Some(offset) = offset.filter(|offset| overlay.contains(*offset, size)) else {
            return Ok(false);
        };
        let start = offset / 512 * 512;
        let mut sectors = overlay.bytes(start, size.max(512))?;
        let at = (offset - start) as usize;
        let inode = &mut sectors[at..at + size as usize];
        if !self.is_possible(inode) {
            return Ok(false);
        }
        let done = if fork::format(inode, Side::Data) == LISTED {
            self.change_list(inode).is_some()
        } else {
            self.change_tree(overlay, superblock, inode)?
        };
        if done {
            overlay.put(start, &sectors)?;
        }
        Ok(done)
    }

    fn is_possible(&self, inode: &[u8]) -> bool {
        // Only version 5 shares blocks.
        self.flags & (flag::ATTRIBUTES | flag::REALTIME) == 0
            && self.extent.start < MOST_START
            && (1..=MOST_LENGTH).contains(&self.extent.length)
            && inode[..2] == *b"IN"
            && inode[4] >= 3
            && [LISTED, TREE].contains(&fork::format(inode, Side::Data))
    }

    fn change_list(&self, inode: &mut [u8]) -> Option<()> {
        let records = fork::part(inode, Side::Data)?.chunks_exact(RECORD);
        let count = usize::try_from(count(inode)).ok().filter(|count| *count <= records.len())?;
        let extents: Vec<_> = records.take(count).map(unpack).collect();
        let changed = self.change(&extents)?;
        let part = fork::part_mut(inode, Side::Data)?;
        if changed.len() > part.len() / RECORD {
            return None;
        }
        part.fill(0);
        for (record, extent) in part.chunks_exact_mut(RECORD).zip(&changed) {
            record.copy_from_slice(&pack(*extent).to_be_bytes());
        }
        recount(inode, &extents, &changed)
    }

    fn change_tree(
        &self,
        overlay: &mut Overlay,
        superblock: &Superblock,
        inode: &mut [u8],
    ) -> Result<bool, Error> {
        let end = self.extent.start + self.extent.length;
        let Some(leaf) = Leaf::find(overlay, superblock, inode, self.extent.start, end)? else {
            return Ok(false);
        };
        let extents = leaf.extents();
        let Some(changed) = self.change(&extents) else { return Ok(false) };
        if changed.is_empty() || changed.len() > leaf.room() {
            return Ok(false);
        }
        leaf.write(overlay, inode, &changed)?;
        Ok(recount(inode, &extents, &changed).is_some())
    }

    fn change(&self, extents: &[Extent]) -> Option<Vec<Extent>> {
        match self.flags & flag::KIND {
            flag::MAP => put(extents.to_vec(), self.extent),
            flag::UNMAP => Some(take(extents, self.extent)),
            _ => None,
        }
    }
}

/// Counts extents and blocks anew, of which some became others.
fn recount(inode: &mut [u8], before: &[Extent], after: &[Extent]) -> Option<()> {
    let blocks = |extents: &[Extent]| extents.iter().map(|extent| extent.length).sum::<u64>();
    let changed =
        |total: u64, before: u64, after: u64| total.checked_sub(before)?.checked_add(after);
    let extents = changed(count(inode), before.len() as u64, after.len() as u64)?;
    let blocks = changed(be64(inode, 64), blocks(before), blocks(after))?;
    if be64(inode, 120) & NREXT64 != 0 {
        inode[24..32].copy_from_slice(&extents.to_be_bytes());
    } else {
        inode[76..80].copy_from_slice(&u32::try_from(extents).ok()?.to_be_bytes());
    }
    inode[64..72].copy_from_slice(&blocks.to_be_bytes());
    let sum = checksum::checksum(inode, CHECKSUM);
    inode[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
    Some(())
}

/// Extents of the data of an inode of version 3.
fn count(inode: &[u8]) -> u64 {
    if be64(inode, 120) & NREXT64 != 0 { be64(inode, 24) } else { u64::from(be32(inode, 76)) }
}
