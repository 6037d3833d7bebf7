//! A thin volume: blocks of a pool where something was written, else zeroes or what a volume
//! outside of the pool holds.

use crate::Error;
use crate::thin_pool::{Mapped, Pool};
use block_source::{BlockSource, ReadError, check_bounds};
use std::ops::Range;
use std::sync::Arc;

/// Ranges that one hint is turned into at most.
const MOST_RANGES: usize = 4096;

pub struct Thin {
    pool: Arc<Pool>,
    /// Root of its mappings.
    root: u64,
    size: u64,
    outside: Option<Arc<dyn BlockSource>>,
}

impl Thin {
    /// Opens the volume that the pool knows by this number.
    pub fn open(
        pool: Arc<Pool>,
        device: u64,
        size: u64,
        outside: Option<Arc<dyn BlockSource>>,
    ) -> Result<Self, Error> {
        let root = pool.volume(device)?;
        Ok(Self { pool, root, size, outside })
    }

    /// Byte of the pool's data at which a byte of the volume stands.
    fn in_pool(&self, data: u64, within: u64) -> Result<u64, ReadError> {
        let offset = data.checked_mul(self.pool.block()).and_then(|at| at.checked_add(within));
        offset.ok_or_else(|| ReadError::failed(0, format!("block {data} of a thin pool")))
    }

    /// What is at an offset, and how many bytes follow.
    fn left(&self, mapped: Mapped, within: u64) -> u64 {
        mapped.length.saturating_mul(self.pool.block()).saturating_sub(within)
    }

    /// What was never written.
    fn read_outside(&self, at: u64, out: &mut [u8]) -> Result<(), ReadError> {
        let Some(outside) = &self.outside else {
            out.fill(0);
            return Ok(());
        };
        let there = outside.size().saturating_sub(at).min(out.len() as u64);
        let (inside, past) = out.split_at_mut(there as usize);
        past.fill(0);
        if inside.is_empty() { Ok(()) } else { outside.read_exact_at(at, inside) }
    }
}

impl BlockSource for Thin {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        let (mut at, mut rest) = (offset, out);
        while !rest.is_empty() {
            let (block, within) = (at / self.pool.block(), at % self.pool.block());
            let mapped = self.pool.mapped(self.root, block);
            let mapped = mapped.map_err(|error| ReadError::failed(at, error))?;
            let length = self.left(mapped, within).min(rest.len() as u64);
            let (piece, after) = rest.split_at_mut(length as usize);
            match mapped.data {
                Some(data) => self.pool.data().read_exact_at(self.in_pool(data, within)?, piece)?,
                None => self.read_outside(at, piece)?,
            }
            (at, rest) = (at + length, after);
        }
        Ok(())
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        let (mut of_pool, mut of_outside) = (Vec::new(), Vec::new());
        for range in ranges {
            let (mut at, end) = (range.start, range.end.min(self.size));
            while at < end && of_pool.len() + of_outside.len() < MOST_RANGES {
                let (block, within) = (at / self.pool.block(), at % self.pool.block());
                let Some(mapped) = self.pool.mapped_or_announce(self.root, block) else { break };
                let length = self.left(mapped, within).min(end - at);
                match mapped.data.map(|data| self.in_pool(data, within)) {
                    Some(Ok(start)) => of_pool.push(start..start.saturating_add(length)),
                    Some(Err(_)) => {}
                    None => of_outside.push(at..at + length),
                }
                at += length;
            }
        }
        self.pool.data().will_need(&of_pool);
        if let Some(outside) = &self.outside {
            outside.will_need(&of_outside);
        }
    }
}
