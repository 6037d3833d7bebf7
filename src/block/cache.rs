//! A cache of 512 KiB blocks, bounded in bytes and shared by all devices of a scan.
//!
//! A block is fetched once however many threads wait for it, and all blocks of one read are
//! asked for before the first is waited for. Read-ahead (`will_need`) starts fetches that nobody
//! waits for yet; it never takes more than half of a small cache, or a quarter of a large one: a block on its way
//! costs memory beside its room.

use super::room::take_back;
use super::{BLOCK_SIZE, BlockSource, ReadError, ReadSet, check_bounds};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Where blocks come from. `done` is called once, from any thread, with the whole block
/// (only the last of a device may be shorter) or `None` for a block of zeroes.
pub trait BlockFetcher: Send + Sync {
    /// Size of the device in bytes.
    fn size(&self) -> u64;

    /// Starts fetching a block; returns at once if the source is slow.
    fn fetch(&self, block: u64, done: Done);
}

/// Takes the outcome of one fetch.
pub type Done = Box<dyn FnOnce(Result<Option<Arc<[u8]>>, ReadError>) + Send>;

/// Blocks that read-ahead may take where the cache has room for twice as many.
const AHEAD: u64 = 20;

type Key = (usize, u64);

enum Slot {
    Pending,
    Ready { bytes: Option<Arc<[u8]>>, last_use: u64 },
    Failed(ReadError),
}

#[derive(Default)]
struct State {
    slots: HashMap<Key, Slot>,
    clock: u64,
    held: u64,
    pending: u64,
}

/// The cache.
pub struct BlockCache {
    state: Mutex<State>,
    arrived: Condvar,
    capacity: u64,
    devices: Mutex<usize>,
}

impl BlockCache {
    /// A cache that holds at most `capacity` bytes, and never fewer than four blocks.
    pub fn new(capacity: u64) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            capacity: capacity.max(4 * BLOCK_SIZE),
            devices: Mutex::new(0),
        })
    }

    /// A device read through this cache.
    pub fn device(self: &Arc<Self>, fetcher: Arc<dyn BlockFetcher>) -> CachedSource {
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        *devices += 1;
        CachedSource { cache: self.clone(), fetcher, id: *devices, read_set: Arc::default() }
    }

    /// Blocks that may be on their way before anybody waits for them.
    fn most_ahead(&self) -> u64 {
        let blocks = self.capacity / BLOCK_SIZE;
        (blocks / 2).min((blocks / 4).max(AHEAD))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the fetch of a block that is neither held nor on its way.
    fn start(self: &Arc<Self>, fetcher: &Arc<dyn BlockFetcher>, key: Key, ahead: Ahead) {
        {
            let mut state = self.lock();
            if matches!(state.slots.get(&key), Some(Slot::Pending | Slot::Ready { .. })) {
                return;
            }
            let room = ahead == Ahead::No || state.pending < self.most_ahead();
            if !room {
                return;
            }
            state.pending += 1;
            state.slots.insert(key, Slot::Pending);
        }
        let cache = self.clone();
        fetcher.fetch(key.1, Box::new(move |outcome| cache.finish(key, outcome)));
    }

    fn finish(&self, key: Key, outcome: Result<Option<Arc<[u8]>>, ReadError>) {
        let mut state = self.lock();
        state.pending -= 1;
        state.clock += 1;
        let slot = match outcome {
            Ok(bytes) => {
                state.held += weight(bytes.as_deref());
                Slot::Ready { bytes, last_use: state.clock }
            }
            Err(error) => Slot::Failed(error),
        };
        state.slots.insert(key, slot);
        state.evict(self.capacity, key);
        drop(state);
        self.arrived.notify_all();
    }

    /// Waits for a block, asking for it (again) if it was evicted meanwhile.
    fn wait(
        self: &Arc<Self>,
        fetcher: &Arc<dyn BlockFetcher>,
        key: Key,
    ) -> Result<Option<Arc<[u8]>>, ReadError> {
        let mut state = self.lock();
        loop {
            state.clock += 1;
            let now = state.clock;
            match state.slots.get_mut(&key) {
                Some(Slot::Ready { bytes, last_use }) => {
                    *last_use = now;
                    return Ok(bytes.clone());
                }
                Some(Slot::Failed(error)) => {
                    let error = error.clone();
                    // The next reader may be luckier: a failure is not remembered.
                    state.slots.remove(&key);
                    return Err(error);
                }
                Some(Slot::Pending) => {
                    state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                None => {
                    drop(state);
                    self.start(fetcher, key, Ahead::No);
                    state = self.lock();
                }
            }
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        for slot in self.slots.drain().map(|(_, slot)| slot) {
            if let Slot::Ready { bytes: Some(bytes), .. } = slot {
                take_back(bytes);
            }
        }
    }
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Ahead {
    Yes,
    No,
}

impl State {
    /// Drops the blocks that were used longest ago, but not the one that just came. Those on their
    /// way count too.
    fn evict(&mut self, capacity: u64, keep: Key) {
        while self.held + self.pending * BLOCK_SIZE > capacity {
            let oldest = self
                .slots
                .iter()
                .filter_map(|(key, slot)| match slot {
                    Slot::Ready { last_use, .. } if *key != keep => Some((*last_use, *key)),
                    _ => None,
                })
                .min();
            let Some((_, key)) = oldest else { return };
            if let Some(Slot::Ready { bytes, .. }) = self.slots.remove(&key) {
                self.held -= weight(bytes.as_deref());
                bytes.into_iter().for_each(take_back);
            }
        }
    }
}

/// What a slot counts against the capacity: a block of zeroes costs its entry only.
fn weight(bytes: Option<&[u8]>) -> u64 {
    bytes.map_or(0, <[u8]>::len) as u64 + 128
}

/// A device read through a [`BlockCache`], which notes what was read.
pub struct CachedSource {
    cache: Arc<BlockCache>,
    fetcher: Arc<dyn BlockFetcher>,
    id: usize,
    read_set: Arc<ReadSet>,
}

impl CachedSource {
    /// The blocks that were read through this device.
    pub fn read_set(&self) -> Arc<ReadSet> {
        self.read_set.clone()
    }
}

impl BlockSource for CachedSource {
    fn size(&self) -> u64 {
        self.fetcher.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size(), offset, out.len())?;
        let end = offset + out.len() as u64;
        if out.is_empty() {
            return Ok(());
        }
        // A read larger than the cache must not push out its own first blocks: go in strides.
        let stride = (self.cache.capacity / BLOCK_SIZE / 2).max(1);
        let (first, last) = (offset / BLOCK_SIZE, (end - 1) / BLOCK_SIZE);
        let mut block = first;
        while block <= last {
            let stop = last.min(block + stride - 1);
            for index in block..=stop {
                self.cache.start(&self.fetcher, (self.id, index), Ahead::No);
            }
            for index in block..=stop {
                let bytes = self.cache.wait(&self.fetcher, (self.id, index))?;
                self.read_set.insert(index);
                copy_block(index, bytes.as_deref(), offset, out)?;
            }
            block = stop + 1;
        }
        Ok(())
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        let size = self.size();
        let most = self.cache.most_ahead();
        let mut last = u64::MAX;
        let blocks = ranges
            .iter()
            .map(|range| range.start..range.end.min(size))
            .filter(|range| range.start < range.end)
            .flat_map(|range| range.start / BLOCK_SIZE..=(range.end - 1) / BLOCK_SIZE)
            // Ranges come in the order of the device, many of them in one block.
            .filter(|block| std::mem::replace(&mut last, *block) != *block)
            .take(usize::try_from(most).unwrap_or(usize::MAX));
        for block in blocks {
            self.cache.start(&self.fetcher, (self.id, block), Ahead::Yes);
        }
    }
}

/// Copies the part of `block` that a read of `out.len()` bytes from `offset` wants.
fn copy_block(
    block: u64,
    bytes: Option<&[u8]>,
    offset: u64,
    out: &mut [u8],
) -> Result<(), ReadError> {
    let start = block * BLOCK_SIZE;
    let from = offset.max(start);
    let to = (offset + out.len() as u64).min(start + BLOCK_SIZE);
    let target = &mut out[(from - offset) as usize..(to - offset) as usize];
    match bytes {
        None => target.fill(0),
        Some(bytes) => {
            let part = bytes.get((from - start) as usize..(to - start) as usize);
            target.copy_from_slice(
                part.ok_or_else(|| ReadError::failed(offset, "the source gave a short block"))?,
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Blocks of their own index, delivered by a thread each; even ones are zeroes.
    struct Counting {
        blocks: u64,
        fetches: AtomicUsize,
        gate: Option<Arc<Barrier>>,
    }

    impl BlockFetcher for Counting {
        fn size(&self) -> u64 {
            self.blocks * BLOCK_SIZE - 100
        }

        fn fetch(&self, block: u64, done: Done) {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            let gate = self.gate.clone();
            std::thread::spawn(move || {
                if let Some(gate) = gate {
                    gate.wait();
                }
                let bytes = (block % 2 == 1).then(|| vec![block as u8; BLOCK_SIZE as usize].into());
                done(Ok(bytes));
            });
        }
    }

    fn counting(blocks: u64, gate: Option<Arc<Barrier>>) -> Arc<Counting> {
        Arc::new(Counting { blocks, fetches: AtomicUsize::new(0), gate })
    }

    #[test]
    fn a_read_over_blocks_is_stitched_and_noted() {
        let device = BlockCache::new(8 * BLOCK_SIZE).device(counting(4, None));
        let mut out = vec![7; BLOCK_SIZE as usize + 2];
        device.read_exact_at(BLOCK_SIZE - 1, &mut out).unwrap();
        assert_eq!((out[0], out[1], out[BLOCK_SIZE as usize + 1]), (0, 1, 0));
        assert_eq!(device.read_set().blocks(), [0, 1, 2]);
        assert!(device.read_exact_at(4 * BLOCK_SIZE - 100, &mut out[..1]).is_err());
    }

    #[test]
    fn ten_waiting_readers_mean_ten_fetches_in_flight() {
        // The gate opens only when all ten fetches are under way at once.
        let fetcher = counting(20, Some(Arc::new(Barrier::new(10))));
        let device = BlockCache::new(64 * BLOCK_SIZE).device(fetcher.clone());
        std::thread::scope(|scope| {
            for index in 0..10 {
                let device = &device;
                scope.spawn(move || device.read_exact_at(index * BLOCK_SIZE, &mut [0; 8]));
            }
        });
        assert_eq!(fetcher.fetches.load(Ordering::SeqCst), 10);
    }

    #[test]
    fn a_read_larger_than_the_cache_is_whole_and_memory_is_bounded() {
        let cache = BlockCache::new(4 * BLOCK_SIZE);
        let device = cache.device(counting(32, None));
        let mut out = vec![9; 31 * BLOCK_SIZE as usize];
        device.read_exact_at(0, &mut out).unwrap();
        assert_eq!((out[30 * BLOCK_SIZE as usize], out[29 * BLOCK_SIZE as usize]), (0, 29));
        assert!(cache.lock().held <= 4 * BLOCK_SIZE);
    }

    #[test]
    fn a_second_reader_of_a_block_fetches_nothing() {
        let fetcher = counting(4, None);
        let device = BlockCache::new(16 * BLOCK_SIZE).device(fetcher.clone());
        device.will_need(&[0..10, 2 * BLOCK_SIZE..2 * BLOCK_SIZE + 1, 3 * BLOCK_SIZE..u64::MAX]);
        device.read_exact_at(0, &mut vec![0; 2 * BLOCK_SIZE as usize]).unwrap();
        device.read_exact_at(5, &mut [0]).unwrap();
        assert_eq!(fetcher.fetches.load(Ordering::SeqCst), 4);
    }
}
