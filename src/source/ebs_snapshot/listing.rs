//! Which blocks a snapshot holds, listed in chunks of 10,000 indexes when first needed.
//!
//! A chunk is listed by one task at a time, whose outcome all that wait share. A page that
//! reaches over later chunks fills them too, so that sparse volumes need few calls.

use super::Error;
use super::api::{Api, Page, Start};
use super::chunk::{CHUNK_BLOCKS, Chunk, Found};
use super::retry::{Cause, Class, Failure};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Pages without a new block, one after the other, before a listing is given up.
const IDLE_PAGES: u32 = 100;
/// Listings that a reader waits for before it takes a token as it is.
const ROUNDS: u32 = 3;

type Outcome = Option<Result<(), Error>>;

/// The listing of a snapshot.
pub(super) struct Listing {
    api: Arc<Api>,
    volume: u32,
    slots: Mutex<Vec<Slot>>,
}

#[derive(Default)]
struct Slot {
    ready: Option<Arc<Chunk>>,
    running: Option<watch::Receiver<Outcome>>,
    /// The first block whose token is known to be stale.
    stale_from: Option<u32>,
}

enum Look {
    Ready(Arc<Chunk>),
    Wait(watch::Receiver<Outcome>),
}

impl Listing {
    /// Starts with the first page of a volume of `volume` blocks.
    pub(super) async fn open(api: Arc<Api>, volume: u32, first: Page) -> Result<Self, Error> {
        let chunks = volume.div_ceil(CHUNK_BLOCKS) as usize;
        let slots = std::iter::repeat_with(Slot::default).take(chunks).collect();
        let listing = Self { api, volume, slots: Mutex::new(slots) };
        let found = listing.walk(0, 0, Some(first)).await;
        let found = found.map_err(|failure| listing.api.error(failure))?;
        listing.store(0, 0, &found);
        Ok(listing)
    }

    /// Number of chunks.
    pub(super) fn chunks(&self) -> usize {
        self.lock().len()
    }

    /// Blocks that the snapshot holds; `None` while some chunk is not listed.
    pub(super) fn allocated(&self) -> Option<u64> {
        self.lock().iter().map(|slot| slot.ready.as_ref().map(|chunk| chunk.len())).sum()
    }

    /// The first block that the snapshot holds.
    pub(super) async fn first(self: &Arc<Self>) -> Result<Option<u32>, Error> {
        for chunk in 0..self.chunks() {
            self.token(chunk as u32 * CHUNK_BLOCKS, None).await?;
            let ready = self.lock()[chunk].ready.clone();
            if let Some(first) = ready.and_then(|chunk| chunk.first()) {
                return Ok(Some(first));
            }
        }
        Ok(None)
    }

    /// Lists every chunk that is not listed.
    pub(super) async fn complete(self: Arc<Self>) -> Result<(), Error> {
        for chunk in 0..self.chunks() {
            self.token(chunk as u32 * CHUNK_BLOCKS, None).await?;
        }
        Ok(())
    }

    /// The token of a block, another one than `stale` if AWS has another; `None` for zeroes.
    pub(super) async fn token(
        self: &Arc<Self>,
        block: u32,
        stale: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let mut stale = stale;
        for round in 0.. {
            if round == ROUNDS {
                stale = None;
            }
            match self.look(block, stale) {
                Look::Ready(chunk) => return Ok(chunk.token(block).map(str::to_owned)),
                Look::Wait(mut running) => {
                    let outcome = running.wait_for(Option::is_some).await;
                    outcome.map_err(|_| Error::Closed)?.clone().unwrap_or(Ok(()))?;
                }
            }
        }
        Err(Error::Closed)
    }

    /// The chunk of a block, or its listing, which is started if none runs.
    fn look(self: &Arc<Self>, block: u32, stale: Option<&str>) -> Look {
        let index = block / CHUNK_BLOCKS;
        let mut slots = self.lock();
        let slot = &mut slots[index as usize];
        let mut start = index * CHUNK_BLOCKS;
        if let Some(chunk) = &slot.ready {
            if stale.is_none() || chunk.token(block) != stale {
                return Look::Ready(chunk.clone());
            }
            start = slot.stale_from.map_or(block, |from| from.min(block));
            slot.stale_from = Some(start);
        }
        if let Some(running) = &slot.running {
            return Look::Wait(running.clone());
        }
        let (sender, running) = watch::channel(None);
        slot.running = Some(running.clone());
        slot.stale_from = None;
        let listing = self.clone();
        tokio::spawn(async move { listing.run(index, start, &sender).await });
        Look::Wait(running)
    }

    /// Lists a chunk from a block on and tells those who wait.
    async fn run(&self, chunk: u32, start: u32, sender: &watch::Sender<Outcome>) {
        let outcome = match self.walk(chunk, start, None).await {
            Ok(found) => {
                self.store(chunk, start, &found);
                Ok(())
            }
            Err(failure) => Err(self.api.error(failure)),
        };
        self.lock()[chunk as usize].running = None;
        sender.send_replace(Some(outcome));
    }

    /// Follows the pages from `start` to the end of a chunk.
    async fn walk(&self, chunk: u32, start: u32, first: Option<Page>) -> Result<Found, Failure> {
        let end = self.end_of(chunk);
        let mut found = Found::from(start);
        let mut from = Start::Index(start);
        let mut page = first;
        let mut idle = 0;
        while found.known_to < end {
            let next = match page.take() {
                Some(page) => Ok(page),
                None => self.api.list(&from).await,
            };
            let before = found.known_to;
            match next {
                Ok(page) => {
                    found.add(page.blocks, self.volume)?;
                    match page.next {
                        Some(token) => from = Start::Token(token),
                        None => found.known_to = self.volume,
                    }
                }
                Err(failure) if failure.class == Class::PageToken => {
                    from = Start::Index(found.known_to);
                }
                Err(failure) => return Err(failure),
            }
            idle = if found.known_to == before { idle + 1 } else { 0 };
            if idle > IDLE_PAGES {
                let detail = format!("the listing does not get past block {before}");
                return Err(Failure::new(Class::Fatal, Cause::Other, detail));
            }
        }
        Ok(found)
    }

    /// Keeps what a walk from `start` found: its own chunk, and later ones that it covers.
    fn store(&self, chunk: u32, start: u32, found: &Found) {
        let mut slots = self.lock();
        for (index, slot) in (0..).zip(slots.iter_mut()).skip(chunk as usize) {
            let end = self.end_of(index);
            if end > found.known_to {
                break;
            }
            let blocks = found.range(index * CHUNK_BLOCKS, end);
            if index == chunk {
                let old = slot.ready.take().unwrap_or_default();
                slot.ready = Some(Arc::new(old.with_tail(start, blocks)));
            } else if slot.ready.is_none() {
                slot.ready = Some(Arc::new(Chunk::default().with_tail(0, blocks)));
            }
        }
    }

    /// The index after the last of a chunk.
    fn end_of(&self, chunk: u32) -> u32 {
        (chunk + 1).saturating_mul(CHUNK_BLOCKS).min(self.volume)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
