//! The two calls of the API, with every number and token of an answer checked.

use super::limiter::Limiter;
use super::retry::{Answer, Cause, Class, Failure, Gate, classify};
use super::usage::{Action, Meter};
use super::{Error, GETS_PER_SECOND, IN_FLIGHT, Shared};
use crate::aws::{chain, lacks_credentials};
use crate::block::{BLOCK_SIZE, room};
use aws_sdk_ebs::Error as ServiceError;
use aws_sdk_ebs::config::http::HttpResponse;
use aws_sdk_ebs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ebs::operation::get_snapshot_block::GetSnapshotBlockOutput;
use aws_sdk_ebs::primitives::ByteStream;
use aws_sdk_ebs::types::{
    Block, ChecksumAlgorithm, RequestThrottledExceptionReason, ResourceNotFoundExceptionReason,
    ServiceQuotaExceededExceptionReason, ValidationExceptionReason,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Entries asked for in one page, the most that the API gives.
const PAGE_ENTRIES: i32 = 10_000;
/// Blocks in a GiB, the unit of volume sizes.
const BLOCKS_PER_GIB: u32 = (1 << 30) / BLOCK_SIZE as u32;
/// 64 TiB, the largest volume that EBS has.
const MOST_GIB: u32 = 64 * 1024;

/// The calls for one snapshot.
pub(super) struct Api {
    shared: Arc<Shared>,
    meter: Arc<Meter>,
    id: String,
    gets: Limiter,
}

/// Where a page begins.
#[derive(Debug, Clone)]
pub(super) enum Start {
    Index(u32),
    Token(String),
}

/// One page of a listing.
pub(super) struct Page {
    pub(super) blocks: Vec<(u32, String)>,
    pub(super) next: Option<String>,
    volume_gib: Option<i64>,
    block_size: Option<i32>,
}

impl Page {
    /// Blocks of the volume, which must have a shape that is known here.
    pub(super) fn volume_blocks(&self) -> Result<u32, Failure> {
        let refuse = |detail| Failure::new(Class::Fatal, Cause::Unsupported, detail);
        if self.block_size.and_then(|size| u64::try_from(size).ok()) != Some(BLOCK_SIZE) {
            return Err(refuse(format!("blocks of {:?} bytes", self.block_size)));
        }
        let gib = self.volume_gib.and_then(|gib| u32::try_from(gib).ok());
        gib.filter(|gib| (1..=MOST_GIB).contains(gib))
            .map(|gib| gib * BLOCKS_PER_GIB)
            .ok_or_else(|| refuse(format!("a volume of {:?} GiB", self.volume_gib)))
    }
}

impl Api {
    pub(super) fn new(shared: Arc<Shared>, meter: Arc<Meter>, id: &str) -> Self {
        let gets = Limiter::new(IN_FLIGHT, GETS_PER_SECOND);
        Self { shared, meter, id: id.to_owned(), gets }
    }

    /// `ListSnapshotBlocks`: one page.
    pub(super) async fn list(&self, start: &Start) -> Result<Page, Failure> {
        let gate = Gate { account: &self.shared.lists, snapshot: None, meter: &self.meter };
        gate.call(Action::List, || self.list_once(start)).await
    }

    async fn list_once(&self, start: &Start) -> Result<Page, Failure> {
        let call = self.shared.client.list_snapshot_blocks();
        let call = call.snapshot_id(&self.id).max_results(PAGE_ENTRIES);
        let call = match start {
            Start::Index(0) => call,
            Start::Index(index) => call.starting_block_index(signed(*index)?),
            Start::Token(token) => call.next_token(token),
        };
        let page = call.send().await.map_err(failure)?;
        let blocks = page.blocks().iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Page {
            blocks,
            next: page.next_token().filter(|token| !token.is_empty()).map(str::to_owned),
            volume_gib: page.volume_size(),
            block_size: page.block_size(),
        })
    }

    /// `GetSnapshotBlock`: the bytes of a block, whole and with the right checksum.
    pub(super) async fn get(&self, block: u32, token: &str) -> Result<Arc<[u8]>, Failure> {
        let shared = &self.shared;
        let gate = Gate { account: &shared.gets, snapshot: Some(&self.gets), meter: &self.meter };
        gate.call(Action::Get, || self.get_once(block, token)).await
    }

    async fn get_once(&self, block: u32, token: &str) -> Result<Arc<[u8]>, Failure> {
        let call = self.shared.client.get_snapshot_block().snapshot_id(&self.id);
        let call = call.block_index(signed(block)?).block_token(token);
        let mut answer = call.send().await.map_err(failure)?;
        let (bytes, length) = self.body(std::mem::take(&mut answer.block_data)).await?;
        check_block(&answer, &bytes[..length])?;
        Ok(bytes)
    }

    /// The bytes of an answer, which is given up where it is longer than a block.
    /// Gives room for a whole block, which need not be copied again, and how much of it was filled.
    async fn body(&self, mut stream: ByteStream) -> Result<(Arc<[u8]>, usize), Failure> {
        let mut bytes = room();
        let mut length = 0;
        // The connection broke: unlike a wrong checksum, worth all attempts.
        let broken = |error: &_| Failure::new(Class::Transient, Cause::Damage, chain(error));
        while let Some(part) = stream.try_next().await.map_err(|error| broken(&error))? {
            self.meter.received(part.len());
            let room =
                Arc::get_mut(&mut bytes).and_then(|it| it.get_mut(length..length + part.len()));
            let Some(room) = room else {
                return Err(damaged(format!("more than the {BLOCK_SIZE} bytes of a block came")));
            };
            room.copy_from_slice(&part);
            length += part.len();
        }
        Ok((bytes, length))
    }

    /// The error of a failed listing.
    pub(super) fn error(&self, failure: Failure) -> Error {
        let (snapshot, region) = (self.id.clone(), self.shared.region.clone());
        let detail = failure.detail;
        match failure.cause {
            Cause::UnknownSnapshot => Error::UnknownSnapshot { snapshot, region, detail },
            Cause::AccessDenied => Error::AccessDenied { snapshot, detail },
            Cause::Key => Error::KeyDenied { snapshot, detail },
            Cause::State => Error::NotCompleted { snapshot, detail },
            Cause::Credentials => Error::RefusedCredentials(detail),
            Cause::Network => Error::Unreachable { region, detail },
            Cause::Throttle => Error::Throttled { snapshot, detail },
            Cause::Unsupported => Error::Unsupported { snapshot, detail },
            Cause::Damage | Cause::Other => Error::Service { snapshot, detail },
        }
    }

    /// The error of a failed block.
    pub(super) fn block_error(&self, block: u32, failure: Failure) -> Error {
        let Failure { class, cause, detail } = failure;
        match cause {
            Cause::Damage => Error::DamagedBlock { snapshot: self.id.clone(), block, detail },
            _ => self.error(Failure::new(class, cause, format!("block {block}: {detail}"))),
        }
    }
}

fn signed(index: u32) -> Result<i32, Failure> {
    let refuse = |_| Failure::new(Class::Fatal, Cause::Other, "a block index is out of range");
    i32::try_from(index).map_err(refuse)
}

fn entry(block: &Block) -> Result<(u32, String), Failure> {
    let index = block.block_index().and_then(|index| u32::try_from(index).ok());
    let token = block.block_token().map(str::to_owned);
    index.zip(token).ok_or_else(|| {
        Failure::new(Class::Fatal, Cause::Other, "the listing has a block without index or token")
    })
}

fn check_block(answer: &GetSnapshotBlockOutput, bytes: &[u8]) -> Result<(), Failure> {
    let length = bytes.len() as u64;
    let said = answer.data_length().and_then(|said| u64::try_from(said).ok());
    if length != BLOCK_SIZE || said != Some(length) {
        return Err(damaged(format!("{length} bytes came, the answer says {said:?}")));
    }
    if answer.checksum_algorithm() != Some(&ChecksumAlgorithm::ChecksumAlgorithmSha256) {
        return Err(damaged("it has no SHA-256 checksum"));
    }
    let sum = aws_smithy_types::base64::encode(Sha256::digest(bytes));
    if answer.checksum() != Some(&sum) {
        return Err(damaged("its checksum does not match"));
    }
    Ok(())
}

fn damaged(detail: impl Into<String>) -> Failure {
    Failure::new(Class::Damaged, Cause::Damage, detail)
}

/// Sorts an error of the SDK.
fn failure<E>(error: SdkError<E, HttpResponse>) -> Failure
where
    E: std::error::Error + Send + Sync + 'static,
    ServiceError: From<E>,
{
    let detail = chain(&error);
    if lacks_credentials(&error) {
        return Failure::new(Class::Unsent, Cause::Credentials, detail);
    }
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            service_failure(status, &ServiceError::from(answer.into_err()))
        }
        SdkError::ConstructionFailure(_) => Failure::new(Class::Fatal, Cause::Other, detail),
        SdkError::DispatchFailure(inner) if inner.is_user() => {
            Failure::new(Class::Fatal, Cause::Network, detail)
        }
        _ => Failure::new(Class::Transient, Cause::Network, detail),
    }
}

fn service_failure(status: u16, error: &ServiceError) -> Failure {
    let reason = match error {
        ServiceError::AccessDeniedException(e) => Some(e.reason().as_str()),
        ServiceError::RequestThrottledException(e) => {
            e.reason().map(RequestThrottledExceptionReason::as_str)
        }
        ServiceError::ResourceNotFoundException(e) => {
            e.reason().map(ResourceNotFoundExceptionReason::as_str)
        }
        ServiceError::ServiceQuotaExceededException(e) => {
            e.reason().map(ServiceQuotaExceededExceptionReason::as_str)
        }
        ServiceError::ValidationException(e) => e.reason().map(ValidationExceptionReason::as_str),
        _ => None,
    };
    classify(Answer {
        status,
        code: error.code().unwrap_or("unknown error"),
        reason,
        message: error.message().unwrap_or("no message"),
    })
}
