//! Sidelight: an agentless scanner of cloud hosts.
//!
//! Disks and EBS snapshots are read through positioned block reads, never mounted. The layers
//! are the folders, in the order in which data flow; `ARCHITECTURE.md` has the picture, and
//! `tests/layering.rs` holds it against the code.

pub mod advisory;
#[cfg(feature = "ebs")]
pub mod aws;
pub mod block;
pub mod cli;
#[cfg(feature = "cloud")]
pub mod cloud;
pub mod commands;
pub mod containers;
pub mod filesystem;
pub mod host;
pub mod inventory;
pub mod matching;
pub mod model;
pub mod pipeline;
pub mod report;
pub mod source;
#[cfg(feature = "cloud")]
pub mod sweep;
pub mod version;
pub mod volume;
