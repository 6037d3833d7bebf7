//! A filesystem on one of the host's disks, with all that names it.

use crate::filesystem::{FileSystem, Identity, Unopened};
use std::sync::Arc;

/// A filesystem on one of the host's disks.
#[derive(Clone)]
pub struct Found {
    /// Name of its device in this scan.
    pub device: String,
    /// Its place in the list of parts.
    pub part: usize,
    /// Which of the host's disks it is on, in the order they were given.
    pub disk: usize,
    /// What it is called below `/dev`, other than partitions are.
    pub names: Vec<String>,
    /// Partition number; none on a whole disk or volume.
    pub partition: Option<u32>,
    /// Partition label.
    pub part_label: Option<String>,
    /// Partition id.
    pub part_uuid: Option<String>,
    /// Type that a GPT gives the partition.
    pub part_kind: Option<String>,
    /// Attribute bits that a GPT gives the partition.
    pub part_attributes: u64,
    /// The filesystem; none if it is recognised but not read, then `kind` names it.
    pub filesystem: Option<Arc<dyn FileSystem>>,
    /// Type, as `mount` calls it.
    pub kind: String,
    /// Not worth a gap when nothing mounts it (an EFI system partition).
    pub optional: bool,
    /// How to read it, if that was left until somebody needs it.
    pub unopened: Option<Unopened>,
}

impl Found {
    /// Label and UUID of the filesystem; none if it is not read.
    pub(super) fn identity(&self) -> Identity {
        self.filesystem.as_ref().map(|it| it.identity()).unwrap_or_default()
    }

    /// The same of one that was left unopened.
    pub(super) fn unopened_identity(&self) -> Option<Identity> {
        Some(self.unopened.as_ref()?.open().ok()?.identity())
    }

    /// Whether the partition or its filesystem has this label.
    pub(super) fn is_called(&self, label: &str) -> bool {
        self.part_label.as_deref() == Some(label) || self.identity().label.as_deref() == Some(label)
    }

    /// Whether the partition has one of these types.
    pub(super) fn is_one_of(&self, kinds: &[&str]) -> bool {
        self.part_kind.as_deref().is_some_and(|kind| kinds.contains(&kind))
    }
}
