//! The log of XFS, replayed in memory.
//!
//! A filesystem that is mounted has changes in its log that are not yet in their places; a
//! snapshot of it shows them only after a replay. [`replay`] does what the kernel does when it
//! mounts, as far as a reader sees it, and puts the result over the device without a write.
//! Format: "XFS Algorithms & Data Structures", "Journaling Log"; conditions and order are those of
//! the kernel's recovery.
//!
//! * A log that was unmounted costs a few dozen reads of a sector.
//! * Records that were not written whole when the machine stopped are left out, as the kernel does.
//! * Not replayed, for no reader looks at it: quotas, lists of unlinked inodes, and unfinished
//!   changes to free space, owners and reference counts. Free space and counters are therefore not
//!   what they will be after a mount.
//! * Unfinished changes to files are finished where that is simple ([`Shortfall::Mapping`] tells of
//!   others); those to attributes and exchanges of contents are only told.

mod buffer;
mod create;
mod extents;
mod fork;
mod fresh;
mod head;
mod host;
mod inode;
mod intent;
mod leaf;
mod live;
mod mapping;
mod overlay;
mod owner;
mod pages;
mod record;
mod replay;
mod ring;
mod shortfall;
mod stamp;
mod transaction;

pub use shortfall::{BadRecord, Shortfall};

use crate::{Error, Superblock};
use block_source::BlockSource;
use buffer::Cancelled;
use live::Live;
use overlay::Overlay;
use record::Rules;
use replay::Replayer;
use ring::Ring;
use shortfall::Shortfalls;
use std::ops::Range;
use std::sync::Arc;
use transaction::Assembler;

/// Features of the log that are known: attributes that are set by intents.
const KNOWN_FEATURES: u32 = 0x1;

/// A device after its log was replayed.
pub struct Replay {
    /// How far that went.
    pub state: State,
    /// The device with what was replayed over it. The superblock may be another one there.
    pub overlay: Arc<dyn BlockSource>,
}

/// How far a replay went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// There was nothing to replay.
    Clean,
    /// All that a reader sees was replayed.
    Replayed(Applied),
    /// The filesystem may look otherwise than after a mount.
    Partly {
        /// What was replayed; nothing, if there are no transactions.
        applied: Applied,
        /// What was not, and why.
        why: Vec<Shortfall>,
    },
}

/// What was replayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Transactions.
    pub transactions: u64,
    /// Bytes that are now other than on the device, in whole sectors.
    pub changed_bytes: u64,
    /// Changes to the blocks of files that were unfinished, and were finished here.
    pub finished: u64,
    /// Changes that are unfinished, but not seen by a reader: to free space, owners of blocks and
    /// counts of references.
    pub unfinished: u64,
}

/// Replays the log of a filesystem. [`Error::Read`] if the device cannot be read; whatever is wrong
/// with the log is told in the state.
///
/// What is kept in memory is at most some times the live part of the log, and at most 256 MiB of
/// the log itself.
pub fn replay(device: Arc<dyn BlockSource>, superblock: &Superblock) -> Result<Replay, Error> {
    if superblock.log_start == 0 {
        return Ok(not_replayed(device, Shortfall::External));
    }
    let Ok(mut ring) = Ring::new(device.clone(), superblock) else {
        return Ok(not_replayed(device, Shortfall::Outside));
    };
    let rules = Rules {
        version_2: superblock.log_version_2 || superblock.has_checksums(),
        checksums: superblock.has_checksums(),
        uuid: superblock.uuid,
    };
    let (tail, head, bad) = match rules.find_live(&mut ring)? {
        Live::Nothing => return Ok(Replay { state: State::Clean, overlay: device }),
        Live::Lost(shortfall) => return Ok(not_replayed(device, shortfall)),
        Live::Records { tail, head, bad } => (tail, head, bad),
    };
    let unknown = superblock.log_incompat & !KNOWN_FEATURES;
    if unknown != 0 {
        return Ok(not_replayed(device, Shortfall::Feature(unknown)));
    }
    let (cancelled, worse) = find_cancelled(&rules, &ring, tail..head)?;
    let bad = worse.or(bad);
    let shortfall = bad.map(|(block, why)| Shortfall::Record { block, why });
    if let Some(shortfall) = shortfall.clone().filter(|_| !superblock.has_checksums()) {
        return Ok(not_replayed(device, shortfall));
    }
    let head = bad.map_or(head, |(block, _)| block);
    let replayer = Replayer::new(superblock, Overlay::new(device, superblock), cancelled);
    finish(apply(&rules, &ring, tail..head, replayer)?, shortfall)
}

/// The first pass: which buffers are cancelled, and the first record that makes no sense.
fn find_cancelled(
    rules: &Rules,
    ring: &Ring,
    blocks: Range<u64>,
) -> Result<(Cancelled, Option<(u64, BadRecord)>), Error> {
    let mut assembler = Assembler::default();
    let mut cancelled = Cancelled::default();
    let bad = rules.walk(ring, blocks.start, blocks.end, |record| {
        Ok(assembler.feed(&record).map_err(BadRecord::Operations).map(|transactions| {
            for transaction in transactions {
                cancelled.note(&transaction);
            }
        }))
    })?;
    Ok((cancelled, bad))
}

/// The second pass: all changes.
fn apply(
    rules: &Rules,
    ring: &Ring,
    blocks: Range<u64>,
    mut replayer: Replayer,
) -> Result<Replayer, Error> {
    let mut assembler = Assembler::default();
    rules.walk(ring, blocks.start, blocks.end, |record| {
        for transaction in assembler.feed(&record).unwrap_or_default() {
            replayer.apply(&transaction)?;
        }
        Ok(Ok(()))
    })?;
    Ok(replayer)
}

fn finish(replayer: Replayer, bad: Option<Shortfall>) -> Result<Replay, Error> {
    let (overlay, applied, shortfalls) = replayer.finish()?;
    let mut why: Vec<_> = bad.into_iter().collect();
    why.extend(Shortfalls::into_list(shortfalls));
    let state =
        if why.is_empty() { State::Replayed(applied) } else { State::Partly { applied, why } };
    Ok(Replay { state, overlay: Arc::new(overlay.settle()) })
}

fn not_replayed(device: Arc<dyn BlockSource>, why: Shortfall) -> Replay {
    let state = State::Partly { applied: Applied::default(), why: vec![why] };
    Replay { state, overlay: device }
}
