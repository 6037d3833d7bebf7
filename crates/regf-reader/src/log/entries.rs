//! Logs of the new format (Windows 8.1 and later): entries with a number, pages and hashes.
//!
//! On-disk format: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md#new-format>.
//! The replay ends, as in Windows, at an entry that does not follow the one before, or whose hash or
//! numbers are wrong. Old entries may stand behind the last one.

use super::{Log, Replayed};
use crate::base_block::{BIN, BaseBlock, SECTOR};
use crate::bytes::{le32, le64};
use crate::error::{Error, corrupt};
use crate::marvin::Marvin;

/// Bytes of an entry before its references.
const HEADER: usize = 40;
/// Bytes of a reference to a page.
const REFERENCE: u64 = 8;
/// Granularity of pages and entries.
const PAGE: u32 = 512;
/// Bytes that are hashed at once.
const PIECE: usize = 64 << 10;

/// Replays the logs in the order of their numbers.
pub fn replay(
    hive: &BaseBlock,
    mut logs: Vec<Log>,
    replayed: &mut Replayed,
    problems: &mut Vec<Error>,
) {
    let start = hive.secondary_sequence;
    logs.sort_by(|one, other| ahead(one.number(), other.number()).cmp(&0));
    if !hive.is_sound {
        // As Windows does: the base block comes from the later log, which begins where the hive is.
        logs.drain(..logs.len().saturating_sub(1));
    }
    logs.retain(|log| !hive.is_sound || ahead(log.number(), start) >= 0);
    let mut next = None;
    for log in &logs {
        if next.is_some_and(|next| log.number() != next) {
            problems.push(corrupt("entries are missing between the logs", 4));
            break;
        }
        if !hive.is_sound {
            replayed.base = Some(log.base);
        }
        // Where one log ends, by damage too, the other may go on.
        let number = log.replay(replayed, problems);
        next = Some(number);
    }
    // With both logs in use, Windows writes to the hive and leaves its number: nothing is missing then.
    let is_late = logs.first().is_some_and(|log| ahead(log.number(), start) > 0);
    if hive.is_sound && is_late && logs.len() == 1 {
        problems.push(corrupt("entries are missing before the log", 4));
    }
}

/// How far a number is ahead of another; they go round.
fn ahead(number: u32, other: u32) -> i32 {
    number.wrapping_sub(other).cast_signed()
}

/// A sound entry.
struct Entry {
    /// Bytes of all of it.
    size: u32,
    /// Bytes of the hive bins when it was written.
    bins: u32,
    /// Offset in the hive bins, and bytes.
    pages: Vec<(u32, u32)>,
}

/// What stands where an entry is looked for.
enum Found {
    Entry(Entry),
    End,
}

impl Log {
    /// The number of its first entry.
    fn number(&self) -> u32 {
        self.base.primary_sequence
    }

    /// Puts entries over the hive up to the end or to a wrong one; gives the number that comes next.
    fn replay(&self, replayed: &mut Replayed, problems: &mut Vec<Error>) -> u32 {
        let (mut number, mut at) = (self.number(), SECTOR as u64);
        loop {
            let put = match self.entry(at, number) {
                Ok(Found::Entry(entry)) => self.put(&entry, at, replayed).map(|()| entry.size),
                Ok(Found::End) => return number,
                Err(problem) => Err(problem),
            };
            match put {
                Ok(size) => at += u64::from(size),
                Err(problem) => {
                    problems.push(problem);
                    return number;
                }
            }
            number = number.wrapping_add(1);
        }
    }

    fn put(&self, entry: &Entry, at: u64, replayed: &mut Replayed) -> Result<(), Error> {
        let mut from = at + HEADER as u64 + REFERENCE * entry.pages.len() as u64;
        for &(offset, size) in &entry.pages {
            replayed.overlay.put(u64::from(offset), u64::from(size), &self.source, from)?;
            from += u64::from(size);
            replayed.replay.bytes += u64::from(size);
        }
        replayed.replay.entries += 1;
        replayed.base = Some(BaseBlock { bins: entry.bins, ..self.base });
        Ok(())
    }

    fn entry(&self, at: u64, number: u32) -> Result<Found, Error> {
        let left = self.source.size().saturating_sub(at);
        let mut header = [0; HEADER];
        if left < HEADER as u64 {
            return Ok(Found::End);
        }
        self.source.read_exact_at(at, &mut header)?;
        if !header.starts_with(b"HvLE") {
            return Ok(Found::End);
        }
        let size = le32(&header, 4);
        if hash(&header[..32]) != le64(&header, 32) {
            return Err(corrupt("wrong hash of a log entry", at));
        }
        if size < PAGE || !size.is_multiple_of(PAGE) || u64::from(size) > left {
            return Err(corrupt("wrong size of a log entry", at));
        }
        if self.hash(at, size)? != le64(&header, 24) {
            return Err(corrupt("wrong hash of a log entry's pages", at));
        }
        match ahead(le32(&header, 12), number) {
            0 => self.pages(&header, at, size).map(Found::Entry),
            ..0 => Ok(Found::End),
            1.. => Err(corrupt("log entry that does not follow the one before", at)),
        }
    }

    /// The hash of all behind an entry's header.
    fn hash(&self, at: u64, size: u32) -> Result<u64, Error> {
        let (mut hash, mut piece) = (Marvin::new(), vec![0; PIECE.min(size as usize)]);
        let (mut from, end) = (at + HEADER as u64, at + u64::from(size));
        while from < end {
            let length = (end - from).min(piece.len() as u64) as usize;
            self.source.read_exact_at(from, &mut piece[..length])?;
            hash.feed(&piece[..length]);
            from += length as u64;
        }
        Ok(hash.end())
    }

    fn pages(&self, header: &[u8], at: u64, size: u32) -> Result<Entry, Error> {
        let (bins, count) = (le32(header, 16), le32(header, 20));
        let wrong = || corrupt("wrong numbers in a log entry", at);
        let room = u64::from(size) - HEADER as u64;
        // Each page has at least one sector.
        if u64::from(count) * (REFERENCE + u64::from(PAGE)) > room {
            return Err(wrong());
        }
        if bins == 0 || !bins.is_multiple_of(BIN) {
            return Err(wrong());
        }
        let mut references = vec![0; count as usize * REFERENCE as usize];
        self.source.read_exact_at(at + HEADER as u64, &mut references)?;
        let mut left = room - references.len() as u64;
        let mut pages = Vec::with_capacity(count as usize);
        for reference in references.as_chunks::<8>().0 {
            let (offset, size) = (le32(reference, 0), le32(reference, 4));
            let is_whole = size > 0 && size.is_multiple_of(PAGE) && offset.is_multiple_of(PAGE);
            let is_inside = offset.checked_add(size).is_some_and(|end| end <= bins);
            if !is_whole || !is_inside {
                return Err(wrong());
            }
            left = left.checked_sub(u64::from(size)).ok_or_else(wrong)?;
            pages.push((offset, size));
        }
        Ok(Entry { size, bins, pages })
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hash = Marvin::new();
    hash.feed(bytes);
    hash.end()
}
