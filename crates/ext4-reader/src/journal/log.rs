//! Scans the log for whole transactions.

use super::overlay::Place;
use super::superblock::{JournalSuperblock, MAGIC, Protection};
use super::tags::Tag;
use crate::bytes::{be32_at, be64_at};
use crate::checksum::crc32_be;
use crate::extent::Run;
use crate::{Error, Ext4, InodeNumber, Kind};
use std::ops::Range;

const DESCRIPTOR: u32 = 1;
const COMMIT: u32 = 2;
const REVOKE: u32 = 5;
/// This much of the log is asked for at once.
const AHEAD: u64 = 4 << 20;

/// An open journal.
pub struct Log<'a> {
    raw: &'a Ext4,
    runs: Vec<Run>,
    superblock: JournalSuperblock,
}

/// A transaction that was committed.
pub struct Transaction {
    pub sequence: u32,
    pub tags: Vec<Tag>,
    pub revoked: Vec<u64>,
}

/// What a scan found.
pub struct Scan {
    pub transactions: Vec<Transaction>,
    pub problems: Vec<Error>,
    /// The sequence number after the last transaction.
    pub next_sequence: u32,
}

/// Where the scan stands.
struct Cursor {
    at: u32,
    sequence: u32,
    /// Blocks that may still be looked at: never more than the log has.
    left: u32,
    last_commit: u64,
    asked_for: u64,
}

impl<'a> Log<'a> {
    pub fn open(raw: &'a Ext4, number: InodeNumber) -> Result<Self, Error> {
        let inode = raw.inode(number)?;
        let block_size = raw.superblock.block_size;
        let blocks = inode.size / block_size;
        // No block of the device can be two of the journal, so this bounds all that follows.
        if inode.kind != Kind::File || inode.size > raw.device.size() {
            return Err(Error::corrupt("journal inode", number.0));
        }
        let runs = raw.block_runs(&inode, &(0..blocks))?;
        let first = raw.read_block(physical(&runs, 0)?)?;
        Ok(Self { raw, runs, superblock: JournalSuperblock::parse(&first, blocks)? })
    }

    pub fn is_empty(&self) -> bool {
        self.superblock.start == 0
    }

    /// Where a copy is, if it is whole.
    pub fn place(&self, sequence: u32, tag: &Tag) -> Result<Place, Error> {
        let damaged = || Error::corrupt("copy in the journal of block", tag.target);
        let unprotected = !self.superblock.protects_blocks();
        if !unprotected && !self.superblock.copy_holds(sequence, tag, &self.block(tag.at)?) {
            return Err(damaged());
        }
        let end = tag.target.checked_add(1).and_then(|end| end.checked_mul(self.block_size()));
        if end.is_none_or(|end| end > self.raw.device.size()) {
            return Err(damaged());
        }
        Ok(Place { block: physical(&self.runs, tag.at)?, escaped: tag.escaped })
    }

    /// All whole transactions, up to the first that is not.
    pub fn scan(&self) -> Scan {
        let log = &self.superblock;
        let mut cursor = Cursor {
            at: log.start,
            sequence: log.sequence,
            left: log.last - log.first,
            last_commit: 0,
            asked_for: 0,
        };
        let (mut transactions, mut problems) = (Vec::new(), Vec::new());
        loop {
            match self.transaction(&mut cursor) {
                Ok(Some(transaction)) => transactions.push(transaction),
                Ok(None) => break,
                Err(problem) => {
                    problems.push(problem);
                    break;
                }
            }
        }
        Scan { transactions, problems, next_sequence: cursor.sequence }
    }

    /// The next transaction; none at the end of the log, which is wherever a block does not
    /// belong to it: what stands there is older, or was never committed.
    fn transaction(&self, cursor: &mut Cursor) -> Result<Option<Transaction>, Error> {
        let sequence = cursor.sequence;
        let mut found = Transaction { sequence, tags: Vec::new(), revoked: Vec::new() };
        let (mut sound, mut sum) = (true, !0);
        while let Some((_, block)) = self.next(cursor)? {
            if be32_at(&block, 0) != MAGIC || be32_at(&block, 8) != sequence {
                return Ok(None);
            }
            match be32_at(&block, 4) {
                DESCRIPTOR => {
                    sound &= self.superblock.tail_holds(&block);
                    sum = self.descriptor(cursor, &block, &mut found.tags, sum)?;
                }
                REVOKE => {
                    sound &= self.superblock.tail_holds(&block);
                    match self.superblock.revoked(&block) {
                        Some(revoked) => found.revoked.extend(revoked),
                        None => sound = false,
                    }
                }
                COMMIT => {
                    return self.commit(cursor, &block, sound, sum).map(|ok| ok.then_some(found));
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Takes the tags of a descriptor block, and steps over the copies that follow it. Gives the
    /// sum over the transaction so far, where it is needed.
    fn descriptor(
        &self,
        cursor: &mut Cursor,
        block: &[u8],
        tags: &mut Vec<Tag>,
        sum: u32,
    ) -> Result<u32, Error> {
        let summed = self.superblock.protection == Protection::Transactions;
        let mut sum = if summed { crc32_be(sum, block) } else { sum };
        for tag in self.superblock.tags(block) {
            let at = cursor.at;
            if summed {
                let Some((_, copy)) = self.next(cursor)? else { break };
                sum = crc32_be(sum, &copy);
            } else if !self.step(cursor) {
                break;
            }
            tags.push(Tag { at, ..tag });
        }
        Ok(sum)
    }

    /// Whether a commit block ends a whole transaction. One whose checksums do not hold may be
    /// left from an older use of the log, whose clock then was behind.
    fn commit(
        &self,
        cursor: &mut Cursor,
        block: &[u8],
        sound: bool,
        sum: u32,
    ) -> Result<bool, Error> {
        let time = be64_at(block, 48);
        let holds = self.superblock.commit_holds(block) && self.transaction_holds(block, sum);
        if !(sound && holds) {
            let normal = time < cursor.last_commit || (sound && self.superblock.async_commit);
            let problem = || Error::corrupt("checksum of journal transaction", cursor.sequence);
            return if normal { Ok(false) } else { Err(problem()) };
        }
        cursor.last_commit = time;
        cursor.sequence = cursor.sequence.wrapping_add(1);
        Ok(true)
    }

    /// Whether the sum over a whole transaction holds, or was not taken.
    fn transaction_holds(&self, commit: &[u8], sum: u32) -> bool {
        const CRC32: [u8; 2] = [1, 4];
        let (kind, stored) = (&commit[12..14], be32_at(commit, 16));
        self.superblock.protection != Protection::Transactions
            || (kind == CRC32 && stored == sum)
            || (kind == [0, 0] && stored == 0)
    }

    /// The blocks of the journal that are kept for fast commits.
    pub fn fast_commit_blocks(&self) -> Range<u32> {
        self.superblock.fast_commits.clone()
    }

    /// The block at the cursor, which steps on.
    fn next(&self, cursor: &mut Cursor) -> Result<Option<(u32, Vec<u8>)>, Error> {
        let at = cursor.at;
        self.ask_ahead(cursor);
        Ok(if self.step(cursor) { Some((at, self.block(at)?)) } else { None })
    }

    /// Steps on; false if the whole log was looked at.
    fn step(&self, cursor: &mut Cursor) -> bool {
        if cursor.left == 0 {
            return false;
        }
        cursor.left -= 1;
        cursor.at += 1;
        if cursor.at >= self.superblock.last {
            cursor.at = self.superblock.first;
        }
        true
    }

    /// Tells the device what comes next, each time that the cursor enters another part.
    fn ask_ahead(&self, cursor: &mut Cursor) {
        let each = (AHEAD / self.block_size()).max(1);
        let part = u64::from(cursor.at) / each + 1;
        if part != cursor.asked_for {
            cursor.asked_for = part;
            let wanted = (part - 1) * each..part * each;
            let runs = self.runs.iter().filter_map(|run| run.within(&wanted));
            let ranges: Vec<_> = runs.map(|run| run.device(self.block_size())).collect();
            self.raw.device.will_need(&ranges);
        }
    }

    pub fn block(&self, index: u32) -> Result<Vec<u8>, Error> {
        self.raw.read_block(physical(&self.runs, index)?)
    }

    fn block_size(&self) -> u64 {
        self.raw.superblock.block_size
    }
}

/// The block of the device that is a block of the journal.
fn physical(runs: &[Run], index: u32) -> Result<u64, Error> {
    let index = u64::from(index);
    let after = runs.partition_point(|run| run.logical <= index);
    let run = runs[..after].last().and_then(|run| run.within(&(index..index + 1)));
    Ok(run.ok_or_else(|| Error::corrupt("hole in the journal at its block", index))?.physical)
}
