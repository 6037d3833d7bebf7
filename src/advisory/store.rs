//! The advisory store: one file, written whole and then only read.
//!
//! A section per feed; `store/format.rs` has the layout. Opening reads the header and the indexes
//! (a few hundred kilobytes); each lookup reads its own list with a positioned read. All that is
//! read is checked by a sum, and all numbers against the file's size.

mod format;
mod record;
mod section;
mod write;

pub use format::{FORMAT, FeedInfo};
pub(in crate::advisory) use write::folder_of;
pub use write::{Section, SectionBuilder, StoreWriter};

use crate::model::{Advisory, KnownExploited, SupportCycle};
use section::Indexed;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The store.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Another kind of file.
    #[error("{}: not an advisory store", .0.display())]
    Foreign(PathBuf),
    /// A format of the future.
    #[error(
        "{}: written by a newer version of this program (format {found}; this one reads {FORMAT})",
        path.display()
    )]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The bytes contradict their sums or their sizes.
    #[error("{}: damaged ({what}); remove it and update the feeds", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// More than the format can hold.
    #[error("feed {feed}: {what} too large for the store")]
    TooLarge {
        /// The feed.
        feed: String,
        /// What is.
        what: &'static str,
    },
}

/// What goes wrong below the level that knows the store's path.
#[derive(Debug)]
enum Fault {
    Io(io::Error),
    Foreign,
    Newer(u32),
    Damaged(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("cut off"),
            _ => Self::Io(error),
        }
    }
}

impl Fault {
    fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Io(cause) => StoreError::Io { path, cause },
            Self::Foreign => StoreError::Foreign(path),
            Self::Newer(found) => StoreError::Newer { path, found },
            Self::Damaged(what) => StoreError::Damaged { path, what },
        }
    }
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    file: File,
    sections: Vec<Indexed>,
}

impl Store {
    /// Opens the store at `path`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let io = |cause| StoreError::Io { path: path.to_owned(), cause };
        let file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let sections = section::open_all(&file, size).map_err(|fault| fault.at(path))?;
        Ok(Self { path: path.to_owned(), file, sections })
    }

    /// As [`Store::open`]; none when there is no file.
    pub fn open_existing(path: &Path) -> Result<Option<Self>, StoreError> {
        match Self::open(path) {
            Err(StoreError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            outcome => outcome.map(Some),
        }
    }

    /// The feeds, by name.
    pub fn feeds(&self) -> Vec<FeedInfo> {
        self.sections.iter().map(|section| section.info.clone()).collect()
    }

    /// Whether any feed speaks of the release.
    pub fn tracks(&self, distro: &str, release: &str) -> bool {
        let mut releases = self.sections.iter().flat_map(|section| &section.info.releases);
        releases.any(|known| known.distro == distro && known.name == release)
    }

    /// Whether any feed lists the source package in the release, even with nothing usable to say.
    pub fn lists(&self, distro: &str, release: &str, package: &str) -> bool {
        let key = record::advisory_key(distro, release, package);
        key.is_some_and(|key| self.sections.iter().any(|section| section.holds(&key)))
    }

    /// Whether any feed lists the source package in any release of the distribution.
    pub fn lists_anywhere(&self, distro: &str, package: &str) -> bool {
        let releases = self.sections.iter().flat_map(|section| &section.info.releases);
        let mut releases = releases.filter(|release| release.distro == distro);
        releases.any(|release| self.lists(distro, &release.name, package))
    }

    /// All advisories on a source package in a release, each with its feed's name.
    pub fn advisories(
        &self,
        distro: &str,
        release: &str,
        package: &str,
    ) -> Result<Vec<(String, Advisory)>, StoreError> {
        let Some(key) = record::advisory_key(distro, release, package) else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for section in &self.sections {
            for stored in self.list::<record::StoredAdvisory>(section, &key)? {
                let advisory = stored
                    .restore(distro, release, package)
                    .ok_or_else(|| Fault::Damaged("unknown code in a record").at(&self.path))?;
                all.push((section.info.name.clone(), advisory));
            }
        }
        Ok(all)
    }

    /// The entry of a vulnerability in the list of known exploited ones.
    pub fn known_exploited(&self, cve: &str) -> Result<Option<KnownExploited>, StoreError> {
        let Some(key) = record::exploited_key(cve) else { return Ok(None) };
        for section in &self.sections {
            let list = self.list::<record::StoredExploited>(section, &key)?;
            if let Some(stored) = list.into_iter().next() {
                return Ok(Some(stored.restore(cve)));
            }
        }
        Ok(None)
    }

    /// Until when a release of a system is supported, and the feed that says so.
    pub fn support(
        &self,
        os: &str,
        release: &str,
    ) -> Result<Option<(&FeedInfo, SupportCycle)>, StoreError> {
        let Some(key) = record::support_key(os, release) else { return Ok(None) };
        for section in &self.sections {
            let list = self.list::<record::StoredCycle>(section, &key)?;
            if let Some(stored) = list.into_iter().next() {
                return Ok(Some((&section.info, stored.restore(os, release))));
            }
        }
        Ok(None)
    }

    fn list<T: serde::de::DeserializeOwned>(
        &self,
        section: &Indexed,
        key: &[u8],
    ) -> Result<Vec<T>, StoreError> {
        section.list(&self.file, key).map_err(|fault| fault.at(&self.path))
    }
}

#[cfg(test)]
mod tests;
