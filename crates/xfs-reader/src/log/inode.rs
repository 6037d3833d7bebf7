//! Inodes in the log: the fixed fields as they were in the memory of the kernel, and what was
//! changed of what hangs on them, data and attributes.

use super::fork::{self, Side};
use super::host::Order;
use super::transaction::Item;
use crate::bytes::{be16, be64};
use crate::{Superblock, checksum};

const MAGIC: u16 = 0x494e;
/// Lengths of the description: with and without the padding of 64-bit machines.
const DESCRIPTION: [usize; 2] = [56, 52];
/// Bytes of the fixed fields that are in the log, of versions below 3 and from 3.
const CORE: [usize; 2] = [96, 176];
const CHECKSUM: usize = 100;
const LSN: usize = 112;
const FLUSH_COUNT: usize = 30;
/// The largest count; after it comes zero again.
const MOST_FLUSHES: u16 = u16::MAX;
const BIGTIME: u64 = 0x8;
const NREXT64: u64 = 0x10;
const METADATA: u64 = 0x20;

/// What of an inode is in the log, beside what hangs on it.
mod field {
    pub const DEVICE: u32 = 0x10;
    pub const DATA_OWNER: u32 = 0x200;
    pub const ATTRIBUTE_OWNER: u32 = 0x400;
}

/// The description of a changed inode.
pub struct InodeItem {
    pub number: u64,
    /// The buffer that it is in: first sector on the device, and number of sectors.
    pub buffer: (u64, u16),
    fields: u32,
    device: u32,
    place: u64,
}

impl InodeItem {
    pub fn parse(item: &Item, order: Order) -> Result<Self, &'static str> {
        let raw = item.description();
        let padding = match raw.len() {
            length if length == DESCRIPTION[0] => 4,
            length if length == DESCRIPTION[1] => 0,
            _ => return Err("inode description of an impossible length"),
        };
        let sector = order.u64(raw, 36 + padding);
        let sectors = u16::try_from(order.u32(raw, 44 + padding));
        if sector > u64::MAX >> 10 {
            return Err("place of an inode");
        }
        Ok(Self {
            number: order.u64(raw, 12 + padding),
            buffer: (sector, sectors.map_err(|_| "size of a buffer of inodes")?),
            fields: order.u32(raw, 4),
            device: order.u32(raw, 20 + padding),
            place: sector * 512 + u64::from(order.u32(raw, 48 + padding)),
        })
    }

    /// Offset on the device, if it is where its number says.
    pub fn offset(&self, superblock: &Superblock) -> Result<u64, &'static str> {
        let offset = superblock.inode_offset(self.number).ok_or("inode number out of range")?;
        if offset == self.place { Ok(offset) } else { Err("inode not where its number says") }
    }

    /// The trees whose blocks get a new owner.
    pub fn owned(&self) -> impl Iterator<Item = Side> {
        let sides = [(field::DATA_OWNER, Side::Data), (field::ATTRIBUTE_OWNER, Side::Attributes)];
        let fields = self.fields;
        sides.into_iter().filter(move |(field, _)| fields & field != 0).map(|(_, side)| side)
    }

    /// Brings an inode up to date; false if it is so already.
    pub fn apply(
        &self,
        item: &Item,
        order: Order,
        lsn: u64,
        inode: &mut [u8],
    ) -> Result<bool, &'static str> {
        let core = item.part(1);
        check(order, core, inode)?;
        if is_newer(order, core, inode, lsn) {
            return Ok(false);
        }
        let version = core[4];
        convert(order, core, inode);
        if self.fields & field::DEVICE != 0 {
            let at = fork::data_start(version);
            inode[at..at + 4].copy_from_slice(&self.device.to_be_bytes());
        }
        fork::apply(self.fields, item, inode)?;
        if version >= 3 {
            inode[LSN..LSN + 8].copy_from_slice(&lsn.to_be_bytes());
            let sum = checksum::checksum(inode, CHECKSUM);
            inode[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
        }
        Ok(true)
    }
}

/// Whether both what is in the log and what is on the device look like an inode.
fn check(order: Order, core: &[u8], inode: &[u8]) -> Result<(), &'static str> {
    if be16(inode, 0) != MAGIC {
        return Err("no inode where one was changed");
    }
    let version = core.get(4).copied().unwrap_or(0);
    if order.u16(core, 0) != MAGIC || !(1..=3).contains(&version) {
        return Err("changed inode that is none");
    }
    if core.len() != CORE[usize::from(version >= 3)] {
        return Err("changed inode of an impossible length");
    }
    let (mode, format) = (order.u16(core, 2), core[5]);
    let possible = match mode >> 12 {
        0x8 => (2..=3).contains(&format),
        0x4 => (1..=3).contains(&format),
        _ => format <= 5,
    };
    if !possible {
        return Err("changed inode whose data is in an impossible format");
    }
    let (extents, blocks) = (extents(order, core), order.u64(core, 64));
    if extents > blocks {
        return Err("changed inode of more extents than blocks");
    }
    Ok(())
}

/// Extents of data and attributes together.
fn extents(order: Order, core: &[u8]) -> u64 {
    let (data, attributes) = if has(order, core, NREXT64) {
        (order.u64(core, 24), order.u32(core, 76))
    } else {
        (u64::from(order.u32(core, 76)), u32::from(order.u16(core, 80)))
    };
    data.saturating_add(u64::from(attributes))
}

/// Whether the inode on the device was written out after this change.
fn is_newer(order: Order, core: &[u8], inode: &[u8], lsn: u64) -> bool {
    if inode[4] >= 3 {
        // Several transactions may begin in the same record, so that equal says nothing.
        let on_disk = be64(inode, LSN);
        return on_disk != 0 && on_disk != u64::MAX && on_disk > lsn;
    }
    let (logged, on_disk) = (order.u16(core, FLUSH_COUNT), be16(inode, FLUSH_COUNT));
    let wrapped = on_disk == MOST_FLUSHES && logged < MOST_FLUSHES >> 1;
    core[4] < 3 && logged < on_disk && !wrapped
}

fn has(order: Order, core: &[u8], flag: u64) -> bool {
    core[4] >= 3 && order.u64(core, 120) & flag != 0
}

/// Writes the fixed fields in the byte order of the disk.
fn convert(order: Order, core: &[u8], inode: &mut [u8]) {
    // Magic, mode, owner, group, links, project.
    const SAME: [(usize, usize); 7] = [(0, 2), (2, 2), (8, 4), (12, 4), (16, 4), (20, 2), (22, 2)];
    // Size, blocks, extent size, then what the file is for, flags, generation.
    const MORE: [(usize, usize); 7] =
        [(56, 8), (64, 8), (72, 4), (84, 4), (88, 2), (90, 2), (92, 4)];
    // Changes, second flags, extent size of copies, number.
    const VERSION_3: [(usize, usize); 4] = [(104, 8), (120, 8), (128, 4), (152, 8)];
    let version = core[4];
    inode[4..8].copy_from_slice(&[version, core[5], 0, 0]);
    for (at, width) in SAME.into_iter().chain(MORE) {
        order.to_disk(core, inode, at, width);
    }
    // Version 1 counts links here, and the special inodes of version 3 tell what they are.
    if version == 1 || has(order, core, METADATA) {
        order.to_disk(core, inode, 6, 2);
    }
    inode[82..84].copy_from_slice(&core[82..84]);
    for at in [32, 40, 48] {
        time(order, core, inode, at);
    }
    counts(order, core, inode);
    if version >= 3 {
        for (at, width) in VERSION_3 {
            order.to_disk(core, inode, at, width);
        }
        inode[132..144].fill(0);
        time(order, core, inode, 144);
        inode[160..176].copy_from_slice(&core[160..176]);
    }
}

/// A time: one number of nanoseconds, or seconds and nanoseconds.
fn time(order: Order, core: &[u8], inode: &mut [u8], at: usize) {
    if has(order, core, BIGTIME) {
        order.to_disk(core, inode, at, 8);
    } else {
        order.to_disk(core, inode, at, 4);
        order.to_disk(core, inode, at + 4, 4);
    }
}

/// Counts of extents, in one of two places.
fn counts(order: Order, core: &[u8], inode: &mut [u8]) {
    // Before version 3 the last two bytes count how often the inode was written out: anew now.
    inode[24..32].fill(0);
    order.to_disk(core, inode, 76, 4);
    order.to_disk(core, inode, 80, 2);
    if has(order, core, NREXT64) {
        order.to_disk(core, inode, 24, 8);
    }
}
