//! btrfs over one device or several.
//!
//! The crate `rust-fs-btrfs` decodes: superblocks, chunks, tree blocks with their checksums, items,
//! compressed extents. Its own `Filesystem` is not used, for it refuses what a snapshot of a running
//! host has (a log tree, a missing member), knows one tree at a time, asks only the first copy of
//! data, and looks at all extents of a file for each read. What it panics on is damage.
//!
//! Inode numbers repeat between subvolumes, so a node is a subvolume's index and an inode number.
//! Format: <https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html>. Refused: zoned devices,
//! extent tree v2, stripe trees; raid5 and raid6 chunks.

mod checksums;
mod extents;
mod families;
mod file;
mod nodes;
mod options;
mod pool;
mod subvolumes;
mod superblock;

use super::{
    Error, FileSystem, FileSystemFormat, Identity, Listing, Metadata, NodeId, Subvolume,
    SubvolumeRoot, foreign,
};
use crate::block::{Device, ReadError};
use crate::model::{GapReason, printable_str, uuid};
use extents::Decoded;
use fs_btrfs::inode::Inode;
use nodes::Place;
use pool::Pool;
use std::ops::Range;
use subvolumes::Subvolumes;

/// The format.
pub struct Btrfs;

/// What one device says of the filesystem it is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// UUID of the filesystem, the same on all its devices.
    pub filesystem: [u8; 16],
    /// This device's number in it.
    pub device: u64,
    /// How many devices the filesystem has.
    pub devices: u64,
}

/// The filesystem that a device is a part of; `None` if it bears no sound btrfs superblock.
pub fn members(device: &Device) -> Result<Option<Member>, ReadError> {
    Ok(superblock::read(&*device.source)?.map(|found| Member {
        filesystem: found.superblock.fsid,
        device: found.superblock.dev_item.devid,
        devices: found.superblock.num_devices,
    }))
}

impl FileSystemFormat for Btrfs {
    fn name(&self) -> &'static str {
        "btrfs"
    }

    fn claims(&self, device: &Device) -> Result<bool, ReadError> {
        superblock::is_marked(&*device.source)
    }

    fn claims_by_copy(&self, device: &Device) -> Result<bool, ReadError> {
        Ok(superblock::read(&*device.source)?.is_some())
    }

    fn open(&self, devices: &[Device]) -> Result<Box<dyn FileSystem>, Error> {
        guarded(|| {
            let pool = Pool::open(devices)?;
            let subvolumes = Subvolumes::read(&pool)?;
            let adapter = Adapter { pool, subvolumes, decoded: Decoded::default() };
            Ok(Box::new(adapter) as Box<dyn FileSystem>)
        })
    }
}

/// What the crate is asked for on the bytes of a disk; if it panics, they are damaged.
fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    foreign::guarded("rust-fs-btrfs", work)
}

struct Adapter {
    pool: Pool,
    subvolumes: Subvolumes,
    decoded: Decoded,
}

impl Adapter {
    fn place(&self, node: NodeId) -> Result<Place, Error> {
        let place = Place::of(node);
        match self.subvolumes.trees.get(place.tree) {
            Some(_) => Ok(place),
            None => Err(Error::Corrupt { what: format!("node {:#x} of no subvolume", node.0) }),
        }
    }

    fn inode(&self, place: Place) -> Result<Inode, Error> {
        nodes::inode(&self.pool, self.subvolumes.trees[place.tree].root, place.inode)
    }
}

impl FileSystem for Adapter {
    fn kind(&self) -> &'static str {
        "btrfs"
    }

    fn identity(&self) -> Identity {
        let superblock = &self.pool.superblock;
        let label = (!superblock.label.is_empty()).then(|| printable_str(&superblock.label));
        Identity { label, uuid: Some(uuid(&superblock.fsid)) }
    }

    fn warnings(&self) -> Vec<(GapReason, String)> {
        let mut warnings = self.pool.warnings.clone();
        warnings.extend(self.subvolumes.damage.clone());
        if self.pool.superblock.has_dirty_log() {
            let text = "the log holds changes that were not replayed; the newest may be missing";
            warnings.push((GapReason::Unsupported, text.to_owned()));
        }
        warnings
    }

    fn root(&self) -> NodeId {
        self.subvolumes.root(self.subvolumes.default)
    }

    fn subtree(&self, options: &str) -> Result<Option<NodeId>, Error> {
        guarded(|| options::mounted(self, &self.subvolumes, options))
    }

    fn subvolumes(&self) -> Vec<Subvolume> {
        self.subvolumes.list(&self.pool)
    }

    fn subvolume_root(&self, node: NodeId) -> Option<SubvolumeRoot> {
        self.subvolumes.is_root(node).then(|| self.subvolumes.known_of(Place::of(node).tree))
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata, Error> {
        guarded(|| {
            let place = self.place(node)?;
            if place.is_stub() {
                return Ok(nodes::stub());
            }
            Ok(nodes::metadata(&self.inode(place)?))
        })
    }

    fn read_dir(&self, node: NodeId) -> Result<Listing, Error> {
        guarded(|| {
            let place = self.place(node)?;
            if place.is_stub() {
                return Ok(Listing::default());
            }
            nodes::must_be_directory(&self.inode(place)?)?;
            Ok(nodes::read_dir(&self.pool, &self.subvolumes, place))
        })
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error> {
        guarded(|| {
            let place = self.place(directory)?;
            if place.is_stub() {
                return Ok(None);
            }
            nodes::must_be_directory(&self.inode(place)?)?;
            nodes::lookup(&self.pool, &self.subvolumes, place, name)
        })
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error> {
        guarded(|| {
            let place = self.place(node)?;
            let inode = self.inode(place)?;
            if !inode.is_symlink() {
                return Err(Error::Corrupt { what: format!("inode {} is no link", place.inode) });
            }
            let size = usize::try_from(inode.size).ok().filter(|size| *size <= nodes::LONGEST_LINK);
            let size = size.ok_or_else(|| Error::Corrupt {
                what: format!("link of {} bytes, inode {}", inode.size, place.inode),
            })?;
            let mut target = vec![0; size];
            let length = self.read_at(node, 0, &mut target)?;
            target.truncate(length);
            Ok(target)
        })
    }

    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        guarded(|| {
            let place = self.place(node)?;
            let root = self.subvolumes.trees[place.tree].root;
            let inode = self.inode(place)?;
            let file = file::File {
                pool: &self.pool,
                decoded: &self.decoded,
                checksums: self.subvolumes.checksums,
                root,
                inode: &inode,
            };
            file.read_at(offset, out)
        })
    }

    fn read_ahead(&self, node: NodeId, length: u64) -> Result<(), Error> {
        guarded(|| {
            let place = self.place(node)?;
            let root = self.subvolumes.trees[place.tree].root;
            let spans = file::spans(&self.pool, root, place.inode, 0..length)?;
            self.pool.will_need(&spans);
            Ok(())
        })
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.pool.will_need_physical(ranges);
    }

    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        guarded(|| {
            let place = self.place(node)?;
            if place.is_stub() {
                return Ok(None);
            }
            nodes::xattr(&self.pool, self.subvolumes.trees[place.tree].root, place.inode, name)
        })
    }

    fn device_number(&self, node: NodeId) -> Result<Option<(u32, u32)>, Error> {
        guarded(|| {
            let place = self.place(node)?;
            Ok(if place.is_stub() { None } else { nodes::device_number(&self.inode(place)?) })
        })
    }

    /// Of a filesystem on several devices there is no saying which of them a range is on, so it
    /// gives none; [`FileSystem::read_ahead`] asks each device for its own.
    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error> {
        guarded(|| {
            if !self.pool.is_one_device() {
                return Ok(Vec::new());
            }
            let place = self.place(node)?;
            let root = self.subvolumes.trees[place.tree].root;
            let spans =
                file::spans(&self.pool, root, place.inode, offset..offset.saturating_add(length))?;
            Ok(self.pool.physical(&spans).into_iter().map(|(_, range)| range).collect())
        })
    }
}

impl From<fs_btrfs::Error> for Error {
    fn from(error: fs_btrfs::Error) -> Self {
        use fs_btrfs::Error as Btrfs;
        match error {
            Btrfs::Io(text) => Self::Read(ReadError::failed(0, text)),
            Btrfs::UnsupportedFeature(feature) | Btrfs::UnsupportedProfile(feature) => {
                Self::Unsupported { feature: format!("btrfs: {feature}") }
            }
            Btrfs::UnsupportedChecksum(kind) => {
                Self::Unsupported { feature: format!("btrfs: checksums of kind {kind}") }
            }
            error => Self::Corrupt { what: error.to_string() },
        }
    }
}
