//! Filesystem adapters against the kernel, or against the tool that made the image, over the tree of
//! the crate `conformance`; and what they do with damage, and how much they read.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

mod btrfs;
mod btrfs_devices;
mod btrfs_subvolumes;
mod crafted;
mod damage;
mod erofs;
mod places;
mod reads;
mod recognised;
mod squashfs;
mod support;
mod vfat;
