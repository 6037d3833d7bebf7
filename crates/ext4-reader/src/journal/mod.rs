//! The journal of a filesystem that was in use: what it holds is seen as if it were in place.
//! <https://docs.kernel.org/filesystems/ext4/journal.html>
//!
//! As the kernel does when it mounts: the log is scanned for whole transactions, blocks that were
//! revoked later are left out, the rest is laid over the device ([`overlay`]). Nothing is copied
//! but block numbers. Where the kernel would refuse to mount, what stands before the damage is
//! used, and the damage is told ([`Replay::problems`]).
//!
//! The list of orphans (files that were deleted while open, or being cut short) is not worked off:
//! deleted ones have no name, and the others have their new size already.

mod fast_commit;
mod log;
mod overlay;
mod superblock;
mod tags;

pub use fast_commit::{Change, Naming};
pub use overlay::Overlay;

use crate::{Error, Ext4};
use fast_commit::FastCommits;
use log::{Log, Transaction};
use overlay::Place;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What became of the journal.
#[derive(Debug, Clone)]
pub enum Journal {
    /// There is none, or it holds nothing that is not in place.
    Clean,
    /// Its changes are seen as if they were in place.
    Replayed(Replay),
    /// It holds changes, or may hold some, and could not be read: the newest changes are missing.
    Unread(Error),
}

/// What was replayed.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    /// Whole transactions.
    pub transactions: usize,
    /// Blocks that the journal gives in place of the device.
    pub blocks: usize,
    /// Changes of fast commits after the last transaction.
    pub fast_changes: usize,
    /// What of the journal is damaged or not understood and was left out; at most
    /// [`Replay::MOST_KEPT`].
    pub problems: Vec<Error>,
}

impl Replay {
    /// The most problems that are kept.
    pub const MOST_KEPT: usize = 16;

    pub(crate) fn problem(&mut self, problem: Error) {
        if self.problems.len() < Self::MOST_KEPT {
            self.problems.push(problem);
        }
    }
}

impl Journal {
    /// Whether all of it is in place or was replayed.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Clean => true,
            Self::Replayed(replay) => replay.problems.is_empty(),
            Self::Unread(_) => false,
        }
    }
}

/// What a journal holds.
pub struct Contents {
    pub replay: Replay,
    /// To lay over the device.
    pub overlay: Arc<Overlay>,
    /// To be done after that.
    pub fast: Vec<Change>,
}

/// Reads the journal of a filesystem that says it needs that; none if it is empty.
pub fn read(raw: &Ext4) -> Result<Option<Contents>, Error> {
    let Some(log) = open(raw)? else { return Ok(None) };
    let mut replay = Replay::default();
    let scan = log.scan();
    scan.problems.into_iter().for_each(|problem| replay.problem(problem));
    replay.transactions = scan.transactions.len();
    let places = places(&log, &scan.transactions, &mut replay);
    // After damage to the log, what follows it is not known.
    let fast = if replay.problems.is_empty() {
        log.fast_commits(scan.next_sequence)
    } else {
        FastCommits::default()
    };
    fast.problem.into_iter().for_each(|problem| replay.problem(problem));
    replay.blocks = places.len();
    replay.fast_changes = fast.changes.len();
    let overlay = Overlay::new(raw.device.clone(), raw.superblock.block_size, places);
    Ok(Some(Contents { replay, overlay: Arc::new(overlay), fast: fast.changes }))
}

/// The log; none if it is empty.
fn open(raw: &Ext4) -> Result<Option<Log<'_>>, Error> {
    if !raw.superblock.needs_recovery() {
        return Ok(None);
    }
    let number = raw.superblock.journal_inode();
    let number = number.ok_or_else(|| Error::unsupported("a journal on another device"))?;
    let log = Log::open(raw, number)?;
    Ok((!log.is_empty()).then_some(log))
}

/// The newest copy of each block that was not revoked.
fn places(log: &Log, transactions: &[Transaction], replay: &mut Replay) -> BTreeMap<u64, Place> {
    let revoked = revoked(transactions);
    let mut places = BTreeMap::new();
    for transaction in transactions {
        for tag in &transaction.tags {
            let by = revoked.get(&tag.target);
            if by.is_some_and(|by| !is_after(transaction.sequence, *by)) {
                continue;
            }
            match log.place(transaction.sequence, tag) {
                Ok(place) => drop(places.insert(tag.target, place)),
                Err(problem) => replay.problem(problem),
            }
        }
    }
    places
}

/// The last transaction that revoked each block: copies in it and before it are void.
fn revoked(transactions: &[Transaction]) -> HashMap<u64, u32> {
    let mut revoked = HashMap::new();
    for transaction in transactions {
        for block in &transaction.revoked {
            revoked.insert(*block, transaction.sequence);
        }
    }
    revoked
}

/// Whether one sequence number comes after another; they wrap around.
fn is_after(sequence: u32, other: u32) -> bool {
    sequence.wrapping_sub(other).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use super::is_after;

    #[test]
    fn sequences_wrap_around() {
        assert!(is_after(5, 4) && !is_after(4, 4) && !is_after(4, 5));
        assert!(is_after(2, u32::MAX) && !is_after(u32::MAX, 2));
    }
}
