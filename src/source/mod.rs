//! Where the bytes of disks enter: image files, block devices, EBS snapshots.

pub mod image_file;
