//! Arrays in which each byte stands on one or more members as it is.

use super::{Member, Wanted};
use block_source::{BlockSource, ReadError, check_bounds};
use std::ops::Range;

/// A read of which no copy can be had is tried again in halves, down to this: each half may have
/// a copy of its own.
const SMALLEST_RETRY: usize = 4096;

/// A place on a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Number of the member.
    pub member: usize,
    /// Byte on it.
    pub offset: u64,
}

/// Where a byte of the array stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// All copies, the best first.
    pub copies: Vec<Spot>,
    /// How many bytes from there on stand together.
    pub left: u64,
}

/// Where each byte of an array stands.
pub trait Layout: Send + Sync {
    /// Bytes of the array.
    fn size(&self) -> u64;
    /// Where the byte at an offset inside the array stands; `left` is at least one.
    fn place(&self, at: u64) -> Place;
}

/// An array of such a layout over its members.
pub struct Copies<L> {
    layout: L,
    members: Vec<Member>,
}

impl<L: Layout> Copies<L> {
    /// Takes the members by number.
    pub fn new(layout: L, members: Vec<Member>) -> Self {
        Self { layout, members }
    }

    fn member(&self, spot: Spot) -> Result<&dyn BlockSource, ReadError> {
        match self.members.get(spot.member) {
            Some(Some(member)) => Ok(&**member),
            _ => Err(ReadError::failed(
                spot.offset,
                format!("member {} of the array is missing", spot.member),
            )),
        }
    }

    fn read_piece(&self, at: u64, out: &mut [u8]) -> Result<(), ReadError> {
        let copies = self.layout.place(at).copies;
        let mut failed = None;
        for spot in &copies {
            match self.member(*spot).and_then(|member| member.read_exact_at(spot.offset, out)) {
                Ok(()) => return Ok(()),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let there = copies.iter().filter(|spot| self.member(**spot).is_ok()).count();
        if there > 1 && out.len() > SMALLEST_RETRY {
            let (front, back) = out.split_at_mut(out.len() / 2);
            self.read_piece(at, front)?;
            return self.read_piece(at + front.len() as u64, back);
        }
        Err(failed.unwrap_or_else(|| ReadError::failed(at, "no member holds these bytes")))
    }
}

impl<L: Layout> BlockSource for Copies<L> {
    fn size(&self) -> u64 {
        self.layout.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size(), offset, out.len())?;
        let (mut at, mut rest) = (offset, out);
        while !rest.is_empty() {
            let left = self.layout.place(at).left.max(1);
            let length = left.min(rest.len() as u64);
            let (piece, after) = rest.split_at_mut(length as usize);
            self.read_piece(at, piece)?;
            (at, rest) = (at + length, after);
        }
        Ok(())
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        let mut wanted = Wanted::default();
        for range in ranges {
            let (mut at, end) = (range.start, range.end.min(self.size()));
            while at < end && !wanted.full() {
                let place = self.layout.place(at);
                let length = place.left.max(1).min(end - at);
                if let Some(spot) = place.copies.iter().find(|spot| self.member(**spot).is_ok()) {
                    wanted.add(spot.member, spot.offset, length);
                }
                at += length;
            }
        }
        wanted.announce(&self.members);
    }
}
