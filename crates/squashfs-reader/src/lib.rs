//! Read-only squashfs 4.0 over positioned reads: `Send + Sync`, nothing is loaded up front, every
//! table is read where it is asked for, and what is kept is bounded.
//!
//! Packed with gzip, lzma, lzo, xz, lz4 or zstd; fragments, extended inodes, directory indexes,
//! device nodes, owners, extended attributes. Refused: versions before 4.0.
//! Format: <https://docs.kernel.org/filesystems/squashfs.html>.

#![forbid(unsafe_code)]

mod cache;
mod codec;
mod directory;
mod error;
mod file;
mod inode;
mod metadata;
mod superblock;
mod table;
mod xattr;

pub use directory::{Entry, Listing};
pub use error::Error;
pub use inode::{Inode, InodeRef, Kind};
pub use superblock::{Compression, Superblock};

use block_source::{BlockSource, ReadError};
use cache::Cache;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of unpacked metadata blocks that are kept.
const METADATA_KEPT: usize = 4 << 20;
/// Bytes of unpacked data blocks that are kept.
const DATA_KEPT: usize = 8 << 20;
/// Bytes of pointers to blocks of tables that are kept.
const POINTERS_KEPT: usize = 1 << 16;
/// Bytes of block lists that are kept.
const LISTS_KEPT: usize = 4 << 20;

/// An open image.
pub struct Squashfs {
    source: Arc<dyn BlockSource>,
    superblock: Superblock,
    metadata: Cache<metadata::Block>,
    data: Cache<Vec<u8>>,
    lists: Cache<Vec<u32>>,
    pointers: Cache<Vec<u8>>,
}

impl Squashfs {
    /// Whether the source bears the mark of squashfs, of any version.
    pub fn claims(source: &dyn BlockSource) -> Result<bool, ReadError> {
        superblock::claims(source)
    }

    /// Opens an image; one read.
    pub fn open(source: Arc<dyn BlockSource>) -> Result<Self, Error> {
        let superblock = Superblock::read(&*source)?;
        Ok(Self {
            source,
            superblock,
            metadata: Cache::new(METADATA_KEPT),
            data: Cache::new(DATA_KEPT),
            lists: Cache::new(LISTS_KEPT),
            pointers: Cache::new(POINTERS_KEPT),
        })
    }

    /// The superblock.
    pub fn superblock(&self) -> &Superblock {
        &self.superblock
    }

    /// Bytes that the image says it has past the end of the source.
    pub fn missing_bytes(&self) -> u64 {
        self.superblock.bytes_used.saturating_sub(self.source.size())
    }

    /// The root directory.
    pub fn root(&self) -> InodeRef {
        self.superblock.root
    }

    /// The inode at a place in the table of inodes.
    pub fn inode(&self, at: InodeRef) -> Result<Inode, Error> {
        Inode::read(self, at)
    }

    /// Entries of a directory, in the order of their names.
    pub fn read_dir(&self, directory: &Inode) -> Result<Listing, Error> {
        directory::list(self, directory)
    }

    /// The entry of a name; an index is used where there is one.
    pub fn lookup(&self, directory: &Inode, name: &[u8]) -> Result<Option<InodeRef>, Error> {
        directory::lookup(self, directory, name)
    }

    /// Fills `out` with a file's bytes from `offset`; fewer only where the file ends.
    pub fn read_at(&self, file: &Inode, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        file::read_at(self, file, offset, out)
    }

    /// Ranges of the source that hold these bytes of a file. Of a directory, where its entries are at the
    /// most: how far they are packed is only known by reading.
    pub fn ranges(&self, inode: &Inode, bytes: Range<u64>) -> Result<Vec<Range<u64>>, Error> {
        match &inode.kind {
            Kind::Directory(directory) => Ok(directory::ranges(self, directory, &bytes)),
            _ => file::ranges(self, inode, bytes),
        }
    }

    /// An extended attribute by its whole name.
    pub fn xattr(&self, inode: &Inode, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        xattr::find(self, inode, name)
    }
}
