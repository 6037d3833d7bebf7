//! One file per subcommand, and what they share: progress, the output file, the end by a signal.

#[cfg(feature = "cloud")]
pub mod cleanup;
#[cfg(feature = "cloud")]
mod cloud_args;
#[cfg(feature = "cloud")]
mod cloud_target;
pub mod disks;
#[cfg(feature = "cloud")]
pub mod doctor;
pub mod feeds;
pub mod files;
pub mod interrupt;
pub mod inventory_args;
#[cfg(feature = "cloud")]
pub mod onboard;
pub mod output;
pub mod progress;
pub mod read_set;
pub mod sbom;
pub mod scan;
#[cfg(feature = "cloud")]
pub mod sweep;
