//! One host, joined from the filesystems on its disks: its tree of paths and its identity.

mod addresses;
mod fstab;
mod identity;
mod join;
mod kernels;
mod tree;

pub use identity::identify;
pub use join::{Found, join};
pub use tree::{FileReader, Located, PathError, Tree};

use crate::model::HostContext;

/// A host whose filesystems are joined.
pub struct Host {
    /// Its paths.
    pub tree: Tree,
    /// Who it is.
    pub context: HostContext,
}
