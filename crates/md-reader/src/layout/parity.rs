//! raid4, raid5 and raid6: data are read where they are; of a member that is missing or cannot be
//! read they are computed from the rest of the row.

use super::parity_place::{Algorithm, Row};
use super::row::{MOST_AT_ONCE, Rebuild, missing};
use super::{Member, Wanted};
use block_source::{BlockSource, ReadError, check_bounds};
use std::ops::Range;

/// An array with parity.
pub struct Parity {
    algorithm: Algorithm,
    chunk: u64,
    members: Vec<Member>,
    size: u64,
}

impl Parity {
    /// Takes the chunk in bytes and the bytes used of each member. `None` if the numbers are no
    /// such array.
    pub fn new(
        algorithm: Algorithm,
        chunk: u64,
        members: Vec<Member>,
        member_size: u64,
    ) -> Option<Self> {
        let data = members.len().checked_sub(algorithm.parities()).filter(|data| *data > 0)?;
        let rows = member_size.checked_div(chunk)?;
        let size = rows.checked_mul(chunk)?.checked_mul(data as u64)?;
        Some(Self { algorithm, chunk, members, size })
    }

    /// The row of a byte, the byte on each member, and how many follow in the chunk.
    fn locate(&self, at: u64) -> (Row, u64, u64) {
        let (chunk, within) = (at / self.chunk, at % self.chunk);
        let data = (self.members.len() - self.algorithm.parities()) as u64;
        let offset = chunk / data * self.chunk + within;
        (self.algorithm.row(chunk, self.members.len()), offset, self.chunk - within)
    }

    fn read_piece(&self, row: Row, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        let read = match &self.members[row.data] {
            Some(member) => member.read_exact_at(offset, out),
            None => Err(missing(row.data, offset)),
        };
        let Err(failed) = read else { return Ok(()) };
        for (index, part) in out.chunks_mut(MOST_AT_ONCE).enumerate() {
            let offset = offset + (index * MOST_AT_ONCE) as u64;
            let rebuild =
                Rebuild { members: &self.members, algorithm: self.algorithm, row, offset };
            rebuild.compute(part, &failed)?;
        }
        Ok(())
    }
}

impl BlockSource for Parity {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        let (mut at, mut rest) = (offset, out);
        while !rest.is_empty() {
            let (row, offset, left) = self.locate(at);
            let length = left.min(rest.len() as u64);
            let (piece, after) = rest.split_at_mut(length as usize);
            self.read_piece(row, offset, piece)?;
            (at, rest) = (at + length, after);
        }
        Ok(())
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        let mut wanted = Wanted::default();
        for range in ranges {
            let (mut at, end) = (range.start, range.end.min(self.size));
            while at < end && !wanted.full() {
                let (row, offset, left) = self.locate(at);
                let length = left.min(end - at);
                if self.members[row.data].is_some() {
                    wanted.add(row.data, offset, length);
                } else {
                    (0..self.members.len()).for_each(|member| wanted.add(member, offset, length));
                }
                at += length;
            }
        }
        wanted.announce(&self.members);
    }
}
