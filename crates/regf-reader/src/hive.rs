//! An open hive.

use crate::base_block::{BIN, BaseBlock, File, LENGTH, SECTOR};
use crate::bytes::le64;
use crate::claims::Claims;
use crate::error::{Damage, Error, corrupt, unsupported};
use crate::image::Image;
use crate::key::{Key, Time};
use crate::log::{self, Logs, Replay, Replayed};
use block_source::BlockSource;
use std::sync::Arc;

/// A hive with its logs replayed.
pub struct Hive {
    image: Arc<Image>,
    replay: Replay,
    is_dirty: bool,
    written: u64,
    problems: Vec<Error>,
}

impl Hive {
    /// Whether the bytes are the first of a hive; four are enough.
    pub fn claims(start: &[u8]) -> bool {
        start.starts_with(b"regf")
    }

    /// Opens a hive; a dirty one with what its logs hold.
    pub fn open(source: Arc<dyn BlockSource>, logs: Logs) -> Result<Self, Error> {
        if source.size() < SECTOR as u64 {
            return Err(corrupt("shorter than a base block", 0));
        }
        let own = BaseBlock::read(&*source)?;
        let mut problems = Vec::new();
        let is_dirty = own.is_dirty();
        let replayed = if is_dirty {
            log::replay(&own, first_bin_time(&*source), logs, &mut problems)
        } else {
            Replayed::default()
        };
        let base = choose(&own, replayed.base, &*source, &mut problems)?;
        base.check()?;
        let image = Image {
            source,
            overlay: replayed.overlay,
            bins: base.bins,
            minor: base.minor,
            root: base.root,
            claims: Claims::default(),
        };
        problems.extend(image.check_length().err());
        problems.extend(image.bin(0).err());
        let image = Arc::new(image);
        Ok(Self { image, replay: replayed.replay, is_dirty, written: base.written, problems })
    }

    /// What is wrong with the hive as a whole, and did not hinder opening it: what could not be
    /// replayed, too.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }

    /// Whether the hive was not written in full, so that its logs were needed.
    pub fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// What was taken from the logs.
    pub fn replay(&self) -> Replay {
        self.replay
    }

    /// The minor version: 3 to 6.
    pub fn version(&self) -> u32 {
        self.image.minor
    }

    /// When it was last written.
    pub fn written(&self) -> Time {
        Time(self.written)
    }

    /// Bytes of the hive bins after the logs.
    pub fn bins_size(&self) -> u32 {
        self.image.bins
    }

    /// The bytes from an offset in the hive bins, after the logs; for tests and tools.
    pub fn read_bins(&self, offset: u32, out: &mut [u8]) -> Result<(), Error> {
        self.image.read(offset, out)
    }

    /// The root key. Its name is not part of any path.
    pub fn root(&self) -> Result<Key, Error> {
        Key::read(&self.image, self.image.root)
    }

    /// Looks at the headers of all hive bins and the sizes of all cells, which reads all of the hive.
    pub fn check_bins(&self) -> Damage {
        self.image.check_bins()
    }
}

/// The base block that holds: that of the log, else the hive's own, even with a wrong checksum.
fn choose(
    own: &BaseBlock,
    log: Option<BaseBlock>,
    source: &dyn BlockSource,
    problems: &mut Vec<Error>,
) -> Result<BaseBlock, Error> {
    if !own.is_signed && log.is_none() {
        return Err(corrupt("no registry hive", 0));
    }
    if own.is_signed && own.file != File::Hive && (own.is_sound || log.is_none()) {
        return Err(unsupported("transaction log in place of a hive"));
    }
    if !own.is_sound {
        problems.push(corrupt("wrong checksum of the base block", 508));
    }
    if let Some(log) = log {
        return Ok(log);
    }
    if own.is_sound {
        return Ok(*own);
    }
    let bins = source.size().saturating_sub(LENGTH).min(u64::from(u32::MAX)) as u32;
    Ok(BaseBlock { bins: bins / BIN * BIN, ..*own })
}

/// The time in the first hive bin, which is that of the base block; zero if there is none.
fn first_bin_time(source: &dyn BlockSource) -> u64 {
    let mut header = [0; 32];
    match source.read_exact_at(LENGTH, &mut header) {
        Ok(()) if header.starts_with(b"hbin") => le64(&header, 20),
        _ => 0,
    }
}
