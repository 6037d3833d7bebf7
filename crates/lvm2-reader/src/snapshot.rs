//! Snapshots of the older kind: a store of its own keeps the chunks that changed since the split.
//! `drivers/md/dm-snap-persistent.c` of the kernel.

use crate::Error;
use crate::bytes::{u32_at, u64_at};
use crate::error::{corrupt, unsupported};
use block_source::{BlockSource, ReadError, check_bounds};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

const MAGIC: u32 = 0x7041_6e53;
const SECTOR: u64 = 512;
/// Bytes of an entry: the chunk of the origin, and the chunk of the store.
const ENTRY: usize = 16;
/// Chunks are a power of two of sectors; LVM makes none of more than 512 KiB.
const MOST_CHUNK: u64 = 16 << 20;
/// Runs of chunks that are kept in memory, 24 bytes each.
const MOST_RUNS: usize = 2 << 20;
/// Areas that are announced at once.
const AHEAD: u64 = 64;

/// A snapshot: its origin with the chunks of the store in place of those that changed.
pub struct Snapshot {
    origin: Arc<dyn BlockSource>,
    store: Arc<dyn BlockSource>,
    chunk: u64,
    /// Read when it is first needed: it is spread over the whole store.
    changed: OnceLock<Result<Vec<Run>, ReadError>>,
}

/// Chunks that follow each other in the origin and in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    old: u64,
    new: u64,
    length: u64,
}

/// Where some bytes of the snapshot stand, and how many follow.
struct Place {
    in_store: bool,
    offset: u64,
    left: u64,
}

impl Snapshot {
    /// Reads the header of the store: 0 signature, 4 whether it is valid, 8 version, 12 sectors of
    /// a chunk.
    pub fn open(origin: Arc<dyn BlockSource>, store: Arc<dyn BlockSource>) -> Result<Self, Error> {
        let mut header = [0; 16];
        store.read_exact_at(0, &mut header)?;
        if u32_at(&header, 0) != MAGIC {
            return Err(corrupt("signature of the snapshot's store", u32_at(&header, 0)));
        }
        if u32_at(&header, 4) != 1 {
            return Err(corrupt("snapshot that ran full and lost its content", u32_at(&header, 4)));
        }
        if u32_at(&header, 8) != 1 {
            return Err(unsupported(format!("snapshot store of version {}", u32_at(&header, 8))));
        }
        let chunk = u64::from(u32_at(&header, 12)) * SECTOR;
        if !chunk.is_power_of_two() || chunk > MOST_CHUNK {
            return Err(corrupt("chunk size of the snapshot's store", chunk));
        }
        Ok(Self { origin, store, chunk, changed: OnceLock::new() })
    }

    fn changed(&self) -> Result<&[Run], ReadError> {
        match self.changed.get_or_init(|| self.read_table()) {
            Ok(runs) => Ok(runs),
            Err(error) => Err(error.clone()),
        }
    }

    /// The entries of all areas, up to the first that is not in use. An area is one chunk of
    /// entries, followed by the chunks that they name.
    fn read_table(&self) -> Result<Vec<Run>, ReadError> {
        let entries = self.chunk / ENTRY as u64;
        let chunks = self.store.size() / self.chunk;
        let mut runs: Vec<Run> = Vec::new();
        let mut raw = vec![0; self.chunk as usize];
        for (index, at) in (1..chunks).step_by(entries as usize + 1).enumerate() {
            if (index as u64).is_multiple_of(AHEAD) {
                self.announce_areas(at, entries + 1);
            }
            self.store.read_exact_at(at * self.chunk, &mut raw)?;
            for entry in raw.chunks(ENTRY) {
                let (old, new) = (u64_at(entry, 0), u64_at(entry, 8));
                if new == 0 {
                    runs.sort_by_key(|run| run.old);
                    return Ok(runs);
                }
                if new >= chunks {
                    return Err(ReadError::failed(
                        at * self.chunk,
                        "snapshot entry past its store",
                    ));
                }
                add(&mut runs, old, new);
                if runs.len() > MOST_RUNS {
                    return Err(ReadError::failed(0, "more changes in a snapshot than are kept"));
                }
            }
        }
        runs.sort_by_key(|run| run.old);
        Ok(runs)
    }

    fn announce_areas(&self, first: u64, distance: u64) {
        let areas = (0..AHEAD).map(|index| first + index * distance);
        let ranges =
            areas.filter_map(|at| Some(at.checked_mul(self.chunk)?..(at + 1) * self.chunk));
        self.store.will_need(&ranges.collect::<Vec<_>>());
    }

    fn place(&self, runs: &[Run], at: u64) -> Place {
        let (chunk, within) = (at / self.chunk, at % self.chunk);
        let next = runs.partition_point(|run| run.old <= chunk);
        let run = next.checked_sub(1).map(|index| runs[index]);
        if let Some(run) = run.filter(|run| chunk - run.old < run.length) {
            let skipped = chunk - run.old;
            let offset = (run.new + skipped) * self.chunk + within;
            let left = (run.length - skipped) * self.chunk - within;
            return Place { in_store: true, offset, left };
        }
        let end = runs.get(next).map_or(u64::MAX, |run| run.old.saturating_mul(self.chunk));
        Place { in_store: false, offset: at, left: end - at }
    }
}

/// Most entries go on where the one before ended.
fn add(runs: &mut Vec<Run>, old: u64, new: u64) {
    match runs.last_mut() {
        Some(last)
            if last.old.checked_add(last.length) == Some(old) && last.new + last.length == new =>
        {
            last.length += 1;
        }
        _ => runs.push(Run { old, new, length: 1 }),
    }
}

impl BlockSource for Snapshot {
    fn size(&self) -> u64 {
        self.origin.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size(), offset, out.len())?;
        let runs = self.changed()?;
        let (mut at, mut rest) = (offset, out);
        while !rest.is_empty() {
            let place = self.place(runs, at);
            let length = place.left.min(rest.len() as u64);
            let (piece, after) = rest.split_at_mut(length as usize);
            let source = if place.in_store { &self.store } else { &self.origin };
            source.read_exact_at(place.offset, piece)?;
            (at, rest) = (at + length, after);
        }
        Ok(())
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        let Some(Ok(runs)) = self.changed.get() else {
            return self.announce_areas(1, self.chunk / ENTRY as u64 + 1);
        };
        let (mut of_store, mut of_origin) = (Vec::new(), Vec::new());
        for range in ranges {
            let (mut at, end) = (range.start, range.end.min(self.size()));
            while at < end && of_store.len() + of_origin.len() < 4096 {
                let place = self.place(runs, at);
                let length = place.left.min(end - at);
                let list = if place.in_store { &mut of_store } else { &mut of_origin };
                list.push(place.offset..place.offset + length);
                at += length;
            }
        }
        self.store.will_need(&of_store);
        self.origin.will_need(&of_origin);
    }
}
