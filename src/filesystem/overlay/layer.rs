//! One layer of a merged view, and the marks in it.

use super::Found;
use crate::filesystem::{Entry, Error, FileSystem, Kind, NodeId};
use std::sync::Arc;

/// Which marks of an overlay count. What a container's own programs can write means nothing to the kernel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Marks {
    /// Those of the kernel, which only root can make: whiteout devices and `trusted.overlay.*`.
    #[default]
    Root,
    /// Those of an unprivileged user, of whom all is in one namespace: `user.overlay.*` and those of fuse-overlayfs, `.wh.` files too.
    User,
    /// `.wh.` files alone, as layers of images have them in their archives.
    Files,
    /// None: the folder is what it is.
    None,
}

/// What a file's name begins with that stands for a whiteout, and the one that makes a folder opaque.
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// What names of files begin with that fuse-overlayfs and aufs keep for themselves.
const RESERVED: &[u8] = b".wh..wh.";

/// A layer.
pub struct Layer {
    pub filesystem: Arc<dyn FileSystem>,
    pub root: NodeId,
    marks: Marks,
}

/// Names of a folder of one layer.
#[derive(Default)]
pub struct Names {
    pub entries: Vec<(Entry, Kind)>,
    /// Names that are removed from lower layers.
    pub removed: Vec<Vec<u8>>,
    pub damage: Vec<Error>,
}

impl Layer {
    pub fn new((filesystem, root): (Arc<dyn FileSystem>, NodeId), marks: Marks) -> Self {
        Self { filesystem, root, marks }
    }

    /// Whether files by their names stand for whiteouts.
    fn has_files(&self) -> bool {
        matches!(self.marks, Marks::User | Marks::Files)
    }

    /// What a name leads to in a folder.
    pub fn find(&self, folder: NodeId, name: &[u8]) -> Result<Found, Error> {
        if self.has_files() && name.starts_with(WHITEOUT) {
            return Ok(Found::Nothing);
        }
        if let Some(node) = self.filesystem.lookup(folder, name)? {
            return Ok(match self.filesystem.metadata(node)?.kind {
                Kind::Directory => Found::Folder(node),
                Kind::Other if self.is_whiteout(node)? => Found::Removed,
                _ => Found::Other(node),
            });
        }
        Ok(if self.removes(folder, name)? { Found::Removed } else { Found::Nothing })
    }

    /// Whether a file in a folder stands for the removal of a name.
    pub fn removes(&self, folder: NodeId, name: &[u8]) -> Result<bool, Error> {
        let file = [WHITEOUT, name].concat();
        Ok(self.has_files() && self.filesystem.lookup(folder, &file)?.is_some())
    }

    /// Names in a folder, whiteouts apart.
    pub fn list(&self, folder: NodeId) -> Result<Names, Error> {
        let listing = self.filesystem.read_dir(folder)?;
        let mut names = Names { damage: listing.damage, ..Names::default() };
        for entry in listing.entries {
            if self.has_files() && entry.name.starts_with(WHITEOUT) {
                if !entry.name.starts_with(RESERVED) {
                    names.removed.push(entry.name[WHITEOUT.len()..].to_vec());
                }
                continue;
            }
            match self.kind_of(&entry) {
                Ok(None) => names.removed.push(entry.name),
                Ok(Some(kind)) => names.entries.push((entry, kind)),
                Err(error) => names.damage.push(error),
            }
        }
        Ok(names)
    }

    /// What an entry is; none if it is a whiteout.
    fn kind_of(&self, entry: &Entry) -> Result<Option<Kind>, Error> {
        let kind = match entry.kind {
            Some(kind) => kind,
            None => self.filesystem.metadata(entry.node)?.kind,
        };
        let is_whiteout = kind == Kind::Other && self.is_whiteout(entry.node)?;
        Ok((!is_whiteout).then_some(kind))
    }

    fn is_whiteout(&self, node: NodeId) -> Result<bool, Error> {
        let are_devices = matches!(self.marks, Marks::Root | Marks::User);
        Ok(are_devices && self.filesystem.device_number(node)? == Some((0, 0)))
    }

    /// Whether nothing of lower layers is seen in a folder.
    pub fn is_opaque(&self, folder: NodeId) -> Result<bool, Error> {
        Ok(match self.marks {
            Marks::None => false,
            Marks::Root => self.says(folder, b"trusted.overlay.opaque")?,
            Marks::Files => self.filesystem.lookup(folder, OPAQUE)?.is_some(),
            Marks::User => {
                self.says(folder, b"user.overlay.opaque")?
                    || self.says(folder, b"user.fuseoverlayfs.opaque")?
                    || self.filesystem.lookup(folder, OPAQUE)?.is_some()
            }
        })
    }

    fn says(&self, node: NodeId, name: &[u8]) -> Result<bool, Error> {
        Ok(self.filesystem.xattr(node, name)?.as_deref() == Some(b"y"))
    }

    /// Whether a file has no bytes of its own.
    pub fn is_metacopy(&self, node: NodeId) -> Result<bool, Error> {
        let Some(name) = self.mark("metacopy") else { return Ok(false) };
        Ok(self.filesystem.xattr(node, name.as_bytes())?.is_some())
    }

    /// Where lower layers have what this is, if that is not under its own name.
    pub fn redirect(&self, node: NodeId) -> Result<Option<Vec<u8>>, Error> {
        let Some(name) = self.mark("redirect") else { return Ok(None) };
        Ok(self.filesystem.xattr(node, name.as_bytes())?.filter(|it| !it.is_empty()))
    }

    fn mark(&self, name: &str) -> Option<String> {
        match self.marks {
            Marks::None | Marks::Files => None,
            Marks::Root => Some(format!("trusted.overlay.{name}")),
            Marks::User => Some(format!("user.overlay.{name}")),
        }
    }
}
