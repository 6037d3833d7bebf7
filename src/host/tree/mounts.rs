//! What is put at a path of the tree, and the folders that are made for it.

use super::{Located, Mounted, PathError, Tree, names};
use crate::filesystem::{FileSystem, Kind, MadeFolder, NodeId};
use std::collections::HashMap;
use std::sync::Arc;

/// Most folders that are made for one mount.
const MOST_MADE: usize = 16;

impl Tree {
    /// Puts a folder of a filesystem at `path`, over what is there: links on the way are followed, and
    /// folders that are not there are made, as systemd does. Later mounts win. `false` if they cannot be.
    pub fn mount(
        &mut self,
        path: &[u8],
        filesystem: Arc<dyn FileSystem>,
        root: NodeId,
    ) -> Result<bool, PathError> {
        let is_there = self.find(path)?.is_some() || self.make(path)?;
        Ok(is_there && self.put(path, filesystem, root)?)
    }

    /// Puts what is at `from` at `path` too, as a bind mount does. `false` if one is not there.
    pub fn bind(&mut self, from: &[u8], path: &[u8]) -> Result<bool, PathError> {
        let Some(at) = self.find(from)? else { return Ok(false) };
        let filesystem = self.filesystem(at).clone();
        self.put(path, filesystem, at.node)
    }

    /// What is mounted, by the folder that it is in.
    pub(super) fn mounts_by_folder(&self) -> HashMap<Vec<u8>, Vec<(Vec<u8>, Located)>> {
        let mut mounts: HashMap<Vec<u8>, Vec<(Vec<u8>, Located)>> = HashMap::new();
        for (mount, it) in self.mounts.iter().enumerate() {
            let Some((name, above)) = it.path.split_last() else { continue };
            let above: Vec<u8> =
                above.iter().flat_map(|name| [b"/", name.as_slice()].concat()).collect();
            let inside = mounts.entry(above).or_default();
            // The last one is on top.
            inside.retain(|(taken, _)| taken != name);
            inside.push((name.clone(), Located { mount, node: it.root }));
        }
        mounts
    }

    fn put(
        &mut self,
        path: &[u8],
        filesystem: Arc<dyn FileSystem>,
        root: NodeId,
    ) -> Result<bool, PathError> {
        let Some(trail) = self.walk(path)? else { return Ok(false) };
        let path = trail.into_iter().map(|(name, _)| name).collect();
        self.mounts.push(Mounted { path, filesystem, root });
        Ok(true)
    }

    /// Makes the folders of a path that are not there; `false` if something else is in the way.
    fn make(&mut self, path: &[u8]) -> Result<bool, PathError> {
        let names: Vec<&[u8]> = names(path).collect();
        let above = |count: usize| names[..count].iter().flat_map(|name| [b"/", *name].concat());
        let above = |count: usize| above(count).collect::<Vec<u8>>();
        for missing in 1..=names.len().min(MOST_MADE) {
            let there = names.len() - missing;
            let Some(at) = self.find(&above(there))? else { continue };
            let is_folder =
                self.metadata(at).map_err(|source| Tree::error(&above(there), source))?.kind
                    == Kind::Directory;
            // A link that leads nowhere is in the way.
            let is_free = is_folder && !names[there..].contains(&b"..".as_slice());
            if !is_free || self.holds(&above(there + 1))? {
                return Ok(false);
            }
            let trail = self.walk(&above(there))?.unwrap_or_default();
            let mut path: Vec<_> = trail.into_iter().map(|(name, _)| name).collect();
            for name in &names[there..] {
                path.push(name.to_vec());
                let filesystem = Arc::new(MadeFolder);
                self.mounts.push(Mounted { path: path.clone(), filesystem, root: NodeId(0) });
            }
            return Ok(true);
        }
        Ok(false)
    }
}
