//! XFS, through `xfs-reader`. Its log is replayed in memory before anything is read.

use super::{
    Entry, Error, FileSystem, FileSystemFormat, Identity, Kind, Listing, Metadata, NodeId, Recent,
    adapted,
};
use crate::block::{BlockSource, Device, ReadError};
use crate::model::GapReason;
use std::ops::Range;
use std::sync::Arc;
use xfs_reader::log::{Shortfall, State};
use xfs_reader::{Inode, InodeNumber, Xfs};

/// The format.
pub struct Format;

impl FileSystemFormat for Format {
    fn name(&self) -> &'static str {
        "xfs"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        Xfs::claims(&*device.source)
    }

    fn claims_by_copy(&self, device: &Device) -> Result<bool, ReadError> {
        Xfs::claims_backup(&*device.source)
    }

    fn open(&self, devices: &[Device]) -> Result<Box<dyn FileSystem>, Error> {
        let device = adapted::only(devices, "xfs")?;
        let source = device.source.clone();
        let (xfs, log_error) = match Xfs::open(source.clone()) {
            Ok(xfs) => (xfs, None),
            Err(error) => (Xfs::open_unreplayed(source.clone())?, Some(error.to_string())),
        };
        Ok(Box::new(Adapter { xfs, recent: Recent::default(), device: source, log_error }))
    }
}

struct Adapter {
    xfs: Xfs,
    recent: Recent<Inode>,
    device: Arc<dyn BlockSource>,
    /// Why the log could not be replayed at all.
    log_error: Option<String>,
}

impl Adapter {
    fn inode(&self, node: NodeId) -> Result<Arc<Inode>, Error> {
        self.recent.get(node, || Ok(self.xfs.inode(InodeNumber(node.0))?))
    }
}

impl FileSystem for Adapter {
    fn kind(&self) -> &'static str {
        "xfs"
    }

    fn identity(&self) -> Identity {
        let superblock = self.xfs.superblock();
        adapted::identity(&superblock.label, &superblock.uuid)
    }

    fn warnings(&self) -> Vec<(GapReason, String)> {
        let mut warnings = Vec::new();
        if let Some(group) = self.xfs.superblock().backup_used {
            let text = format!("damaged superblock; the copy in group {group} was used");
            warnings.push((GapReason::Corrupt, text));
        }
        warnings.extend(adapted::missing(self.xfs.missing_bytes()));
        let why = match self.xfs.log() {
            Some(State::Partly { why, .. }) => {
                let told = why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                let foreign = |it: &Shortfall| *it == Shortfall::External;
                let is_foreign = why.iter().all(foreign);
                let reason = if is_foreign { GapReason::Unsupported } else { GapReason::Corrupt };
                Some((reason, told))
            }
            _ => self.log_error.clone().map(|why| (GapReason::Corrupt, why)),
        };
        warnings.extend(why.map(|(reason, why)| {
            let text = format!(
                "its log was not wholly replayed; the newest changes may be missing: {why}"
            );
            (reason, text)
        }));
        warnings
    }

    fn root(&self) -> NodeId {
        NodeId(self.xfs.root().0)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let inode = self.inode(node)?;
        Ok(Metadata {
            kind: kind(inode.kind),
            size: inode.size,
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            modified: inode.modified.seconds,
        })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let found = self.xfs.read_dir(&*self.inode(node)?)?;
        let entry = |it: xfs_reader::Entry| Entry {
            name: it.name,
            node: NodeId(it.inode.0),
            kind: it.kind.map(kind),
        };
        let entries = found.entries.into_iter().map(entry).collect();
        Ok(adapted::listing(entries, found.damage.reasons, found.damage.count))
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let found = self.xfs.lookup(&*self.inode(directory)?, name)?;
        Ok(found.map(|number| NodeId(number.0)))
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        Ok(self.xfs.read_link(&*self.inode(node)?)?)
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        Ok(self.xfs.read_at(&*self.inode(node)?, offset, out)?)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.device.will_need(ranges);
    }

    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.xfs.xattr(&*self.inode(node)?, name)?)
    }

    fn device_number(&self, node: NodeId) -> Result<Option<(u32, u32)>, Error> {
        Ok(self.inode(node)?.device())
    }

    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        Ok(self.xfs.ranges(&*self.inode(node)?, offset, length)?)
    }

    fn forget(&self, node: NodeId) {
        self.recent.forget(node);
    }

    fn metadata_ranges(&self, nodes: &[NodeId]) -> Result<Vec<Range<u64>>, Error> {
        let places = |node: &NodeId| self.xfs.inode_range(InodeNumber(node.0)).map(|it| vec![it]);
        adapted::in_order(nodes.iter().map(places))
    }
}

fn kind(kind: xfs_reader::Kind) -> Kind {
    match kind {
        xfs_reader::Kind::File => Kind::File,
        xfs_reader::Kind::Directory => Kind::Directory,
        xfs_reader::Kind::Symlink => Kind::Symlink,
        _ => Kind::Other,
    }
}

impl From<xfs_reader::Error> for Error {
    fn from(error: xfs_reader::Error) -> Self {
        match error {
            xfs_reader::Error::Read(error) => Self::Read(error),
            xfs_reader::Error::Unsupported { feature } => Self::Unsupported { feature },
            error @ xfs_reader::Error::Corrupt { .. } => Self::Corrupt { what: error.to_string() },
        }
    }
}
