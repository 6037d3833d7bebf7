//! Finds the volumes inside devices: partitions now, logical volumes and arrays as they come.

pub mod gpt;
pub mod mbr;

use crate::block::{Device, ReadError};
use crate::model::Partial;

/// A way in which devices hold volumes. Adding one is a file here and a line in [`FORMATS`].
pub trait VolumeFormat: Send + Sync {
    /// Short name, such as `gpt`.
    fn name(&self) -> &'static str;

    /// Whether the device is of this format; a failed read is not a "no".
    fn claims(&self, device: &Device) -> Result<bool, ReadError>;

    /// The volumes in these devices (all claimed by this format).
    fn assemble(&self, devices: &[Device]) -> Partial<Vec<Volume>>;
}

/// Formats in the order in which they are asked: GPT before the protective MBR that it hides in.
pub const FORMATS: &[&dyn VolumeFormat] = &[&gpt::Gpt, &mbr::Mbr];

/// A volume that was found.
#[derive(Clone)]
pub struct Volume {
    /// Its bytes and its name in this scan.
    pub device: Device,
    /// Number in its table, from 1.
    pub number: u32,
    /// Name that the table gives it (`PARTLABEL`).
    pub label: Option<String>,
    /// Id of the partition as `blkid` prints it (`PARTUUID`).
    pub uuid: Option<String>,
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
    /// Swap space.
    Swap,
}
