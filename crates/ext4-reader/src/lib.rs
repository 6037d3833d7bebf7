//! ext2, ext3 and ext4, read-only, over positioned reads.
//!
//! On-disk format: <https://docs.kernel.org/filesystems/ext4/>. The reader is `Send + Sync`, keeps
//! no state but the superblock and where inode tables are, and gives inode numbers, all times,
//! extended attributes and the device ranges behind a file.
//!
//! * The journal of a filesystem that was in use is read, and what it holds is seen as if it were
//!   in place ([`Ext4::journal`]).
//! * Names are looked up through the hash index of a directory where that can be trusted, else by
//!   reading the directory ([`Ext4::lookup`]). Always by exact bytes: directories that fold case
//!   are read, their folding is not done.
//! * A damaged directory gives what is good of it ([`Listing`]). Damaged superblocks and group
//!   descriptors are replaced by their copies ([`Superblock::backup_used`],
//!   [`Ext4::check_descriptors`]).
//! * All checksums of metadata are checked. A wrong one of an inode, an extent block or a block of
//!   extended attributes is an error, as it is for the kernel: what it leads to may be another
//!   file's. A wrong one of a directory block is told beside what is in it.
//! * Refused: compressed and encrypted files, external journal devices as filesystems, dirdata,
//!   unknown incompatible features.

mod acl;
mod backup;
mod bytes;
mod changes;
mod checksum;
mod directories;
mod directory;
mod dirent;
mod error;
mod extent;
mod file;
mod group;
mod hashed;
mod indirect;
mod inode;
mod journal;
mod name_hash;
mod superblock;
mod tables;
mod xattr;

pub use directory::{Damage, Entry, Listing};
pub use error::Error;
pub use group::DescriptorHealth;
pub use inode::{Inode, InodeNumber, Kind, Time};
pub use journal::{Journal, Replay};
pub use superblock::{Generation, Superblock};

use block_source::{BlockSource, ReadError};
use changes::Changes;
use journal::{Contents, Overlay};
use std::sync::Arc;
use tables::Tables;

/// An open filesystem.
pub struct Ext4 {
    device: Arc<dyn BlockSource>,
    superblock: Superblock,
    journal: Journal,
    /// The device, if something is laid over it.
    overlay: Option<Arc<Overlay>>,
    changes: Changes,
    tables: Tables,
}

impl Ext4 {
    /// Whether the device bears an ext superblock where the primary one belongs.
    pub fn claims(device: &dyn BlockSource) -> Result<bool, ReadError> {
        superblock::is_signed(device, superblock::PRIMARY)
    }

    /// Whether the device bears a backup superblock, though the primary one is gone.
    pub fn claims_backup(device: &dyn BlockSource) -> Result<bool, ReadError> {
        Ok(backup::find_backup(device)?.is_some())
    }

    /// Opens the filesystem on a device; a damaged primary superblock is replaced by a backup.
    pub fn open(device: Arc<dyn BlockSource>) -> Result<Self, Error> {
        let superblock = Superblock::read(&*device)?;
        let (journal, changes) = (Journal::Clean, Changes::default());
        let tables = Tables::new(superblock.groups());
        let raw = Self { device, superblock, journal, overlay: None, changes, tables };
        match journal::read(&raw) {
            Ok(None) => Ok(raw),
            Ok(Some(contents)) => raw.with(contents),
            Err(error) => Ok(Self { journal: Journal::Unread(error), ..raw }),
        }
    }

    /// The filesystem with what its journal holds, a newer superblock perhaps among it.
    fn with(self, contents: Contents) -> Result<Self, Error> {
        let Contents { mut replay, overlay, fast } = contents;
        let superblock = Superblock::read(&*overlay)?;
        let device: Arc<dyn BlockSource> = overlay.clone();
        // The journal may mend descriptors too.
        let tables = Tables::new(superblock.groups());
        let mut found = Self { device, superblock, overlay: Some(overlay), tables, ..self };
        for change in fast {
            found.apply(change).unwrap_or_else(|problem| replay.problem(problem));
        }
        Ok(Self { journal: Journal::Replayed(replay), ..found })
    }

    /// The device as this reader sees it: with what the journal holds in place.
    pub fn device(&self) -> Arc<dyn BlockSource> {
        self.device.clone()
    }

    /// What became of the journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Whether the index of a directory may say that a name is absent. Without checksums a flipped
    /// bit could hide a name, and without all of the journal the index and the entries may stem
    /// from different moments.
    fn index_may_deny(&self) -> bool {
        self.superblock.checksum_seed.is_some() && self.journal.is_whole()
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
        InodeNumber(2)
    }

    /// One block, by number; block numbers are checked here and nowhere else.
    fn read_block(&self, block: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; self.superblock.block_size as usize];
        self.device.read_exact_at(self.block_offset(block)?, &mut bytes)?;
        Ok(bytes)
    }

    fn block_offset(&self, block: u64) -> Result<u64, Error> {
        if block >= self.superblock.blocks {
            return Err(Error::corrupt("block number past the end of the filesystem", block));
        }
        Ok(block * self.superblock.block_size)
    }
}
