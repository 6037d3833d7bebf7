//! squashfs, through the crate `squashfs-reader`. Of the device it takes what the superblock says, so
//! that an image in a file or partition may have anything behind it.

use super::{
    Entry, Error, FileSystem, FileSystemFormat, Identity, Kind, Listing, Metadata, NodeId, adapted,
};
use crate::block::{BlockSource, Device, ReadError};
use crate::model::GapReason;
use squashfs_reader::{Inode, InodeRef, Kind as Inside, Squashfs};
use std::ops::Range;
use std::sync::Arc;

/// The format.
pub struct SquashFs;

impl FileSystemFormat for SquashFs {
    fn name(&self) -> &'static str {
        "squashfs"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        Squashfs::claims(&*device.source)
    }

    fn open(&self, devices: &[Device]) -> Result<Box<dyn FileSystem>, Error> {
        let device = adapted::only(devices, "squashfs")?;
        let image = Squashfs::open(device.source.clone())?;
        Ok(Box::new(Adapter { image, device: device.source.clone() }))
    }
}

struct Adapter {
    image: Squashfs,
    device: Arc<dyn BlockSource>,
}

impl Adapter {
    fn inode(&self, node: NodeId) -> Result<Inode, Error> {
        Ok(self.image.inode(InodeRef(node.0))?)
    }
}

impl FileSystem for Adapter {
    fn kind(&self) -> &'static str {
        "squashfs"
    }

    /// The format has neither label nor UUID.
    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn warnings(&self) -> Vec<(GapReason, String)> {
        adapted::missing(self.image.missing_bytes()).into_iter().collect()
    }

    fn root(&self) -> NodeId {
        NodeId(self.image.root().0)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let inode = self.inode(node)?;
        Ok(Metadata {
            kind: match inode.kind {
                Inside::File(_) => Kind::File,
                Inside::Directory(_) => Kind::Directory,
                Inside::Symlink(_) => Kind::Symlink,
                _ => Kind::Other,
            },
            size: inode.size(),
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            modified: i64::from(inode.modified),
        })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let found = self.image.read_dir(&self.inode(node)?)?;
        let entry = |it: squashfs_reader::Entry| Entry {
            name: it.name,
            node: NodeId(it.inode.0),
            kind: None,
        };
        let entries = found.entries.into_iter().map(entry).collect();
        Ok(Listing { entries, damage: found.damage.map(Error::from).into_iter().collect() })
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let found = self.image.lookup(&self.inode(directory)?, name)?;
        Ok(found.map(|inode| NodeId(inode.0)))
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        match self.inode(node)?.kind {
            Inside::Symlink(target) => Ok(target),
            _ => Err(Error::Corrupt { what: format!("inode at {:#x} is no link", node.0) }),
        }
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        Ok(self.image.read_at(&self.inode(node)?, offset, out)?)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.device.will_need(ranges);
    }

    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.image.xattr(&self.inode(node)?, name)?)
    }

    fn device_number(&self, node: NodeId) -> Result<Option<(u32, u32)>, Error> {
        Ok(match self.inode(node)?.kind {
            Inside::BlockDevice(major, minor) | Inside::CharDevice(major, minor) => {
                Some((major, minor))
            }
            _ => None,
        })
    }

    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        let inode = self.inode(node)?;
        if !matches!(inode.kind, Inside::File(_) | Inside::Directory(_)) {
            return Ok(Vec::new());
        }
        Ok(self.image.ranges(&inode, offset..offset.saturating_add(length))?)
    }
}

impl From<squashfs_reader::Error> for Error {
    fn from(error: squashfs_reader::Error) -> Self {
        use squashfs_reader::Error as Squash;
        match error {
            Squash::Read(error) => Self::Read(error),
            Squash::Unsupported { feature } => Self::Unsupported { feature },
            error @ Squash::Corrupt { .. } => Self::Corrupt { what: error.to_string() },
        }
    }
}
