//! Linux software RAID (md), read-only, over positioned reads.
//!
//! [`assemble`] takes the devices that may be members and gives every array on them: linear, raid0
//! (members may differ in size), raid1, raid10 in all its layouts, raid4, raid5 and raid6. Members
//! that are missing are made up for where the level allows; ranges that cannot be had fail, the
//! rest is read. Formats: superblocks of versions 0.90, 1.0, 1.1 and 1.2, as in
//! `include/uapi/linux/raid/md_p.h` of the kernel.
//!
//! * Members whose event count is behind that of the others are left out, and so are spares.
//! * Write journals are not replayed; bitmaps are not needed.
//! * Refused: arrays in the middle of a reshape, multipath, big-endian superblocks of version
//!   0.90, raid0 of members that differ without a recorded layout, and the metadata of firmware
//!   and controllers (IMSM, DDF), which are named.

mod array;
mod bytes;
mod error;
mod foreign;
pub mod layout;
mod level;
mod member;
mod superblock;
mod superblock_0;
mod superblock_1;

pub use error::Error;
pub use superblock::Version;

use block_source::{BlockSource, ReadError};
use std::sync::Arc;
use superblock::Superblock;

/// A device that may be a member.
#[derive(Clone)]
pub struct Device {
    /// What messages call it.
    pub name: String,
    /// Its bytes.
    pub source: Arc<dyn BlockSource>,
}

/// What was found on some devices.
pub struct Assembly {
    /// The arrays, by uuid.
    pub arrays: Vec<Array>,
    /// Devices that bear RAID metadata and belong to no array here, by index, and why.
    pub problems: Vec<(usize, Error)>,
}

/// An array.
pub struct Array {
    /// As mdadm writes it: four groups of eight digits.
    pub uuid: String,
    /// What it was called when it was made; empty for version 0.90.
    pub name: String,
    /// As mdadm writes it, such as `raid5`.
    pub level: String,
    /// Version of the superblocks.
    pub version: Version,
    /// Its bytes. Ranges that cannot be had fail; `None` if nothing can be read.
    pub source: Option<Arc<dyn BlockSource>>,
    /// Indexes of all devices that bear its superblock, the unused ones too.
    pub devices: Vec<usize>,
    /// Devices that were not used because another is the same member, as copies of a disk are: its
    /// index, and that of the other. What is only on them is not read.
    pub copies: Vec<(usize, usize)>,
    /// Why not all of it, or not its last state, can be read.
    pub problems: Vec<Error>,
    /// What is noteworthy and costs no data.
    pub notes: Vec<String>,
}

/// Whether a device bears the signature of md, or of foreign RAID metadata.
pub fn claims(device: &dyn BlockSource) -> Result<bool, ReadError> {
    Ok(superblock::is_signed(device, &Version::ALL)? || foreign::recognise(device)?.is_some())
}

/// Whether a device bears the signature of md at its end, so that it begins as the array does: a filesystem
/// at its start looks as if it were alone. A superblock of version 0.90 in the last 64 KiB of a disk may be
/// that of its last partition; one of an array larger than the device is not the device's.
pub fn claims_at_end(device: &dyn BlockSource) -> Result<bool, ReadError> {
    superblock::is_signed(device, &Version::AT_END)
}

/// Whether a device bears a superblock at its start whose checksum holds, as far as it can be read. What marks
/// of others stand in the first 4 KiB, which mdadm leaves as they were, is of what the device was before.
pub fn begins_as_member(device: &dyn BlockSource) -> bool {
    let is_here = |version| matches!(Superblock::read(device, version), Ok(Some(_)));
    Version::AT_START.into_iter().any(is_here)
}

/// Finds all arrays on some devices.
pub fn assemble(devices: &[Device]) -> Assembly {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for device in devices {
        announce(device);
    }
    for (index, device) in devices.iter().enumerate() {
        match Superblock::find(&*device.source) {
            Ok(Some(superblock)) => found.push((index, superblock)),
            Ok(None) => match foreign::recognise(&*device.source) {
                Ok(Some(kind)) => problems.push((index, Error::unsupported(kind))),
                Ok(None) => {}
                Err(error) => problems.push((index, error.into())),
            },
            Err(error) => problems.push((index, error)),
        }
    }
    let mut uuids: Vec<&str> = found.iter().map(|(_, found)| found.uuid.as_str()).collect();
    uuids.sort_unstable();
    uuids.dedup();
    let arrays = uuids.iter().map(|uuid| {
        let set = found.iter().filter(|(_, found)| found.uuid == *uuid);
        array::build(devices, &set.map(|(index, found)| (*index, found)).collect::<Vec<_>>())
    });
    Assembly { arrays: arrays.collect(), problems }
}

/// All places where a superblock may stand, so that a slow source starts on all of them.
fn announce(device: &Device) {
    let size = device.source.size();
    let places = Version::ALL.iter().filter_map(|version| version.offset(size));
    let ranges: Vec<_> = places.map(|at| at..at + superblock::LENGTH as u64).collect();
    device.source.will_need(&ranges);
}
