//! Where the bytes of disks enter: image files, block devices, EBS snapshots.

#[cfg(feature = "ebs")]
pub mod ebs_snapshot;
pub mod image_archive;
pub mod image_file;
