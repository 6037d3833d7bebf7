//! `GetSnapshotBlock`.

use crate::{
    api::{
        reply::{BlockReply, Reply},
        route::Target,
    },
    error::{ApiError, ErrorKind},
    plan::Plan,
    snapshot::Served,
    state::{Caller, State},
    token::{Purpose, Refusal},
};

/// A block that is not allocated has no token, so asking for it with any other is
/// `INVALID_BLOCK_TOKEN`; an index past the volume's end is `INVALID_BLOCK`.
pub(crate) fn perform(
    state: &State,
    plan: &Plan,
    target: &Target,
    block: &str,
    caller: &Caller,
) -> Result<Reply, ApiError> {
    let served = state.readable(&target.snapshot, caller)?;
    let index = block.parse().ok().filter(|index| *index < served.block_count());
    let index = index.ok_or(ErrorKind::InvalidBlock)?;
    let token = target.query.get("blockToken").unwrap_or_default();
    check_token(state, plan, &served, index, token)?;
    let block = served.image.block(index).map_err(|_| ErrorKind::InternalServer)?;
    let (data, checksum) = block.ok_or(ErrorKind::InvalidBlock)?;
    let snapshot = served.id().to_owned();
    Ok(Reply::Block(BlockReply { snapshot, index, data, checksum }))
}

fn check_token(
    state: &State,
    plan: &Plan,
    served: &Served,
    index: u64,
    token: &str,
) -> Result<(), ApiError> {
    let uses = plan.faults.tokens.block_uses;
    let message = match state.tokens.check(Purpose::Block, served.id(), token, uses) {
        Ok(bound) if bound == index => return Ok(()),
        Ok(_) => "The block token is of another block.",
        Err(Refusal::Wrong) => "The block token is not valid.",
        Err(Refusal::Expired) => "The block token has expired.",
        Err(Refusal::UsedUp) => "The block token has been used too often.",
    };
    Err(ApiError::new(ErrorKind::InvalidBlockToken, message))
}
