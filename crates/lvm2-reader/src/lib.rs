//! LVM2, read-only, over positioned reads.
//!
//! [`assemble`] takes the devices that may be physical volumes and gives every volume group on
//! them with its logical volumes as devices: linear and striped ones, mirrors, RAID of all levels,
//! thin volumes and snapshots of both kinds. Formats: LVM2's `lib/format_text`, and the kernel's
//! `drivers/md/dm-*.c`.
//!
//! * The newest metadata of all physical volumes count. Where the newest text of an area is
//!   damaged, older ones in it are used, and [`VolumeGroup::problems`] says so.
//! * A volume that lies partly on a physical volume that is missing is read where it can be; its
//!   problems say what is missing.
//! * RAID volumes leave out legs that their superblocks say are behind.
//! * Refused, by name: cached volumes (cache, writecache), VDO, integrity, RAID in the middle of a
//!   reshape, and all types that are not known.

mod build;
mod build_areas;
mod build_thin;
mod bytes;
mod collect;
mod error;
mod label;
mod metadata_area;
mod model;
mod older;
mod part;
mod places;
mod raid;
mod raid_superblock;
mod segment;
mod snapshot;
mod text;
mod thin;
mod thin_pool;
mod thin_tree;

pub use md_reader::{Device, Error};

use block_source::{BlockSource, ReadError};
use std::sync::Arc;

/// What was found on some devices.
pub struct Assembly {
    /// The volume groups, by name.
    pub groups: Vec<VolumeGroup>,
    /// Devices, by index, that are physical volumes of which something could not be read, or of
    /// a group of which no metadata were found.
    pub problems: Vec<(usize, Error)>,
    /// Devices, by index, that are physical volumes of no group: nothing is on them.
    pub unused: Vec<usize>,
}

/// A volume group.
pub struct VolumeGroup {
    /// Its name.
    pub name: String,
    /// Its id, with dashes.
    pub uuid: String,
    /// Counts the changes that its metadata have seen.
    pub sequence: u64,
    /// Indexes of the devices that are its physical volumes.
    pub devices: Vec<usize>,
    /// Devices that were not used because another is the same physical volume, as copies of a disk are: its
    /// index, and that of the other. What is only on them is not read.
    pub copies: Vec<(usize, usize)>,
    /// The volumes that its owner sees, by name. What they are made of is not among them.
    pub volumes: Vec<LogicalVolume>,
    /// What costs data of it.
    pub problems: Vec<Error>,
    /// What is noteworthy and costs no data.
    pub notes: Vec<String>,
}

/// A logical volume.
pub struct LogicalVolume {
    /// Its name inside its group.
    pub name: String,
    /// Its id, with dashes.
    pub uuid: String,
    /// Bytes.
    pub size: u64,
    /// Indexes of the devices that it lies on, so far as they are there; none if that is not known.
    pub devices: Vec<usize>,
    /// Its bytes. Ranges that cannot be had fail; `None` if nothing can be read.
    pub source: Option<Arc<dyn BlockSource>>,
    /// Why not all of it can be read.
    pub problems: Vec<Error>,
    /// What is noteworthy and costs no data.
    pub notes: Vec<String>,
}

/// Whether a device bears the label of a physical volume.
pub fn claims(device: &dyn BlockSource) -> Result<bool, ReadError> {
    label::is_signed(device)
}

/// Finds all volume groups on some devices.
pub fn assemble(devices: &[Device]) -> Assembly {
    let mut collected = collect::collect(devices);
    let mut groups: Vec<VolumeGroup> =
        collected.groups.drain(..).map(|found| build::group(devices, found)).collect();
    groups.sort_by(|a, b| (&a.name, &a.uuid).cmp(&(&b.name, &b.uuid)));
    Assembly { groups, problems: collected.problems, unused: collected.unused }
}
