//! FAT12, FAT16 and FAT32, through the crate `fat-reader`.

use super::{
    Entry, Error, FileSystem, FileSystemFormat, Identity, Kind, Listing, Metadata, NodeId, adapted,
};
use crate::block::{BlockSource, Device, ReadError};
use crate::model::{GapReason, printable};
use fat_reader::{EntryAt, Fat, ROOT, same_name};
use std::ops::Range;
use std::sync::Arc;

/// Permissions that Linux shows of each file, as the format keeps none.
const MODE: u16 = 0o755;

/// The format.
pub struct Vfat;

impl FileSystemFormat for Vfat {
    fn name(&self) -> &'static str {
        "vfat"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        // Others hide behind a boot sector of FAT: BitLocker "to go", a hybrid boot image.
        let stands_alone =
            |known: Option<super::Recognised>| known.is_none_or(|it| it.name == "vfat");
        Ok(Fat::claims(&*device.source)? && stands_alone(super::recognise(device)?))
    }

    fn open(&self, devices: &[Device]) -> Result<Box<dyn FileSystem>, Error> {
        let device = adapted::only(devices, "vfat")?;
        let fat = Fat::open(device.source.clone())?;
        let label = fat.label()?.map(|label| printable(&label));
        Ok(Box::new(Adapter { fat, label, device: device.source.clone() }))
    }
}

struct Adapter {
    fat: Fat,
    label: Option<String>,
    device: Arc<dyn BlockSource>,
}

impl FileSystem for Adapter {
    fn kind(&self) -> &'static str {
        "vfat"
    }

    /// The serial number as `blkid` groups it, in lower case as all UUIDs here.
    fn identity(&self) -> Identity {
        let serial = self.fat.boot().serial;
        let uuid = Some(format!("{:04x}-{:04x}", serial >> 16, serial & 0xffff));
        Identity { label: self.label.clone(), uuid }
    }

    fn warnings(&self) -> Vec<(GapReason, String)> {
        let missing = self.fat.boot().size.saturating_sub(self.device.size());
        let dirty = self.fat.boot().dirty.then(adapted::not_unmounted);
        adapted::missing(missing).into_iter().chain(dirty).collect()
    }

    fn root(&self) -> NodeId {
        NodeId(ROOT.0)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        let found = self.fat.metadata(EntryAt(node.0))?;
        Ok(Metadata {
            kind: if found.is_directory { Kind::Directory } else { Kind::File },
            size: u64::from(found.size),
            mode: if found.read_only { MODE & !0o222 } else { MODE },
            uid: 0,
            gid: 0,
            modified: found.modified,
        })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        let found = self.fat.read_dir(EntryAt(node.0))?;
        let entry = |it: fat_reader::Entry| Entry {
            name: it.name.into_bytes(),
            node: NodeId(it.at.0),
            kind: None,
        };
        let entries = found.entries.into_iter().map(entry).collect();
        Ok(Listing { entries, damage: found.damage.map(Error::from).into_iter().collect() })
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        let Ok(name) = str::from_utf8(name) else { return Ok(None) };
        let found = self.fat.read_dir(EntryAt(directory.0))?;
        let is_it = |it: &&fat_reader::Entry| same_name(&it.name, name);
        let by_short = |it: &&fat_reader::Entry| same_name(&it.short, name);
        let entries = &found.entries;
        let entry = entries.iter().find(is_it).or_else(|| entries.iter().find(by_short));
        match (entry, found.damage) {
            (Some(entry), _) => Ok(Some(NodeId(entry.at.0))),
            // It may be in what could not be read.
            (None, Some(damage)) => Err(damage.into()),
            (None, None) => Ok(None),
        }
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        Err(Error::Corrupt { what: format!("entry at {:#x} is no link", node.0) })
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        Ok(self.fat.read_at(EntryAt(node.0), offset, out)?)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.device.will_need(ranges);
    }

    fn xattr(&self, _node: NodeId, _name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(None)
    }

    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        Ok(self.fat.ranges(EntryAt(node.0), offset..offset.saturating_add(length))?)
    }
}

impl From<fat_reader::Error> for Error {
    fn from(error: fat_reader::Error) -> Self {
        match error {
            fat_reader::Error::Read(error) => Self::Read(error),
            error @ fat_reader::Error::Corrupt { .. } => Self::Corrupt { what: error.to_string() },
        }
    }
}
