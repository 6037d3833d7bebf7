//! XFS of versions 4 and 5, read-only, over positioned reads.
//!
//! On-disk format: "XFS Algorithms & Data Structures",
//! <https://git.kernel.org/pub/scm/fs/xfs/xfs-documentation.git>. The reader is `Send + Sync`,
//! keeps no state but the superblock and what the log changed, and gives inode numbers, all times,
//! extended attributes and the device ranges behind a file.
//!
//! * The log is replayed in memory when the filesystem is opened ([`log`]).
//! * Names are looked up through the hash index of a directory where that can be trusted, else by
//!   reading the directory ([`Xfs::lookup`]).
//! * Checksums, owners and places of all metadata of version 5 are checked. What they do not hold
//!   for is [`Error::Corrupt`], or told beside what could be read ([`Listing`]).
//! * A damaged first superblock is replaced by a copy ([`Superblock::backup_used`]).
//! * Refused: files on a realtime device, directories of version 1, unknown incompatible features.

mod acl;
mod backup;
mod block;
mod bytes;
mod checksum;
mod directory;
mod dirent;
mod error;
mod extent;
mod features;
mod file;
mod fork;
mod hashed;
mod index;
mod inode;
pub mod log;
mod name_hash;
mod short_form;
mod superblock;
mod symlink;
mod time;
mod xattr;
mod xattr_leaf;

pub use directory::{Damage, Entry, Listing};
pub use error::Error;
pub use features::incompat;
pub use inode::{Inode, InodeNumber, Kind};
pub use superblock::Superblock;
pub use time::Time;
pub use xattr::Xattr;

use block_source::{BlockSource, ReadError};
use std::sync::Arc;

/// An open filesystem.
pub struct Xfs {
    device: Arc<dyn BlockSource>,
    superblock: Superblock,
    log: Option<log::State>,
}

impl Xfs {
    /// Whether the device bears an XFS superblock where the first one belongs.
    pub fn claims(device: &dyn BlockSource) -> Result<bool, ReadError> {
        superblock::is_signed(device, 0)
    }

    /// Whether the device bears a copy of a superblock, though the first one is gone.
    pub fn claims_backup(device: &dyn BlockSource) -> Result<bool, ReadError> {
        match backup::find_backup(device) {
            Ok(found) => Ok(found.is_some()),
            Err(Error::Read(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Opens the filesystem on a device: a damaged first superblock is replaced by a copy, and
    /// the log is replayed in memory, of which [`Xfs::log`] tells how far that went.
    pub fn open(device: Arc<dyn BlockSource>) -> Result<Self, Error> {
        let superblock = Superblock::read(&*device)?;
        let log::Replay { state, overlay } = log::replay(device, &superblock)?;
        // What the log holds may be of the superblock too.
        let superblock = match state {
            log::State::Clean => superblock,
            _ => Superblock::read(&*overlay)?,
        };
        Ok(Self { device: overlay, superblock, log: Some(state) })
    }

    /// Opens the filesystem as it is on the device, without a look at its log: for one whose log
    /// cannot be read, or a device over which it was replayed already.
    pub fn open_unreplayed(device: Arc<dyn BlockSource>) -> Result<Self, Error> {
        let superblock = Superblock::read(&*device)?;
        Ok(Self { device, superblock, log: None })
    }

    /// How far the log was replayed; nothing if that was not tried.
    pub fn log(&self) -> Option<&log::State> {
        self.log.as_ref()
    }

    /// Whether the index of a directory may say that a name is absent. Without checksums a flipped
    /// bit could hide a name, and with changes that are only in the log the index and the entries
    /// may stem from different moments.
    fn index_may_deny(&self) -> bool {
        let settled = matches!(self.log, Some(log::State::Clean | log::State::Replayed(_)));
        settled && self.superblock.has_checksums()
    }

    /// The validated superblock.
    pub fn superblock(&self) -> &Superblock {
        &self.superblock
    }

    /// Bytes of the filesystem that lie past the end of its device.
    pub fn missing_bytes(&self) -> u64 {
        (self.superblock.blocks * self.superblock.block_size).saturating_sub(self.device.size())
    }

    /// The root directory.
    pub fn root(&self) -> InodeNumber {
        InodeNumber(self.superblock.root_inode)
    }
}
