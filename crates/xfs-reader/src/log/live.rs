//! The live part of the log: from the oldest record that is still needed to the head, as far as
//! its records are whole.

use super::head::{Head, RECORDS_IN_FLIGHT};
use super::record::{HEADER_SPAN, Header, Record, Rules};
use super::ring::{BLOCK, Ring, is_header};
use super::shortfall::{BadRecord, Shortfall};
use crate::Error;

/// What there is to replay.
pub enum Live {
    /// The filesystem was unmounted, or all was written back.
    Nothing,
    /// Records from `tail` up to, not including, `head`.
    Records {
        tail: u64,
        head: u64,
        /// The first record that cannot be read, if not all can; then it is at `head`.
        bad: Option<(u64, BadRecord)>,
    },
    /// The log makes no sense.
    Lost(Shortfall),
}

impl Rules {
    /// Finds the live part, and keeps it in memory if it is not too large.
    pub fn find_live(&self, ring: &mut Ring) -> Result<Live, Error> {
        let (last, head) = match self.find_head(ring)? {
            Head::Empty => return Ok(Live::Nothing),
            Head::Nowhere => return Ok(Live::Lost(Shortfall::NoHead)),
            Head::After(header, head) => (header, head),
        };
        if is_clean(ring, &last, head)? {
            return Ok(Live::Nothing);
        }
        if last.uuid != self.uuid {
            let (block, why) = (last.block, BadRecord::Uuid);
            return Ok(Live::Lost(Shortfall::Record { block, why }));
        }
        let Some((last, head)) = self.without_torn(ring, last, head)? else {
            return Ok(Live::Lost(Shortfall::NoHead));
        };
        if is_clean(ring, &last, head)? {
            return Ok(Live::Nothing);
        }
        if last.tail == head {
            return Ok(Live::Lost(Shortfall::NoHead));
        }
        ring.keep(last.tail, head)?;
        // As many bytes as one buffer of this mount has, for each that may be under way.
        let reach = RECORDS_IN_FLIGHT * last.own_blocks * HEADER_SPAN / BLOCK;
        self.check_from(ring, last.tail, head, reach)
    }

    /// Takes the head back to the first of the last few records that was not written whole.
    fn without_torn(
        &self,
        ring: &Ring,
        last: Header,
        head: u64,
    ) -> Result<Option<(Header, u64)>, Error> {
        let mut from = last.block;
        for _ in 1..RECORDS_IN_FLIGHT {
            let within = ring.distance(last.tail, from);
            match self.header_before(ring, from, within)? {
                Some((block, _)) => from = block,
                None => break,
            }
        }
        let Some((torn, _)) = self.walk(ring, from, head, |_| Ok(Ok(())))? else {
            return Ok(Some((last, head)));
        };
        let within = ring.distance(last.tail, torn);
        let before = self.header_before(ring, torn, within)?;
        Ok(before.and_then(|(_, header)| Some((header.ok()?, torn))))
    }

    /// Checks all records from the tail on. If the last write that was begun ran over the tail,
    /// the tail had moved on by then: some damaged records right after the head are not needed.
    fn check_from(&self, ring: &Ring, tail: u64, head: u64, reach: u64) -> Result<Live, Error> {
        let mut tail = next_header(ring, tail, head)?;
        loop {
            let Some((bad, why)) = self.walk(ring, tail, head, |_| Ok(Ok(())))? else {
                return Ok(Live::Records { tail, head, bad: None });
            };
            let overwritten = ring.distance(head, bad) <= reach;
            let next = if overwritten { next_header(ring, bad + 1, head)? } else { head };
            if next == head {
                return Ok(Live::Records { tail, head: bad, bad: Some((bad, why)) });
            }
            tail = next;
        }
    }

    /// Hands out the records from `tail` to `head`, and says where and why that did not work.
    /// `each` says what is wrong with a record that it does not like.
    pub fn walk(
        &self,
        ring: &Ring,
        tail: u64,
        head: u64,
        mut each: impl FnMut(Record) -> Result<Result<(), BadRecord>, Error>,
    ) -> Result<Option<(u64, BadRecord)>, Error> {
        let live = ring.distance(tail, head);
        let mut done = 0;
        while done < live {
            let block = (tail + done) % ring.blocks;
            let record = match self.record(ring, block)? {
                Ok(record) => record,
                Err(bad) => return Ok(Some((block, bad))),
            };
            done += record.header.blocks();
            if done > live {
                return Ok(Some((block, BadRecord::PastHead)));
            }
            if let Err(bad) = each(record)? {
                return Ok(Some((block, bad)));
            }
        }
        Ok(None)
    }
}

fn is_clean(ring: &Ring, last: &Header, head: u64) -> Result<bool, Error> {
    let ends_there = (last.block + last.blocks()) % ring.blocks == head % ring.blocks;
    Ok(ends_there && last.is_unmount(ring)?)
}

/// The first header at or after a block, or the head.
fn next_header(ring: &Ring, from: u64, head: u64) -> Result<u64, Error> {
    for ahead in 0..ring.distance(from, head) {
        let block = (from + ahead) % ring.blocks;
        if is_header(&ring.read(block, 1)?) {
            return Ok(block);
        }
    }
    Ok(head)
}
