//! One host, joined from the filesystems on its disks: its tree of paths and its identity.

mod addresses;
mod apt;
mod boot;
mod candidates;
mod devices;
mod dnf;
pub mod end_of_life;
mod found;
mod fstab;
mod gpt_auto;
mod identity;
mod join;
mod kernels;
mod leftover;
mod ostree;
mod products;
mod release_file;
mod root;
mod settings;
mod slots;
mod spec;
mod states;
mod subvolumes;
mod target;
mod tree;
mod ubuntu_pro;
mod units;
mod update_stream;
mod wanted;
pub mod windows;

pub use crate::filesystem::{Entry, Kind, NodeId};
pub use apt::{Archives, Indexes};
pub use found::Found;
pub use identity::{identify, identify_container};
pub use join::{Joined, ON_NO_DISK, join};
pub use kernels::InUse as KernelsInUse;
pub use settings::Settings;
pub use tree::{
    Descend, Detail, FileReader, Located, Part, PathError, Place, Plan, PositionedFile, Tree,
    WalkStep, Walked, read_reason,
};
pub use ubuntu_pro::count_esm;

use crate::model::HostContext;

/// A host whose filesystems are joined.
pub struct Host {
    /// Its paths.
    pub tree: Tree,
    /// Who it is.
    pub context: HostContext,
}

/// The paths whose content joining and identity read on most hosts, so that their blocks can be
/// asked for early. One that is not here is read all the same.
pub fn paths() -> impl Iterator<Item = &'static str> {
    let files = ["/etc/os-release", "/etc/fstab", "/etc/hostname", "/etc/machine-id"];
    let folders = ["/lib/modules", "/boot", units::FOLDER];
    files.into_iter().chain(folders).chain(addresses::folders())
}
