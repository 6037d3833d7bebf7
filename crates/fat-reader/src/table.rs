//! The table of clusters: for each, which one follows.

use crate::Fat;
use crate::boot::{Width, short, word};
use crate::error::{Error, corrupt};
use std::ops::Range;
use std::sync::{Arc, PoisonError};

/// Bytes of the table that are read at once.
const PIECE: u64 = 4096;
/// Chains that are kept.
const KEPT: usize = 64;
/// Runs of a chain that is kept.
const MOST_KEPT_RUNS: usize = 1 << 16;

/// A file's clusters, as ranges of bytes that follow each other.
pub struct Chain {
    pub runs: Vec<Range<u64>>,
    /// Why it ends where it ends, if not by its end.
    pub damage: Option<(&'static str, u32)>,
}

impl Fat {
    /// The chain that begins with a cluster, of at most `most` bytes.
    pub(crate) fn chain(&self, first: u32, most: u64) -> Result<Arc<Chain>, Error> {
        let lock = || self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().get(&(first, most)).cloned();
        if let Some(chain) = kept {
            return Ok(chain);
        }
        let chain = Arc::new(self.read_chain(first, most)?);
        if chain.runs.len() <= MOST_KEPT_RUNS {
            let mut all = lock();
            if all.len() >= KEPT {
                all.clear();
            }
            all.insert((first, most), chain.clone());
        }
        Ok(chain)
    }

    fn read_chain(&self, first: u32, most: u64) -> Result<Chain, Error> {
        let mut chain = Chain { runs: Vec::new(), damage: None };
        let mut window = Window { fat: self, start: 0, bytes: Vec::new() };
        let (mut number, mut seen) = (first, 0_u64);
        // A cluster that was met at a power of two: who meets it again goes in circles. How many
        // clusters there are is no bound, for the boot sector may claim millions.
        let mut met = 0;
        while seen * self.boot.cluster_size < most {
            let Some(at) = self.boot.cluster(number) else {
                chain.damage = Some(("cluster outside", number));
                break;
            };
            if number == met {
                chain.damage = Some(("circle of clusters", number));
                break;
            }
            seen += 1;
            if seen.is_power_of_two() {
                met = number;
            }
            match chain.runs.last_mut() {
                Some(run) if run.end == at => run.end += self.boot.cluster_size,
                _ => chain.runs.push(at..at + self.boot.cluster_size),
            }
            match window.next(number)? {
                Some(next) => number = next,
                None => break,
            }
        }
        Ok(chain)
    }
}

/// A part of the table in memory.
struct Window<'a> {
    fat: &'a Fat,
    start: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// The cluster that follows; `None` at the end of a chain.
    fn next(&mut self, number: u32) -> Result<Option<u32>, Error> {
        let number = u64::from(number);
        let (value, end) = match self.fat.boot.width {
            Width::Fat12 => {
                let pair = u32::from(short(self.at(number + number / 2, 2)?, 0));
                let value = if number % 2 == 0 { pair & 0xfff } else { pair >> 4 };
                (value, 0xff8)
            }
            Width::Fat16 => (u32::from(short(self.at(number * 2, 2)?, 0)), 0xfff8),
            Width::Fat32 => (word(self.at(number * 4, 4)?, 0) & 0x0fff_ffff, 0x0fff_fff8),
        };
        Ok((value < end).then_some(value))
    }

    fn at(&mut self, at: u64, length: u64) -> Result<&[u8], Error> {
        let boot = &self.fat.boot;
        let have = self.start..self.start + self.bytes.len() as u64;
        if at < have.start || at + length > have.end {
            let start = at / 512 * 512;
            let size = boot.table_size.saturating_sub(start).min(PIECE);
            if start + size < at + length {
                return Err(corrupt("table of clusters ends", at));
            }
            self.bytes = vec![0; size as usize];
            self.fat.source.read_exact_at(boot.table + start, &mut self.bytes)?;
            self.start = start;
        }
        Ok(&self.bytes[(at - self.start) as usize..])
    }
}
