//! ext2, ext3 and ext4, through the crate `ext4-reader`.

use super::{Entry, Error, FileSystem, FileSystemFormat, Identity, Kind, Metadata, NodeId};
use crate::block::{BlockSource, Device, ReadError};
use crate::model::{GapReason, printable, uuid};
use ext4_reader::{Ext4, Generation, Inode, InodeNumber};
use std::ops::Range;
use std::sync::Arc;

/// The format.
pub struct Ext;

impl FileSystemFormat for Ext {
    fn name(&self) -> &'static str {
        "ext4"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        if Ext4::claims(&*device.source)? {
            return Ok(true);
        }
        // Only a device that bears no other signature is searched for backup superblocks.
        let other = super::recognise(device)?.is_some_and(|found| found.name != "blank");
        Ok(!other && Ext4::claims_backup(&*device.source)?)
    }

    fn open(&self, devices: &[Device]) -> Result<Box<dyn FileSystem>, Error> {
        let [device] = devices else {
            return Err(Error::Unsupported { feature: "ext4 over several devices".to_owned() });
        };
        Ok(Box::new(Adapter(Ext4::open(device.source.clone())?, device.source.clone())))
    }
}

struct Adapter(Ext4, Arc<dyn BlockSource>);

impl Adapter {
    fn inode(&self, node: NodeId) -> Result<Inode, Error> {
        let number = u32::try_from(node.0)
            .map_err(|_| Error::Corrupt { what: format!("inode number {}", node.0) })?;
        Ok(self.0.inode(InodeNumber(number))?)
    }
}

fn id(number: InodeNumber) -> NodeId {
    NodeId(u64::from(number.0))
}

impl FileSystem for Adapter {
    fn kind(&self) -> &'static str {
        match self.0.superblock().generation() {
            Generation::Ext2 => "ext2",
            Generation::Ext3 => "ext3",
            Generation::Ext4 => "ext4",
        }
    }

    fn identity(&self) -> Identity {
        let superblock = self.0.superblock();
        let label = (!superblock.label.is_empty()).then(|| printable(&superblock.label));
        Identity { label, uuid: Some(uuid(&superblock.uuid)) }
    }

    fn warnings(&self) -> Vec<(GapReason, String)> {
        let mut warnings = Vec::new();
        if let Some(block) = self.0.superblock().backup_used {
            let text = format!("damaged superblock; the backup in block {block} was used");
            warnings.push((GapReason::Corrupt, text));
        }
        if self.0.missing_bytes() > 0 {
            let text = format!("the last {} bytes are missing", self.0.missing_bytes());
            warnings.push((GapReason::Corrupt, text));
        }
        if self.0.superblock().needs_recovery() {
            let text =
                "the journal holds changes that were not replayed; the newest may be missing";
            warnings.push((GapReason::Unsupported, text.to_owned()));
        }
        warnings
    }

    fn root(&self) -> NodeId {
        id(self.0.root())
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let inode = self.inode(node)?;
        Ok(Metadata {
            kind: match inode.kind {
                ext4_reader::Kind::File => Kind::File,
                ext4_reader::Kind::Directory => Kind::Directory,
                ext4_reader::Kind::Symlink => Kind::Symlink,
                _ => Kind::Other,
            },
            size: inode.size,
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            modified: inode.modified.seconds,
        })
    }

    fn read_dir(&self, node: NodeId) -> Result<Vec<Entry>, Error> {
        let listing = self.0.read_dir(&self.inode(node)?)?;
        if let Some(reason) = listing.damage.reasons.into_iter().next() {
            return Err(reason.into());
        }
        let entries = listing.entries.into_iter();
        Ok(entries.map(|entry| Entry { name: entry.name, node: id(entry.inode) }).collect())
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        Ok(self.0.lookup(&self.inode(directory)?, name)?.map(id))
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        Ok(self.0.read_link(&self.inode(node)?)?)
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        Ok(self.0.read_at(&self.inode(node)?, offset, out)?)
    }

    fn read_ahead(&self, node: NodeId, length: u64) -> Result<(), Error> {
        self.1.will_need(&self.ranges(node, 0, length)?);
        Ok(())
    }

    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.xattr(&self.inode(node)?, name)?)
    }

    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        Ok(self.0.ranges(&self.inode(node)?, offset, length)?)
    }
}

impl From<ext4_reader::Error> for Error {
    fn from(error: ext4_reader::Error) -> Self {
        match error {
            ext4_reader::Error::Read(error) => Self::Read(error),
            ext4_reader::Error::Unsupported { feature } => Self::Unsupported { feature },
            error @ ext4_reader::Error::Corrupt { .. } => Self::Corrupt { what: error.to_string() },
        }
    }
}
