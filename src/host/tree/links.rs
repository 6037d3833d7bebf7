//! Symbolic links as such, not what they lead to; and folders merged into trees of their own.

use super::{Located, Mounted};
use super::{PathError, Tree};
use crate::filesystem::{Error, FileSystem, Kind, MadeFolder, Marks, Overlay};
use std::sync::Arc;

impl Tree {
    /// A tree of no paths that only holds filesystems, to be merged, and the root of each.
    pub fn of_layers(layers: Vec<Arc<dyn FileSystem>>) -> (Self, Vec<Located>) {
        let mut tree = Self::new(Arc::new(MadeFolder));
        let mut roots = Vec::with_capacity(layers.len());
        for filesystem in layers {
            let (root, path) = (filesystem.root(), vec![Vec::new()]);
            roots.push(Located { mount: tree.mounts.len(), node: root });
            tree.mounts.push(Mounted { path, filesystem, root });
        }
        (tree, roots)
    }

    /// A tree that is merged from folders of this one, uppermost first.
    pub fn merged(&self, folders: &[Located], marks: Marks) -> Result<Self, Error> {
        let layers = folders.iter().map(|at| (self.filesystem(*at).clone(), at.node)).collect();
        Ok(Self::new(Arc::new(Overlay::new(layers, marks)?)))
    }

    /// As [`FileSystem::uppermost_layer`](crate::filesystem::FileSystem::uppermost_layer).
    pub fn uppermost_layer(&self, at: Located) -> Option<usize> {
        self.filesystem(at).uppermost_layer(at.node)
    }

    /// Whether a folder is at a path, over links too.
    pub fn is_folder(&self, path: &[u8]) -> Result<bool, PathError> {
        let Some(at) = self.find(path)? else { return Ok(false) };
        let metadata = self.metadata(at).map_err(|source| Self::error(path, source))?;
        Ok(metadata.kind == Kind::Directory)
    }

    /// Where the link at a path leads; `None` if there is nothing, or no link. Links above it are followed.
    pub fn link_target(&self, path: &[u8]) -> Result<Option<Vec<u8>>, PathError> {
        let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else { return Ok(None) };
        let (above, name) = (&path[..slash], &path[slash + 1..]);
        let Some(folder) = self.find(above)? else { return Ok(None) };
        let fail = |source| Self::error(path, source);
        if self.metadata(folder).map_err(fail)?.kind != Kind::Directory {
            return Ok(None);
        }
        let found = self.filesystem(folder).lookup(folder.node, name).map_err(fail)?;
        let Some(at) = found.map(|node| folder.beside(node)) else { return Ok(None) };
        if self.metadata(at).map_err(fail)?.kind != Kind::Symlink {
            return Ok(None);
        }
        self.read_link(at).map(Some).map_err(fail)
    }
}
