//! EBS snapshots, read block by block through the EBS direct APIs
//! (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-accessing-snapshot.html>).
//!
//! Only blocks that a reader asks for are fetched, many at once; a block that the snapshot does
//! not list is zeroes and costs no call. Refused: snapshots that are not completed, and blocks
//! of another size than 512 KiB.

mod api;
mod chunk;
mod error;
mod limiter;
mod listing;
mod retry;
mod usage;

pub use error::Error;
pub use usage::Usage;

use crate::aws::{self, Connection};
use crate::block::{BLOCK_SIZE, BlockFetcher, Done, ReadError};
use api::{Api, Start};
use aws_config::retry::RetryConfig;
use limiter::Limiter;
use listing::Listing;
use retry::Class;
use std::future::Future;
use std::sync::{Arc, mpsc};
use tokio::runtime::{Handle, Runtime};
use usage::Meter;

/// How often the token of one block is listed again before its read fails.
const REFRESHES: usize = 3;
/// Listings of up to so many chunks are completed in the background.
const BACKGROUND_CHUNKS: usize = 32;
/// `GetSnapshotBlock` calls per second of an account and of a snapshot.
const GETS_PER_SECOND: f64 = 1000.0;
/// `ListSnapshotBlocks` calls per second of an account.
const LISTS_PER_SECOND: f64 = 50.0;
/// The most calls in flight, per account and per snapshot.
const IN_FLIGHT: u32 = 64;

/// One AWS account in one region: the client, its threads, and what all snapshots share.
///
/// When the last share is dropped its threads end; fetches still under way end with an error.
pub struct Account {
    threads: Arc<Threads>,
    shared: Arc<Shared>,
    meter: Arc<Meter>,
}

struct Threads(Option<Runtime>);

/// What the snapshots of an account share.
struct Shared {
    client: aws_sdk_ebs::Client,
    region: String,
    gets: Limiter,
    lists: Limiter,
}

impl Account {
    /// Finds region and credentials as every AWS tool does, and starts the threads.
    ///
    /// `region` goes over `AWS_REGION` and the profile. Endpoints are taken from
    /// `AWS_ENDPOINT_URL_EBS` and `AWS_ENDPOINT_URL`.
    pub fn connect(region: Option<&str>) -> Result<Self, Error> {
        let runtime = aws::runtime("ebs-snapshot")?;
        let region = region.map(str::to_owned);
        let connection =
            wait(&runtime.handle().clone(), async move { aws::connect(region).await })??;
        Ok(Self::on(Threads(Some(runtime)), connection))
    }

    /// As [`Account::connect`], over a connection that is there already.
    pub fn over(connection: Connection) -> Result<Self, Error> {
        Ok(Self::on(Threads(Some(aws::runtime("ebs-snapshot")?)), connection))
    }

    fn on(threads: Threads, connection: Connection) -> Self {
        let Connection { config, region } = connection;
        // The SDK's own retries are off: they know neither throttle reasons nor damaged blocks.
        let config = aws_sdk_ebs::config::Builder::from(&config)
            .retry_config(RetryConfig::disabled())
            .build();
        let shared = Shared {
            client: aws_sdk_ebs::Client::from_conf(config),
            region,
            gets: Limiter::new(IN_FLIGHT, GETS_PER_SECOND),
            lists: Limiter::new(IN_FLIGHT, LISTS_PER_SECOND),
        };
        Self { threads: threads.into(), shared: shared.into(), meter: Arc::default() }
    }

    /// The same account, its limits shared, with counts of its own: one for each scan. What it
    /// counts is counted here too.
    pub fn share(&self) -> Self {
        let (threads, shared) = (self.threads.clone(), self.shared.clone());
        Self { threads, shared, meter: Arc::new(Meter::part_of(&self.meter)) }
    }

    /// Opens a completed snapshot with one listing call.
    pub fn snapshot(&self, id: &str) -> Result<Arc<Snapshot>, Error> {
        check_id(id)?;
        let handle = self.threads.handle()?;
        let api = Arc::new(Api::new(self.shared.clone(), self.meter.clone(), id));
        wait(&handle.clone(), async move { Snapshot::open(api, handle).await })?.map(Arc::new)
    }

    /// The region that is asked.
    pub fn region(&self) -> &str {
        &self.shared.region
    }

    /// What the calls of this account, or share of it, came to so far.
    pub fn usage(&self) -> Usage {
        self.meter.usage()
    }
}

impl Threads {
    fn handle(&self) -> Result<Handle, Error> {
        self.0.as_ref().map(|runtime| runtime.handle().clone()).ok_or(Error::Closed)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A completed snapshot: a device whose blocks are fetched when they are asked for.
pub struct Snapshot {
    api: Arc<Api>,
    listing: Arc<Listing>,
    handle: Handle,
    bytes: u64,
}

impl Snapshot {
    /// Size of the volume that the snapshot is of.
    pub fn volume_bytes(&self) -> u64 {
        self.bytes
    }

    /// Blocks of 512 KiB that the snapshot holds; the others are zeroes.
    ///
    /// Waits for the listing of volumes of up to 320,000 blocks (156 GiB). `None` for larger
    /// ones that were not listed wholly, and where the listing failed.
    pub fn allocated_blocks(&self) -> Option<u64> {
        if self.listing.chunks() <= BACKGROUND_CHUNKS {
            let listing = self.listing.clone();
            wait(&self.handle, async move { listing.complete().await }).ok()?.ok()?;
        }
        self.listing.allocated()
    }

    async fn open(api: Arc<Api>, handle: Handle) -> Result<Self, Error> {
        let page = api.list(&Start::Index(0)).await.map_err(|failure| api.error(failure))?;
        let blocks = page.volume_blocks().map_err(|failure| api.error(failure))?;
        let listing = Arc::new(Listing::open(api.clone(), blocks, page).await?);
        if listing.chunks() <= BACKGROUND_CHUNKS {
            let listing = listing.clone();
            // A failure shows again where a block of that chunk is read.
            handle.spawn(async move { listing.complete().await.ok() });
        }
        Ok(Self { api, listing, handle, bytes: u64::from(blocks) * BLOCK_SIZE })
    }
}

impl Snapshot {
    /// Reads the first block that the snapshot holds; `false` if it holds none.
    pub fn first_block(&self) -> Result<bool, Error> {
        let (api, listing) = (self.api.clone(), self.listing.clone());
        wait(&self.handle, async move {
            let Some(block) = listing.first().await? else { return Ok(false) };
            read_block(&api, &listing, block).await.map(|bytes| bytes.is_some())
        })?
    }
}

impl BlockFetcher for Snapshot {
    fn size(&self) -> u64 {
        self.bytes
    }

    fn fetch(&self, block: u64, done: Done) {
        // The promise is kept even if the task is dropped with its runtime.
        let promise = Promise { block, done: Some(done) };
        let index = match u32::try_from(block) {
            Ok(index) if block < self.bytes / BLOCK_SIZE => index,
            _ => return promise.keep(Err(outside(block, self.bytes))),
        };
        let (api, listing) = (self.api.clone(), self.listing.clone());
        self.handle.spawn(async move {
            let outcome = read_block(&api, &listing, index).await;
            promise.keep(outcome.map_err(|error| ReadError::failed(block * BLOCK_SIZE, error)));
        });
    }
}

/// Reads a block; lists its token again if AWS no longer takes it.
async fn read_block(
    api: &Api,
    listing: &Arc<Listing>,
    block: u32,
) -> Result<Option<Arc<[u8]>>, Error> {
    let mut stale: Option<String> = None;
    let mut refreshed = 0;
    loop {
        let Some(token) = listing.token(block, stale.as_deref()).await? else { return Ok(None) };
        match api.get(block, &token).await {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(failure) if failure.class == Class::BlockToken && refreshed < REFRESHES => {
                refreshed += 1;
                stale = Some(token);
            }
            Err(failure) => return Err(api.block_error(block, failure)),
        }
    }
}

/// A callback that is called once in any case.
struct Promise {
    block: u64,
    done: Option<Done>,
}

impl Promise {
    fn keep(mut self, outcome: Result<Option<Arc<[u8]>>, ReadError>) {
        if let Some(done) = self.done.take() {
            done(outcome);
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            let offset = self.block.saturating_mul(BLOCK_SIZE);
            done(Err(ReadError::failed(offset, Error::Closed)));
        }
    }
}

fn outside(block: u64, size: u64) -> ReadError {
    ReadError::OutOfBounds { offset: block.saturating_mul(BLOCK_SIZE), length: BLOCK_SIZE, size }
}

/// Runs a future on the account's threads and waits for it, from any thread.
fn wait<T: Send + 'static>(
    handle: &Handle,
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::channel();
    handle.spawn(async move { sender.send(future.await).ok() });
    receiver.recv().map_err(|_| Error::Closed)
}

fn check_id(id: &str) -> Result<(), Error> {
    let digits = id.strip_prefix("snap-").unwrap_or_default();
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digits.is_empty() || digits.len() > 59 || !digits.bytes().all(hex) {
        return Err(Error::SnapshotId(id.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_snapshots_are_checked_before_any_call() {
        assert!(check_id("snap-0123456789abcdef0").is_ok());
        for id in ["", "snap-", "vol-0123", "snap-01/../x", "snap-XYZ", "0123"] {
            assert!(check_id(id).is_err(), "{id}");
        }
    }

    #[test]
    fn a_promise_that_is_dropped_is_kept_as_an_error() {
        let (sender, receiver) = mpsc::channel();
        let done: Done = Box::new(move |outcome| sender.send(outcome.is_err()).unwrap());
        drop(Promise { block: u64::MAX, done: Some(done) });
        assert_eq!(receiver.try_recv(), Ok(true));
    }
}
