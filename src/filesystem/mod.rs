//! Filesystems as trees of nodes: adapters onto crates, behind one trait.
//!
//! No filesystem resolves a path or follows a link; that is done once, in `host`.

mod adapted;
mod btrfs;
mod directory;
mod erofs;
mod ext4;
mod foreign;
mod made;
mod ntfs;
mod overlay;
mod recent;
mod recognised;
mod squashfs;
mod tar;
mod unopened;
mod vfat;
mod xfs;

pub use btrfs::{Member as BtrfsMember, members as btrfs_members};
pub use directory::Directory;
pub use foreign::caught;
pub use made::MadeFolder;
pub use overlay::{Marks, Overlay};
pub use recognised::{Recognised, is_blank, recognise};
pub use tar::Tar;
pub use unopened::Unopened;

use crate::block::{Device, ReadError};
use crate::model::GapReason;
use recent::Recent;
use std::ops::Range;

/// Formats that are read. Adding one is a file here and a line in this list.
pub const FORMATS: &[&dyn FileSystemFormat] = &[
    &ext4::Ext,
    &xfs::Format,
    &btrfs::Btrfs,
    &ntfs::Format,
    &squashfs::SquashFs,
    &erofs::Erofs,
    &vfat::Vfat,
];

/// A filesystem format.
pub trait FileSystemFormat: Send + Sync {
    /// Short name, such as `ext4`.
    fn name(&self) -> &'static str;

    /// Whether the device bears this format's mark; a failed read is not a "no".
    fn claims(&self, device: &Device) -> Result<bool, ReadError>;

    /// Whether the device bears a copy of a mark that is lost. This may read in many places, and is to
    /// be asked of a device only that bears no other mark ([`claimed`]).
    fn claims_by_copy(&self, _device: &Device) -> Result<bool, ReadError> {
        Ok(false)
    }

    /// Opens the filesystem on these devices.
    fn open(&self, devices: &[Device]) -> Result<Box<dyn FileSystem>, Error>;
}

/// What a device bears, as far as marks tell.
pub enum Claim {
    /// A format that is read.
    Format(&'static dyn FileSystemFormat),
    /// One that is only known by name.
    Known(Recognised),
}

/// Asks a device for the marks of all formats, then for copies of lost ones.
pub fn claimed(device: &Device) -> Result<Option<Claim>, ReadError> {
    for format in FORMATS {
        if format.claims(device)? {
            return Ok(Some(Claim::Format(*format)));
        }
    }
    if let Some(known) = recognise(device)? {
        return Ok(Some(Claim::Known(known)));
    }
    for format in FORMATS {
        if format.claims_by_copy(device)? {
            return Ok(Some(Claim::Format(*format)));
        }
    }
    Ok(None)
}

/// An open filesystem.
pub trait FileSystem: Send + Sync {
    /// Type as `mount` calls it.
    fn kind(&self) -> &str;

    /// Label and UUID, as `blkid` prints them.
    fn identity(&self) -> Identity;

    /// What the reader has to say of this filesystem before anything is read: a journal that was
    /// not replayed, a backup superblock that was used.
    fn warnings(&self) -> Vec<(GapReason, String)> {
        Vec::new()
    }

    /// The root directory.
    fn root(&self) -> NodeId;

    /// The directory that a mount with these options (as in fstab, or `rootflags=`) shows; `None`
    /// is [`FileSystem::root`]. An error if the options name what is not there.
    fn subtree(&self, _options: &str) -> Result<Option<NodeId>, Error> {
        Ok(None)
    }

    /// Trees inside this filesystem that can be mounted by themselves.
    fn subvolumes(&self) -> Vec<Subvolume> {
        Vec::new()
    }

    /// What a node is the root of, if that is a subvolume; it is asked for every folder of a walk.
    fn subvolume_root(&self, _node: NodeId) -> Option<SubvolumeRoot> {
        None
    }

    /// What is known of a node without reading its data.
    fn metadata(&self, node: NodeId) -> Result<Metadata, Error>;

    /// Entries of a directory, without `.` and `..`, in no order.
    fn read_dir(&self, node: NodeId) -> Result<Listing, Error>;

    /// The entry of a directory by its name.
    fn lookup(&self, directory: NodeId, name: &[u8]) -> Result<Option<NodeId>, Error>;

    /// Target of a symbolic link.
    fn read_link(&self, node: NodeId) -> Result<Vec<u8>, Error>;

    /// Fills `out` with the file's bytes from `offset`; fewer are read only where the file ends.
    fn read_at(&self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize, Error>;

    /// Tells the device that the first `length` bytes of a file or directory will be read.
    fn read_ahead(&self, node: NodeId, length: u64) -> Result<(), Error> {
        self.will_need(&self.ranges(node, 0, length)?);
        Ok(())
    }

    /// Tells the device that these ranges will be read.
    fn will_need(&self, _ranges: &[Range<u64>]) {}

    /// An extended attribute by its whole name.
    fn xattr(&self, node: NodeId, name: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Major and minor number of a device node; none for what is no device, and where a format does not tell.
    fn device_number(&self, _node: NodeId) -> Result<Option<(u32, u32)>, Error> {
        Ok(None)
    }

    /// Of a view that is merged from layers, the number of the uppermost one that has a part in the node, or has
    /// put it where it is; the uppermost of all is 0.
    fn uppermost_layer(&self, _node: NodeId) -> Option<usize> {
        None
    }

    /// Device ranges that hold this part of a file or directory, so that they can be asked for at
    /// once; holes have none.
    fn ranges(&self, node: NodeId, offset: u64, length: u64) -> Result<Vec<Range<u64>>, Error>;

    /// Finds all folders at once, where that costs less than to find each in the one above it, and keeps what
    /// [`FileSystem::metadata`] and [`FileSystem::ranges`] need of them until it is told to forget them. Gives
    /// where their entries begin, as far as it knows.
    fn find_folders(&self) -> Vec<Range<u64>> {
        Vec::new()
    }

    /// Drops what is known of all folders.
    fn forget_folders(&self) {}

    /// Device ranges that [`FileSystem::metadata`] reads for these nodes, in the order of the device
    /// and neighbours joined, so that those of a whole directory can be asked for at once. Nodes that
    /// have no place are left out; only a failed read is an error. None where a format cannot tell.
    fn metadata_ranges(&self, _nodes: &[NodeId]) -> Result<Vec<Range<u64>>, Error> {
        Ok(Vec::new())
    }

    /// That a node will not be asked about again soon: what is kept of it may make room for others.
    fn forget(&self, _node: NodeId) {}
}

/// A node of one filesystem (its inode number where it has one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// Label and UUID of a filesystem.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Label.
    pub label: Option<String>,
    /// UUID, lower case.
    pub uuid: Option<String>,
}

/// A subvolume. Its nodes can be those of a folder below [`FileSystem::root`] as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subvolume {
    /// Its number, as `subvolid=` takes it.
    pub id: u64,
    /// Path from the top of the filesystem, without a leading slash; made printable.
    pub path: String,
    /// Its root directory, as a walk meets it.
    pub root: NodeId,
    /// Whether it is read-only.
    pub read_only: bool,
    /// UUID.
    pub uuid: Option<String>,
    /// UUID of the subvolume that it is a snapshot of.
    pub snapshot_of: Option<String>,
    /// Number of that subvolume, if it is still there.
    pub source: Option<u64>,
    /// Number that all states of one subvolume share: itself, its snapshots, theirs.
    pub family: u64,
}

/// What is known of a subvolume from its root directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubvolumeRoot {
    /// As [`Subvolume::family`].
    pub family: u64,
    /// A snapshot that nothing can have changed since.
    pub is_frozen: bool,
}

/// Kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Regular file.
    File,
    /// Directory.
    Directory,
    /// Symbolic link.
    Symlink,
    /// Device, pipe, socket.
    Other,
}

/// A node's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Kind.
    pub kind: Kind,
    /// Size in bytes.
    pub size: u64,
    /// Permission bits.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last modification, seconds since 1970.
    pub modified: i64,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name: bytes, not necessarily UTF-8.
    pub name: Vec<u8>,
    /// The node it names.
    pub node: NodeId,
    /// What the directory says that the node is, if it says anything; the node has the last word.
    pub kind: Option<Kind>,
}

/// What a directory holds, as far as it could be read.
#[derive(Debug, Default)]
pub struct Listing {
    /// The entries that were read.
    pub entries: Vec<Entry>,
    /// What could not be read; empty if the listing is whole.
    pub damage: Vec<Error>,
}

/// Why a filesystem or a node could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The layer below failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A feature that this reader does not know.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The feature.
        feature: String,
    },
    /// The bytes contradict their format.
    #[error("damaged: {what}")]
    Corrupt {
        /// What is wrong, and where.
        what: String,
    },
    /// The scanning user may not read it.
    #[error("{0}")]
    Host(#[from] std::io::Error),
}
