//! Takes a feed's file into the store. The old data stay unless the new ones are whole.

use super::feeds::{AdvisoryFeed, FeedError, Summary};
use super::store::{FeedInfo, SectionBuilder, Store, StoreError, StoreWriter};
use super::{date, store};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Bytes that a feed's file may have, unpacked.
pub const MAX_FEED: u64 = 1 << 30;

/// Where a feed's file is from, and what the server said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// URL or path.
    pub source: String,
    /// The server's entity tag.
    pub etag: Option<String>,
    /// The server's date, as it wrote it.
    pub last_modified: Option<String>,
    /// The date of a local file, RFC 3339.
    pub date: Option<String>,
}

/// What to do with a feed that has far fewer records than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shrink {
    /// Keep the old data.
    Refuse,
    /// Take the new data.
    Accept,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The feed as it is in the store now.
    pub info: FeedInfo,
    /// The first few entries that could not be understood.
    pub skipped: Vec<String>,
}

/// Why nothing was imported; the store is as before.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is of no use.
    #[error("feed {feed}: {cause}")]
    Feed {
        /// Feed name.
        feed: &'static str,
        /// Why.
        cause: FeedError,
    },
    /// The file holds no record.
    #[error("feed {feed}: it holds no record ({skipped} entries not understood)")]
    Empty {
        /// Feed name.
        feed: &'static str,
        /// Entries that could not be understood.
        skipped: u64,
    },
    /// Far fewer records than stored.
    #[error(
        "feed {feed}: {new} records, where the stored one has {old}; more than a fifth is gone \
         (--accept-shrunk takes it all the same)"
    )]
    Shrunk {
        /// Feed name.
        feed: &'static str,
        /// Records stored.
        old: u64,
        /// Records in the file.
        new: u64,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes the file `input` of `feed` into the store at `path`.
pub fn import(
    path: &Path,
    feed: &dyn AdvisoryFeed,
    origin: Origin,
    shrink: Shrink,
    input: &mut dyn Read,
) -> Result<Imported, ImportError> {
    let mut builder = SectionBuilder::default();
    let mut hashing = Hashing { input, sum: Sha256::new(), left: MAX_FEED };
    let summary = feed
        .parse(&mut hashing, &mut |record| builder.add(record))
        .map_err(|cause| ImportError::Feed { feed: feed.name(), cause })?;
    if summary.records == 0 {
        return Err(ImportError::Empty { feed: feed.name(), skipped: summary.skipped });
    }
    let skipped = summary.examples.clone();
    let info = describe(feed, origin, summary, hashing.sum);
    let section = builder.finish(info.clone())?;
    let _lock = lock(path)?;
    let old = Store::open_existing(path)?;
    let mut writer = StoreWriter::default();
    if let Some(old) = &old {
        check_size(feed, old, info.records, shrink)?;
        writer.keep_others(old, feed.name());
    }
    writer.add(section);
    writer.write(path)?;
    Ok(Imported { info, skipped })
}

fn describe(feed: &dyn AdvisoryFeed, origin: Origin, summary: Summary, sum: Sha256) -> FeedInfo {
    let server_date = origin.last_modified.as_deref().and_then(date::from_http);
    FeedInfo {
        name: feed.name().to_owned(),
        source: origin.source,
        date: summary.date.or(server_date).or(origin.date).unwrap_or_else(date::now),
        etag: origin.etag,
        last_modified: origin.last_modified,
        sha256: hex(&sum.finalize()),
        records: summary.records,
        skipped: summary.skipped,
        releases: summary.releases.into_iter().collect(),
    }
}

fn check_size(
    feed: &dyn AdvisoryFeed,
    old: &Store,
    new: u64,
    shrink: Shrink,
) -> Result<(), ImportError> {
    let stored = old.feeds().into_iter().find(|info| info.name == feed.name());
    let old = stored.map_or(0, |info| info.records);
    if shrink == Shrink::Refuse && u128::from(new) * 5 < u128::from(old) * 4 {
        return Err(ImportError::Shrunk { feed: feed.name(), old, new });
    }
    Ok(())
}

/// Keeps two imports from losing each other's feed. The folder is what is locked, as the file is
/// replaced; where a filesystem cannot lock folders, imports go on without.
fn lock(path: &Path) -> Result<Option<File>, StoreError> {
    let io = |cause| StoreError::Io { path: path.to_owned(), cause };
    let folder = store::folder_of(path);
    fs::create_dir_all(folder).map_err(io)?;
    let folder = File::open(folder).map_err(io)?;
    Ok(folder.lock().is_ok().then_some(folder))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Sums up what goes through, and stops at a limit.
struct Hashing<'a> {
    input: &'a mut dyn Read,
    sum: Sha256,
    left: u64,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let bytes = buffer.get(..count).ok_or_else(|| io::Error::other("read past the buffer"))?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!("larger than {} MiB, the limit", MAX_FEED >> 20))
        })?;
        self.sum.update(bytes);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
