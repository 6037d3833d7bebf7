//! Finds the volumes inside devices: partitions, arrays, logical volumes.

pub mod gpt;
pub mod lvm2;
pub mod mbr;
pub mod md_raid;
mod pool;

use crate::block::{Device, ReadError};
use crate::model::Partial;

/// A way in which devices hold volumes. Adding one is a file here and a line in [`TABLES`] or [`POOLS`].
pub trait VolumeFormat: Send + Sync {
    /// Short name, such as `gpt`.
    fn name(&self) -> &'static str;

    /// Whether the device is of this format for certain, whatever stands before its mark.
    fn claims_first(&self, _device: &Device) -> Result<bool, ReadError> {
        Ok(false)
    }

    /// Whether the device is of this format; a failed read is not a "no".
    fn claims(&self, device: &Device) -> Result<bool, ReadError>;

    /// The volumes in these devices, all claimed by this format: of a table one, of a pool all that are
    /// known.
    fn assemble(&self, devices: &[Device]) -> Partial<Vec<Volume>>;
}

/// Tables of one device, in the order in which they are asked: GPT before the protective MBR that it
/// hides in.
pub const TABLES: &[&dyn VolumeFormat] = &[&gpt::Gpt, &mbr::Mbr];

/// Volumes that may stand on several devices, in the order in which they are put together.
pub const POOLS: &[&dyn VolumeFormat] = &[&md_raid::Md, &lvm2::Lvm2];

/// A volume that was found.
#[derive(Clone)]
pub struct Volume {
    /// Its bytes and its name in this scan.
    pub device: Device,
    /// The devices that it is in or stands on.
    pub on: Vec<String>,
    /// Id by which it is known again, where a name may be another's too: that of an array or logical volume.
    pub id: Option<String>,
    /// What it is called below `/dev`, other than partitions are: `mapper/vg-root`, `md0`.
    pub names: Vec<String>,
    /// Number in its table, from 1.
    pub number: Option<u32>,
    /// Name that the table gives it (`PARTLABEL`).
    pub label: Option<String>,
    /// Id of the partition as `blkid` prints it (`PARTUUID`).
    pub uuid: Option<String>,
    /// Type that a GPT gives it, as `blkid` prints it (`PART_ENTRY_TYPE`).
    pub kind: Option<String>,
    /// Attribute bits that a GPT gives it.
    pub attributes: u64,
    /// Why nothing of it can be read; a gap says so already.
    pub unread: Option<String>,
    /// Bytes of it that lie past the end of a device that was cut off.
    pub missing_bytes: u64,
    /// What the table says it is for.
    pub purpose: Purpose,
}

/// What a volume is for, as far as its table tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Anything: it is looked at.
    Data,
    /// Boot firmware's own (an EFI system partition): no packages, read only if it is mounted.
    Firmware,
    /// Raw boot loader code without a filesystem.
    BootLoader,
    /// Other raw content without a filesystem, and what it is.
    Raw(&'static str),
    /// Swap space.
    Swap,
}

impl Volume {
    /// A whole disk.
    pub fn whole(device: Device) -> Self {
        Self {
            device,
            on: Vec::new(),
            id: None,
            names: Vec::new(),
            number: None,
            label: None,
            uuid: None,
            kind: None,
            attributes: 0,
            unread: None,
            missing_bytes: 0,
            purpose: Purpose::Data,
        }
    }
}
