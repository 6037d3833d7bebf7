//! The superblock that each member bears, in one shape for all versions.
//!
//! Formats: `include/uapi/linux/raid/md_p.h` of the kernel. Big-endian superblocks of version 0.90
//! are not known here.

use crate::{Error, superblock_0, superblock_1};
use block_source::{BlockSource, ReadError};
use std::fmt;
use std::ops::Range;

/// Bytes of a superblock that are looked at.
pub const LENGTH: usize = 4096;
/// Bytes of it that tell whether there is one.
const HEAD: usize = 152;
pub const MAGIC: u32 = 0xa92b_4efc;
/// More members than any superblock has room for.
pub const MOST_MEMBERS: u32 = 1920;

/// Where a superblock stands, which is what the minor versions differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 64 KiB before the end, aligned to 64 KiB.
    V0_90,
    /// 8 KiB before the end, aligned to 4 KiB.
    V1_0,
    /// At the start.
    V1_1,
    /// 4 KiB after the start.
    V1_2,
}

impl Version {
    pub(crate) const ALL: [Self; 4] = [Self::V1_2, Self::V1_1, Self::V1_0, Self::V0_90];
    /// Those with the data in front, so that a member begins as the array does.
    pub(crate) const AT_END: [Self; 2] = [Self::V1_0, Self::V0_90];
    /// Those with the data behind them.
    pub(crate) const AT_START: [Self; 2] = [Self::V1_2, Self::V1_1];

    /// Its offset on a device of so many bytes, if the device is large enough.
    pub(crate) fn offset(self, size: u64) -> Option<u64> {
        let offset = match self {
            Self::V0_90 => (size & !0xffff).checked_sub(0x10000)?,
            Self::V1_0 => (size / 512).checked_sub(16)? / 8 * 8 * 512,
            Self::V1_1 => 0,
            Self::V1_2 => 4096,
        };
        (offset.checked_add(LENGTH as u64)? <= size).then_some(offset)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::V0_90 => "0.90",
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        })
    }
}

/// What a device is to its array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One of the array's members, by its place.
    Active(u32),
    /// Waits for a member to fail.
    Spare,
    /// Failed, or taken out.
    Faulty,
    /// Holds writes that are not in the array yet.
    Journal,
}

/// A validated superblock; sizes and offsets are in bytes.
#[derive(Debug, Clone)]
pub struct Superblock {
    pub version: Version,
    pub uuid: String,
    pub name: String,
    pub created: u64,
    pub events: u64,
    /// md's number; negative for what is not striped or mirrored.
    pub level: i32,
    pub layout: u32,
    pub chunk: u64,
    /// How many places the array has for members.
    pub raid_disks: u32,
    /// What the array uses of each member, where all have the same share.
    pub member_size: u64,
    pub data: Range<u64>,
    /// The device's number, which is the index into `roles`.
    pub number: u32,
    pub roles: Vec<Role>,
    /// How far a new member is filled; all of it if `None`.
    pub recovered: Option<u64>,
    /// Ranges of the device that could not be read or written.
    pub bad: Option<Range<u64>>,
    pub bad_shift: u8,
    pub flags: Flags,
}

/// What else the superblock tells.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags of the format")]
pub struct Flags {
    pub clean: bool,
    pub bitmap: bool,
    pub reshaping: bool,
    pub journal: bool,
    pub partial_parity_log: bool,
    /// Takes the place of a member that is still there.
    pub replacement: bool,
    /// Follows the others by the bitmap, and is not there yet.
    pub catching_up: bool,
    /// A raid0 of members that differ says how its zones are laid out.
    pub zones_known: bool,
}

impl Superblock {
    /// What a device of this number is, as this superblock has it.
    pub fn role(&self, number: u32) -> Role {
        self.roles.get(number as usize).copied().unwrap_or(Role::Spare)
    }

    /// The superblock of a device: of several the one of the array that was created last.
    pub fn find(device: &dyn BlockSource) -> Result<Option<Self>, Error> {
        let (mut newest, mut failed) = (None::<Self>, None);
        for version in Version::ALL {
            match Self::read(device, version) {
                Ok(Some(found)) if newest.as_ref().is_none_or(|n| n.created < found.created) => {
                    newest = Some(found);
                }
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match (newest, failed) {
            (None, Some(error)) => Err(error),
            (newest, _) => Ok(newest),
        }
    }

    pub(crate) fn read(device: &dyn BlockSource, version: Version) -> Result<Option<Self>, Error> {
        let Some(offset) = version.offset(device.size()) else { return Ok(None) };
        let mut raw = vec![0; LENGTH];
        device.read_exact_at(offset, &mut raw)?;
        match version {
            Version::V0_90 => superblock_0::parse(&raw, offset),
            _ => superblock_1::parse(&raw, offset, version),
        }
    }
}

/// Whether the device bears the signature of one of these versions, in the place that it says it is in.
pub fn is_signed(device: &dyn BlockSource, versions: &[Version]) -> Result<bool, ReadError> {
    for version in versions {
        let Some(offset) = version.offset(device.size()) else { continue };
        let mut raw = [0; HEAD];
        device.read_exact_at(offset, &mut raw)?;
        let is_signed = match version {
            Version::V0_90 => superblock_0::is_signed(&raw, offset),
            _ => superblock_1::is_signed(&raw, offset),
        };
        if is_signed {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The sum of 32-bit words, folded; what both versions use as a checksum.
pub fn checksum(bytes: &[u8]) -> u32 {
    let words = bytes
        .chunks(4)
        .map(|word| word.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte)));
    let sum: u64 = words.sum();
    (sum as u32).wrapping_add((sum >> 32) as u32)
}

/// Whether a checksum is the one that is stored. A fuzzer, which could not get past it, may.
pub fn holds(computed: u32, stored: u32) -> bool {
    cfg!(fuzzing) || computed == stored
}

/// Sixteen bytes as mdadm writes them.
pub fn uuid(bytes: &[u8]) -> String {
    let word = |part: &[u8]| part.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    let parts: Vec<String> = bytes.chunks(4).map(|part| format!("{:08x}", word(part))).collect();
    parts.join(":")
}
