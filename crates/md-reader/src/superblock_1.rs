//! Versions 1.0, 1.1 and 1.2: `struct mdp_superblock_1`, little-endian, which differ in place.

use crate::Error;
use crate::bytes::{text, u16_at, u32_at, u64_at};
use crate::superblock::{
    Flags, LENGTH, MAGIC, MOST_MEMBERS, Role, Superblock, Version, checksum, holds, uuid,
};
use std::ops::Range;

const CHECKSUM: usize = 216;
const ROLES: usize = 256;

// Bits of the feature map.
const BITMAP: u32 = 1;
const RECOVERY: u32 = 2;
const RESHAPING: u32 = 4;
const BAD_BLOCKS: u32 = 8;
const REPLACEMENT: u32 = 16;
const RECOVERY_BITMAP: u32 = 128;
const JOURNAL: u32 = 512;
const PARTIAL_PARITY: u32 = 1024 | 2048;
const RAID0_LAYOUT: u32 = 4096;
/// Also: a reshape that goes backwards, a new data offset, and a bitmap with a version.
const KNOWN: u32 = 0x1fff;

// Offsets: 0 magic, 4 major, 8 features, 16 uuid, 32 name, 64 ctime, 72 level, 76 layout, 80 size,
// 88 chunk, 92 raid_disks, 128 data_offset, 136 data_size, 144 super_offset, 152 recovery_offset,
// 160 dev_number, 185 bad block shift, 186 their sectors, 188 their offset, 200 events,
// 208 resync_offset, 216 checksum, 220 max_dev, 256 roles. Sizes and offsets are in sectors.

/// Whether a superblock begins here, and not one of a device that starts or ends elsewhere.
pub fn is_signed(raw: &[u8], offset: u64) -> bool {
    let here = u64_at(raw, 144).checked_mul(512) == Some(offset);
    u32_at(raw, 0) == MAGIC && u32_at(raw, 4) == 1 && here
}

/// `None` if there is none of this device.
pub fn parse(raw: &[u8], offset: u64, version: Version) -> Result<Option<Superblock>, Error> {
    if !is_signed(raw, offset) {
        return Ok(None);
    }
    check(raw, offset)?;
    let features = u32_at(raw, 8);
    let out_of_range = || Error::corrupt("size in the md superblock at", offset);
    let sectors = |at: usize| u64_at(raw, at).checked_mul(512).ok_or_else(out_of_range);
    let data = sectors(128)?;
    let data_end = data.checked_add(sectors(136)?).ok_or_else(out_of_range)?;
    let recovering = features & RECOVERY != 0 && features & JOURNAL == 0;
    let devices = u32_at(raw, 220) as usize;
    Ok(Some(Superblock {
        version,
        uuid: uuid(&raw[16..32]),
        name: text(&raw[32..64]),
        // The upper bits hold microseconds.
        created: u64_at(raw, 64) & 0xff_ffff_ffff,
        events: u64_at(raw, 200),
        level: u32_at(raw, 72).cast_signed(),
        layout: u32_at(raw, 76),
        chunk: u64::from(u32_at(raw, 88)) * 512,
        raid_disks: u32_at(raw, 92),
        member_size: sectors(80)?,
        data: data..data_end,
        number: u32_at(raw, 160),
        roles: (0..devices).map(|device| role(u16_at(raw, ROLES + device * 2))).collect(),
        recovered: recovering.then(|| u64_at(raw, 152).saturating_mul(512)),
        bad: bad_blocks(raw, offset, features),
        bad_shift: raw[185],
        flags: flags(features, u64_at(raw, 208)),
    }))
}

/// The checksum, the features, and the numbers that bound others.
fn check(raw: &[u8], offset: u64) -> Result<(), Error> {
    let corrupt = |what| Error::corrupt(what, offset);
    let devices = u32_at(raw, 220);
    if devices > MOST_MEMBERS {
        return Err(corrupt("number of devices in the md superblock at"));
    }
    let mut summed = raw[..ROLES + devices as usize * 2].to_vec();
    summed[CHECKSUM..CHECKSUM + 4].fill(0);
    if !holds(checksum(&summed), u32_at(raw, CHECKSUM)) {
        return Err(corrupt("checksum of the md superblock at"));
    }
    let unknown = u32_at(raw, 8) & !KNOWN;
    if unknown != 0 {
        return Err(Error::unsupported(format!("md features {unknown:#x}")));
    }
    if u32_at(raw, 92) > MOST_MEMBERS {
        return Err(corrupt("number of members in the md superblock at"));
    }
    Ok(())
}

fn role(number: u16) -> Role {
    match number {
        0xfffd => Role::Journal,
        0xfffe => Role::Faulty,
        0xffff => Role::Spare,
        place => Role::Active(u32::from(place)),
    }
}

/// Where the device keeps its list of bad blocks.
fn bad_blocks(raw: &[u8], offset: u64, features: u32) -> Option<Range<u64>> {
    let length = u64::from(u16_at(raw, 186)) * 512;
    let distance = i64::from(u32_at(raw, 188).cast_signed()) * 512;
    let start = offset.checked_add_signed(distance)?;
    // The kernel keeps one page of them.
    let end = start.checked_add(length.min(LENGTH as u64))?;
    (features & BAD_BLOCKS != 0 && length > 0).then_some(start..end)
}

fn flags(features: u32, resync_offset: u64) -> Flags {
    Flags {
        clean: resync_offset == u64::MAX,
        bitmap: features & BITMAP != 0,
        reshaping: features & RESHAPING != 0,
        journal: features & JOURNAL != 0,
        partial_parity_log: features & PARTIAL_PARITY != 0,
        replacement: features & REPLACEMENT != 0,
        catching_up: features & RECOVERY_BITMAP != 0,
        zones_known: features & RAID0_LAYOUT != 0,
    }
}
