//! Scans through the program, over real disks and hostile ones.

mod directory;
mod disks;
mod joined;
#[cfg(feature = "ebs")]
mod snapshots;
mod support;
mod volumes;
