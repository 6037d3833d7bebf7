//! Version 0.90: `mdp_super_t`, 1024 words of 32 bits, in the byte order of the machine that wrote
//! it, which is little-endian here.

use crate::Error;
use crate::bytes::{u32_at, u64_at};
use crate::superblock::{Flags, MAGIC, Role, Superblock, Version, checksum, holds, uuid};

/// Places for devices in the superblock.
const DEVICES: u32 = 27;
const CHECKSUM: usize = 152;

// Words: 0 magic, 1 major, 2 minor, 5 13 14 15 uuid, 6 ctime, 7 level, 8 size in KiB, 10
// raid_disks, 33 state, 38 checksum, 39-40 events, 64 layout, 65 chunk in bytes, from 128 on
// 32 words for each device (3 raid_disk, 4 state), from 992 on those of this device (0 number).

/// Whether a superblock begins here, of this device: the end of a disk is that of its last partition too,
/// and an array that has more of each member than stands before the superblock is the disk's.
pub fn is_signed(raw: &[u8], offset: u64) -> bool {
    let word = |index: usize| u32_at(raw, index * 4);
    let fits = u64::from(word(8)) * 1024 <= offset;
    word(0) == MAGIC && word(1) == 0 && matches!(word(2), 90 | 91) && fits
}

pub fn parse(raw: &[u8], offset: u64) -> Result<Option<Superblock>, Error> {
    if !is_signed(raw, offset) {
        return Ok(None);
    }
    let word = |index: usize| u32_at(raw, index * 4);
    check(raw, offset)?;
    let id: Vec<u8> =
        [5, 13, 14, 15].into_iter().flat_map(|index| word(index).to_be_bytes()).collect();
    let flags = Flags {
        clean: word(33) & 1 != 0,
        bitmap: word(33) & 1 << 8 != 0,
        reshaping: word(2) == 91,
        ..Flags::default()
    };
    Ok(Some(Superblock {
        version: Version::V0_90,
        uuid: uuid(&id),
        name: String::new(),
        created: u64::from(word(6)),
        events: u64_at(raw, 39 * 4),
        level: word(7).cast_signed(),
        layout: word(64),
        chunk: u64::from(word(65)),
        raid_disks: word(10),
        member_size: u64::from(word(8)) * 1024,
        data: 0..offset,
        number: word(992),
        roles: (0..DEVICES).map(|device| role(raw, device, word(10))).collect(),
        recovered: None,
        bad: None,
        bad_shift: 0,
        flags,
    }))
}

/// The checksum, and the numbers that bound others.
fn check(raw: &[u8], offset: u64) -> Result<(), Error> {
    let mut summed = raw.to_vec();
    summed[CHECKSUM..CHECKSUM + 4].fill(0);
    if !holds(checksum(&summed), u32_at(raw, CHECKSUM)) {
        return Err(Error::corrupt("checksum of the md superblock at", offset));
    }
    let (raid_disks, number) = (u32_at(raw, 10 * 4), u32_at(raw, 992 * 4));
    if raid_disks == 0 || raid_disks > DEVICES || number >= DEVICES {
        return Err(Error::corrupt("number of members in the md superblock at", offset));
    }
    if !u32_at(raw, 65 * 4).is_multiple_of(512) {
        return Err(Error::corrupt("chunk size in the md superblock at", offset));
    }
    Ok(())
}

fn role(raw: &[u8], device: u32, raid_disks: u32) -> Role {
    const FAULTY: u32 = 1 << 0;
    const IN_SYNC: u32 = 1 << 1 | 1 << 2;
    let at = (128 + device as usize * 32) * 4;
    let (place, state) = (u32_at(raw, at + 12), u32_at(raw, at + 16));
    match state {
        _ if state & FAULTY != 0 => Role::Faulty,
        _ if state & IN_SYNC == IN_SYNC && place < raid_disks => Role::Active(place),
        _ => Role::Spare,
    }
}
