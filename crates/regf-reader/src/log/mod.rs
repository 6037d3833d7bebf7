//! Transaction logs: what of a dirty hive was not written yet.
//!
//! On-disk format: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md#format-of-transaction-log-files>.
//!
//! Windows writes changes to a log first, and to the hive later. Up to Windows 8 a log holds the
//! pages of one write; since then it holds entries, each with a number, which go on in the other log.
//! Refused, with a word: logs for sectors of other than 512 bytes, and those of more than
//! [`crate::MOST_LOG`] bytes.

mod entries;
mod pages;

use crate::base_block::{BaseBlock, File, SECTOR};
use crate::error::{Error, corrupt, unsupported};
use crate::overlay::Overlay;
use block_source::BlockSource;
use std::sync::Arc;

/// The logs beside a hive. One that is only called `.LOG`, as up to Windows XP, is the first.
#[derive(Default, Clone)]
pub struct Logs {
    /// The file whose name ends in `.LOG1`.
    pub log1: Option<Arc<dyn BlockSource>>,
    /// The file whose name ends in `.LOG2`.
    pub log2: Option<Arc<dyn BlockSource>>,
}

/// What was taken from the logs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replay {
    /// Log entries; a log of the old format is one.
    pub entries: u64,
    /// Bytes of the pages in them.
    pub bytes: u64,
}

/// The state of a hive after its logs.
#[derive(Default)]
pub struct Replayed {
    pub overlay: Overlay,
    pub replay: Replay,
    /// The base block of the last log that was used, with the size that its last entry tells.
    pub base: Option<BaseBlock>,
}

/// A log whose base block is sound.
pub struct Log {
    source: Arc<dyn BlockSource>,
    base: BaseBlock,
}

/// Replays what belongs to a dirty hive; what could not be is told.
pub fn replay(hive: &BaseBlock, written: u64, logs: Logs, problems: &mut Vec<Error>) -> Replayed {
    let mut found = Vec::new();
    for source in [logs.log1, logs.log2].into_iter().flatten() {
        match open(source) {
            Ok(log) => found.extend(log),
            Err(problem) => problems.push(problem),
        }
    }
    let mut replayed = Replayed::default();
    if found.iter().any(|log| log.base.file == File::NewLog) {
        found.retain(|log| log.base.file == File::NewLog);
        entries::replay(hive, found, &mut replayed, problems);
    } else {
        pages::replay(hive, written, found, &mut replayed, problems);
    }
    if replayed.base.is_none() {
        problems.push(corrupt("changes in a log that is not there or does not fit", 4));
    }
    replayed
}

/// A log, or nothing if it is empty.
fn open(source: Arc<dyn BlockSource>) -> Result<Option<Log>, Error> {
    if is_empty(&*source)? {
        return Ok(None);
    }
    if source.size() > crate::MOST_LOG {
        return Err(unsupported(format!("log of {} bytes", source.size())));
    }
    let base = BaseBlock::read(&*source)?;
    if !base.is_sound {
        return Err(corrupt("wrong base block of a log", 0));
    }
    base.check()?;
    if base.primary_sequence != base.secondary_sequence {
        return Err(corrupt("log that was not written to its end", 4));
    }
    if base.cluster != 1 {
        return Err(unsupported(format!("log with sectors of {} times 512 bytes", base.cluster)));
    }
    match base.file {
        File::OldLog | File::NewLog => Ok(Some(Log { source, base })),
        File::Hive => Err(corrupt("hive in place of a log", 28)),
        File::Other(kind) => Err(unsupported(format!("log of type {kind}"))),
    }
}

/// A log that was never used has no bytes, or zeroes.
fn is_empty(source: &dyn BlockSource) -> Result<bool, Error> {
    let mut sector = [0; SECTOR];
    let length = source.size().min(SECTOR as u64) as usize;
    source.read_exact_at(0, &mut sector[..length])?;
    let is_empty = sector.iter().all(|byte| *byte == 0);
    if !is_empty && length < SECTOR {
        return Err(corrupt("log that is shorter than a sector", 0));
    }
    Ok(is_empty)
}
