//! Read-only FAT12, FAT16 and FAT32 over positioned reads: `Send + Sync`, with long names, lookups
//! in any case, and bounded chains.
//!
//! The crate `fatfs` was not taken: it needs a device that can be written, is not `Sync`, knows
//! files by paths only, follows a chain from its start for each seek and without end if it is a
//! loop. Format: Microsoft's "FAT: General Overview of On-Disk Format", 1.03.

#![forbid(unsafe_code)]

mod boot;
mod directory;
mod error;
mod file;
mod name;
mod table;

pub use boot::{Boot, Width};
pub use directory::{Entry, Listing};
pub use error::Error;

use block_source::{BlockSource, ReadError};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// A file or directory: where its entry is; the root directory has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryAt(pub u64);

/// The root directory.
pub const ROOT: EntryAt = EntryAt(0);

/// What an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Bytes; zero for directories.
    pub size: u32,
    /// Whether it is marked as one that must not be written.
    pub read_only: bool,
    /// Last modification in seconds since 1970, as if the clock that wrote it showed UTC.
    pub modified: i64,
    pub(crate) cluster: u32,
}

/// An open filesystem.
pub struct Fat {
    source: Arc<dyn BlockSource>,
    boot: Boot,
    /// Runs of clusters of files that were read lately, by first cluster and size.
    chains: Mutex<HashMap<(u32, u64), Arc<table::Chain>>>,
}

impl Fat {
    /// Whether the source begins with a boot sector of FAT that makes sense.
    pub fn claims(source: &dyn BlockSource) -> Result<bool, ReadError> {
        Ok(Boot::read(source)?.is_some())
    }

    /// Opens a filesystem; one read.
    pub fn open(source: Arc<dyn BlockSource>) -> Result<Self, Error> {
        let boot = Boot::read(&*source)?.ok_or(Error::Corrupt { what: "boot sector", at: 0 })?;
        Ok(Self { source, boot, chains: Mutex::default() })
    }

    /// The boot sector.
    pub fn boot(&self) -> &Boot {
        &self.boot
    }

    /// The label: of the root directory, else of the boot sector.
    pub fn label(&self) -> Result<Option<Vec<u8>>, Error> {
        directory::label(self)
    }

    /// What is known of a file or directory.
    pub fn metadata(&self, at: EntryAt) -> Result<Metadata, Error> {
        directory::metadata(self, at)
    }

    /// Entries of a directory.
    pub fn read_dir(&self, at: EntryAt) -> Result<Listing, Error> {
        directory::list(self, at)
    }

    /// Fills `out` with a file's bytes from `offset`; fewer only where the file ends.
    pub fn read_at(&self, at: EntryAt, offset: u64, out: &mut [u8]) -> Result<usize, Error> {
        file::read_at(self, at, offset, out)
    }

    /// Ranges of the source that hold these bytes of a file or directory.
    pub fn ranges(&self, at: EntryAt, bytes: Range<u64>) -> Result<Vec<Range<u64>>, Error> {
        file::ranges(self, at, bytes)
    }
}

/// Whether two names are one to a FAT filesystem.
pub fn same_name(one: &str, other: &str) -> bool {
    let folded = |name: &str| {
        let name = name.trim_end_matches('.');
        name.chars().flat_map(char::to_uppercase).collect::<String>()
    };
    one == other || folded(one) == folded(other)
}
