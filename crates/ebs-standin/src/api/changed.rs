//! `ListChangedBlocks`: which blocks of the second snapshot are not those of the first.
//!
//! Without `firstSnapshotId` every block of the second is a change. A block that is only
//! in the first has only a `FirstBlockToken`.

use std::{io, iter};

use serde::Serialize;

use crate::{
    api::{list::Expiry, page::PageRequest, reply::Reply, route::Target},
    error::{ApiError, ErrorKind},
    image::{BLOCK_SIZE, Image},
    plan::Plan,
    snapshot::Served,
    state::{Caller, State},
    token::Purpose,
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Changes {
    changed_blocks: Vec<ChangedBlock>,
    expiry_time: u64,
    volume_size: u64,
    block_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangedBlock {
    block_index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_block_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_block_token: Option<String>,
}

/// A block that differs, and on which sides it is.
struct Change {
    index: u64,
    in_first: bool,
    in_second: bool,
}

pub(crate) fn perform(
    state: &State,
    plan: &Plan,
    target: &Target,
    caller: &Caller,
) -> Result<Reply, ApiError> {
    let second = state.readable(&target.snapshot, caller)?;
    let first = target.query.get("firstSnapshotId");
    let first = first.map(|id| state.readable(id, caller)).transpose()?;
    if first.as_ref().is_some_and(|first| !first.is_related_to(&second)) {
        return Err(ErrorKind::UnrelatedSnapshots.into());
    }
    let first = first.as_deref();
    let scope = format!("{}|{}", first.map_or("", Served::id), second.id());
    let request = PageRequest::parse(state, &target.query, Purpose::ChangedPage, &scope)?;
    let page = request
        .cut(plan, changes(first.map(|first| &*first.image), &second.image, request.start))
        .map_err(|_| ErrorKind::InternalServer)?;
    let expiry = Expiry::of(state, plan);
    let next = |index| state.tokens.mint(Purpose::ChangedPage, &scope, index, expiry.page);
    let entry = |change: Change| entry(state, first, &second, &change, expiry.block);
    Reply::json(&Changes {
        changed_blocks: page.entries.into_iter().map(entry).collect(),
        expiry_time: expiry.block,
        volume_size: second.volume_gib(),
        block_size: BLOCK_SIZE,
        next_token: page.next.map(next),
    })
}

fn entry(
    state: &State,
    first: Option<&Served>,
    second: &Served,
    change: &Change,
    expires: u64,
) -> ChangedBlock {
    let token =
        |served: &Served| state.tokens.mint(Purpose::Block, served.id(), change.index, expires);
    ChangedBlock {
        block_index: change.index,
        first_block_token: first.filter(|_| change.in_first).map(token),
        second_block_token: Some(second).filter(|_| change.in_second).map(token),
    }
}

fn changes(
    first: Option<&Image>,
    second: &Image,
    start: u64,
) -> impl Iterator<Item = io::Result<(u64, Change)>> {
    let before = first.map_or(&[][..], |image| image.allocated_from(start));
    let after = second.allocated_from(start);
    union(before, after).filter_map(move |(index, in_first, in_second)| {
        let change = Change { index, in_first, in_second };
        match (first.filter(|_| in_first && in_second)).map(|first| same(first, second, index)) {
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(true)) => None,
            Some(Ok(false)) | None => Some(Ok((index, change))),
        }
    })
}

fn same(first: &Image, second: &Image, index: u64) -> io::Result<bool> {
    Ok(first.checksum(index)? == second.checksum(index)?)
}

/// All indexes of two ascending lists, ascending, and in which of them each is.
fn union(mut a: &[u64], mut b: &[u64]) -> impl Iterator<Item = (u64, bool, bool)> {
    iter::from_fn(move || {
        let index = match (a.first(), b.first()) {
            (Some(a), Some(b)) => *a.min(b),
            (a, b) => *a.or(b)?,
        };
        let in_a = a.split_off_first_if(index);
        let in_b = b.split_off_first_if(index);
        Some((index, in_a, in_b))
    })
}

trait SplitOffFirst {
    /// Removes the first element if it is `index`; says whether it was.
    fn split_off_first_if(&mut self, index: u64) -> bool;
}

impl SplitOffFirst for &[u64] {
    fn split_off_first_if(&mut self, index: u64) -> bool {
        let is_first = self.first() == Some(&index);
        if is_first {
            *self = &self[1..];
        }
        is_first
    }
}
