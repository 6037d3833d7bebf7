//! NTFS, through `ntfs-reader`.

use super::{
    Entry, Error, FileSystem, FileSystemFormat, Identity, Kind, Listing, Metadata, NodeId, adapted,
};
use crate::block::{BlockSource, Device, ReadError};
use crate::model::{GapReason, printable};
use ntfs_reader::{File, FileReference, Log, Ntfs};
use std::ops::Range;
use std::sync::Arc;

/// The format.
pub struct Format;

impl FileSystemFormat for Format {
    fn name(&self) -> &'static str {
        "ntfs"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        Ntfs::claims(&*device.source)
    }

    fn claims_by_copy(&self, device: &Device) -> Result<bool, ReadError> {
        Ntfs::claims_backup(&*device.source)
    }

    fn open(&self, devices: &[Device]) -> Result<Box<dyn FileSystem>, Error> {
        let device = adapted::only(devices, "ntfs")?;
        let device = device.source.clone();
        Ok(Box::new(Adapter { ntfs: Ntfs::open(device.clone())?, device }))
    }
}

struct Adapter {
    ntfs: Ntfs,
    device: Arc<dyn BlockSource>,
}

impl Adapter {
    fn file(&self, node: NodeId) -> Result<File, Error> {
        Ok(self.ntfs.file(FileReference(node.0))?)
    }

    fn unclean(&self) -> Option<&'static str> {
        if self.ntfs.is_hibernated().unwrap_or(false) {
            return Some("Windows is hibernated: what it has in memory only is not on the disk");
        }
        let dirty = self.ntfs.volume().is_ok_and(ntfs_reader::Volume::is_dirty);
        let open = !matches!(self.ntfs.log(), Log::Clean);
        (dirty || open).then_some(
            "its log is not replayed; the newest changes to names and sizes may be missing",
        )
    }
}

impl FileSystem for Adapter {
    fn kind(&self) -> &'static str {
        "ntfs"
    }

    fn identity(&self) -> Identity {
        let label = self.ntfs.volume().ok().and_then(|volume| volume.label.as_deref());
        let label = label.map(printable);
        Identity { label, uuid: Some(format!("{:016x}", self.ntfs.boot().serial)) }
    }

    fn warnings(&self) -> Vec<(GapReason, String)> {
        let mut warnings = Vec::new();
        let mut damaged = |text: String| warnings.push((GapReason::Corrupt, text));
        let health = self.ntfs.health();
        if health.backup_boot_used {
            damaged("damaged boot sector; its copy was used".to_owned());
        }
        if let Some(error) = health.mirror_used {
            damaged(format!("damaged start of the file table, its copy was used: {error}"));
        }
        if health.lost_records.count > 0 {
            damaged(format!("{} parts of the file table are lost", health.lost_records.count));
        }
        warnings.extend(adapted::missing(self.ntfs.missing_bytes()));
        let unclean = self.unclean().map(|text| (GapReason::Unsupported, text.to_owned()));
        warnings.extend(unclean);
        warnings
    }

    fn root(&self) -> NodeId {
        NodeId(self.ntfs.root().0)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let file = self.file(node)?;
        Ok(Metadata {
            kind: match file.kind {
                ntfs_reader::Kind::File => Kind::File,
                ntfs_reader::Kind::Directory => Kind::Directory,
                ntfs_reader::Kind::Symlink => Kind::Symlink,
                _ => Kind::Other,
            },
            size: file.size,
            // Owners and permissions are lists of identities, which no reader here needs.
            mode: if file.kind == ntfs_reader::Kind::Directory { 0o755 } else { 0o644 },
            uid: 0,
            gid: 0,
            modified: file.modified.seconds,
        })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let found = self.ntfs.read_dir(&self.file(node)?)?;
        let entry =
            |it: ntfs_reader::Entry| Entry { name: it.name, node: NodeId(it.file.0), kind: None };
        let entries = found.entries.into_iter().map(entry).collect();
        Ok(adapted::listing(entries, found.damage.reasons, found.damage.count))
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let found = self.ntfs.lookup(&self.file(directory)?, name)?;
        Ok(found.map(|file| NodeId(file.0)))
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        Ok(self.ntfs.read_link(&self.file(node)?)?)
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        Ok(self.ntfs.read_at(&self.file(node)?, offset, out)?)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.device.will_need(ranges);
    }

    /// What Linux shows as attributes of NTFS is made by its drivers.
    fn xattr(&self, _: NodeId, _: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(None)
    }

    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        Ok(self.ntfs.ranges(&self.file(node)?, offset, length)?)
    }

    fn metadata_ranges(&self, nodes: &[NodeId]) -> Result<Vec<Range<u64>>, Error> {
        let places = |node: &NodeId| self.ntfs.record_ranges(FileReference(node.0));
        adapted::in_order(nodes.iter().map(places))
    }
}

impl From<ntfs_reader::Error> for Error {
    fn from(error: ntfs_reader::Error) -> Self {
        match error {
            ntfs_reader::Error::Read(error) => Self::Read(error),
            ntfs_reader::Error::Unsupported { feature } => Self::Unsupported { feature },
            error @ ntfs_reader::Error::Corrupt { .. } => Self::Corrupt { what: error.to_string() },
        }
    }
}
