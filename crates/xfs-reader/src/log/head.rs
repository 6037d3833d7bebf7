//! Where the log ends. The next record would be written at its head; sectors before it carry the
//! number of this turn, those after it that of the turn before. Records may have been written out
//! of order or in part when the machine stopped, so the last few are looked at closely.

use super::record::{Header, Rules};
use super::ring::{BLOCK, Ring, cycle_of, is_header};
use super::shortfall::BadRecord;
use crate::Error;

/// Records that may be written at the same time.
pub const RECORDS_IN_FLIGHT: u64 = 8;
/// Blocks that all of them may have, of 256 KiB each.
const IN_FLIGHT: u64 = RECORDS_IN_FLIGHT * 512;
/// More blocks than a record with its headers has.
const MORE_THAN_A_RECORD: u64 = 1032;

/// Where a header stands, and what it says if that makes sense.
type Place = (u64, Result<Header, BadRecord>);

/// What stands at the head.
pub enum Head {
    /// Nothing was ever written.
    Empty,
    /// The record before the head.
    After(Header, u64),
    /// There is none.
    Nowhere,
}

impl Rules {
    /// Finds the head. Of a log that was unmounted this costs a few reads.
    pub fn find_head(&self, ring: &Ring) -> Result<Head, Error> {
        let turn = Turn { first: ring.cycle(0)?, last: ring.cycle(ring.blocks - 1)? };
        if turn.first == 0 {
            return Ok(Head::Empty);
        }
        if turn.last == 0 && turn.first != 1 {
            return Ok(Head::Nowhere);
        }
        let guess = turn.guess(ring)?;
        // Before it writes the last record, unmounting waits for all others: nothing can be torn.
        if let Some((_, Ok(header))) = self.header_before(ring, guess, MORE_THAN_A_RECORD)?
            && header.cycle == turn.first
            && header.block + header.blocks() == guess
            && header.is_unmount(ring)?
        {
            return Ok(Head::After(header, guess % ring.blocks));
        }
        let head = turn.first_hole(ring, guess)?;
        self.whole_record_before(ring, head)
    }

    /// Leaves out records before the head that were not written to their ends.
    fn whole_record_before(&self, ring: &Ring, mut head: u64) -> Result<Head, Error> {
        for _ in 0..=RECORDS_IN_FLIGHT {
            let before = self.header_before(ring, head, MORE_THAN_A_RECORD)?;
            let Some((block, header)) = before else { break };
            let fits = |header: &Header| ring.distance(block, head) == header.blocks();
            if let Some(header) = header.ok().filter(fits) {
                return Ok(Head::After(header, head % ring.blocks));
            }
            head = block;
        }
        Ok(Head::Nowhere)
    }

    /// The nearest header before a block, at most `within` blocks before it.
    pub fn header_before(
        &self,
        ring: &Ring,
        block: u64,
        within: u64,
    ) -> Result<Option<Place>, Error> {
        const PIECE: u64 = 64;
        let mut back = 0;
        let within = within.min(ring.blocks);
        while back < within {
            let count = PIECE.min(within - back);
            back += count;
            let from = (block % ring.blocks + ring.blocks - back) % ring.blocks;
            let bytes = ring.read(from, count)?;
            let blocks = bytes.chunks_exact(BLOCK as usize).enumerate();
            if let Some((index, raw)) = blocks.rev().find(|(_, raw)| is_header(raw)) {
                let at = (from + index as u64) % ring.blocks;
                return Ok(Some((at, Header::parse(ring, at, raw, self.version_2))));
            }
        }
        Ok(None)
    }
}

/// Numbers of the turns at both ends of the ring.
struct Turn {
    first: u32,
    last: u32,
}

impl Turn {
    /// The first block of the older turn, if all was written in order. The number of blocks
    /// stands for the start of the ring.
    fn guess(&self, ring: &Ring) -> Result<u64, Error> {
        if self.first == self.last {
            return Ok(ring.blocks);
        }
        let (mut newer, mut older) = (0, ring.blocks - 1);
        while older - newer > 1 {
            let middle = newer + (older - newer) / 2;
            if ring.cycle(middle)? == self.last {
                older = middle;
            } else {
                newer = middle;
            }
        }
        Ok(older)
    }

    /// The first block that was left out when later ones were written already, or the guess.
    fn first_hole(&self, ring: &Ring, guess: u64) -> Result<u64, Error> {
        let whole = self.first == self.last;
        let stale = if whole { self.last.wrapping_sub(1) } else { self.last };
        let scan = IN_FLIGHT.min(ring.blocks);
        if guess >= scan || self.last == 0 {
            let from = guess.saturating_sub(scan);
            return Ok(first_of(ring, from, guess - from, stale)?.unwrap_or(guess));
        }
        let before_end = scan - guess;
        let older = stale.wrapping_sub(1);
        if let Some(hole) = first_of(ring, ring.blocks - before_end, before_end, older)? {
            return Ok(hole);
        }
        Ok(first_of(ring, 0, guess, stale)?.unwrap_or(guess))
    }
}

/// The first of some blocks that was written in a turn.
fn first_of(ring: &Ring, from: u64, count: u64, cycle: u32) -> Result<Option<u64>, Error> {
    const PIECE: u64 = 512;
    let mut done = 0;
    while done < count {
        let part = PIECE.min(count - done);
        let bytes = ring.read(from + done, part)?;
        let mut blocks = bytes.chunks_exact(BLOCK as usize);
        if let Some(index) = blocks.position(|block| cycle_of(block) == cycle) {
            return Ok(Some(from + done + index as u64));
        }
        done += part;
    }
    Ok(None)
}
