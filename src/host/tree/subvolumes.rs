//! Where a tree goes from one subvolume into another.

use super::{Located, Tree};
use crate::filesystem::{FileSystem, NodeId};
use std::sync::Arc;

impl Tree {
    /// Whether a folder shows what is scanned elsewhere in this tree, or a state that is past: the
    /// root of a snapshot, or of another state of what is mounted. A walk need not go in.
    ///
    /// A snapshot that can be written to, of something that is mounted nowhere, is what took its
    /// place, and no such folder.
    pub fn is_snapshot(&self, at: Located) -> bool {
        let filesystem = self.filesystem(at);
        let Some(own) = filesystem.subvolume_root(at.node) else { return false };
        if self.mounts[at.mount].root == at.node {
            return false;
        }
        let same = self.mounts.iter().filter(|it| Arc::ptr_eq(&it.filesystem, filesystem));
        let mut mounted = same.filter_map(|it| filesystem.subvolume_root(it.root));
        own.is_frozen || mounted.any(|it| it.family == own.family)
    }

    /// Whether this path shows this node of this filesystem.
    pub(in crate::host) fn shows(
        &self,
        path: &[u8],
        filesystem: &Arc<dyn FileSystem>,
        node: NodeId,
    ) -> bool {
        let found = self.find(path).ok().flatten();
        found.is_some_and(|at| at.node == node && Arc::ptr_eq(self.filesystem(at), filesystem))
    }
}
