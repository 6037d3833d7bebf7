//! `ListSnapshotBlocks`.

use serde::Serialize;

use crate::{
    api::{page::PageRequest, reply::Reply, route::Target},
    error::{ApiError, ErrorKind},
    image::BLOCK_SIZE,
    plan::Plan,
    state::{Caller, State},
    token::Purpose,
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    blocks: Vec<Block>,
    expiry_time: u64,
    volume_size: u64,
    block_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
    block_index: u64,
    block_token: String,
}

pub(crate) fn perform(
    state: &State,
    plan: &Plan,
    target: &Target,
    caller: &Caller,
) -> Result<Reply, ApiError> {
    let served = state.readable(&target.snapshot, caller)?;
    let request = PageRequest::parse(state, &target.query, Purpose::Page, served.id())?;
    let expiry = Expiry::of(state, plan);
    let token = |index| state.tokens.mint(Purpose::Block, served.id(), index, expiry.block);
    let block = |index| Block { block_index: index, block_token: token(index) };
    let indexes = served.image.allocated_from(request.start).iter();
    let page = request
        .cut(plan, indexes.map(|index| Ok((*index, *index))))
        .map_err(|_| ErrorKind::InternalServer)?;
    let next = |index| state.tokens.mint(Purpose::Page, served.id(), index, expiry.page);
    Reply::json(&Listing {
        blocks: page.entries.into_iter().map(block).collect(),
        expiry_time: expiry.block,
        volume_size: served.volume_gib(),
        block_size: BLOCK_SIZE,
        next_token: page.next.map(next),
    })
}

/// When the tokens of a page end, in seconds since 1970.
pub(crate) struct Expiry {
    pub(crate) block: u64,
    pub(crate) page: u64,
}

impl Expiry {
    pub(crate) fn of(state: &State, plan: &Plan) -> Self {
        let now = state.tokens.now();
        let life = plan.faults.tokens;
        Self {
            block: now.saturating_add(life.block_seconds),
            page: now.saturating_add(life.page_seconds),
        }
    }
}
