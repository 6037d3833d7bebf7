//! Scans through the program, over real disks and hostile ones.

mod directory;
mod disks;
mod findings;
#[cfg(feature = "ebs")]
mod snapshots;
mod support;
