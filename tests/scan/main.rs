//! Scans through the program, over real disks and hostile ones.

mod directory;
mod disks;
mod progress;
mod report;
#[cfg(feature = "ebs")]
mod snapshots;
mod support;
