//! How a listing is cut into pages, and where a page starts.

use std::io;

use crate::{
    api::route::Query,
    error::{ApiError, ErrorKind},
    plan::Plan,
    state::State,
    token::{Purpose, Refusal},
};

/// `MaxResults`, by the service model.
const MAX_RESULTS: std::ops::RangeInclusive<usize> = 100..=10_000;

/// Which page is asked for.
#[derive(Debug)]
pub(crate) struct PageRequest {
    pub(crate) start: u64,
    limit: usize,
}

/// Some entries of a listing, and the index to go on from, if it goes on.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    pub(crate) next: Option<u64>,
}

impl PageRequest {
    /// Reads and checks `maxResults`, `pageToken` and `startingBlockIndex`.
    ///
    /// A page token together with a starting index is refused. (The API reference says
    /// that the index is then ignored; being stricter finds clients that rely on it.)
    pub(crate) fn parse(
        state: &State,
        query: &Query,
        purpose: Purpose,
        scope: &str,
    ) -> Result<Self, ApiError> {
        let limit = limit(query)?;
        let start = match (query.get("pageToken"), query.get("startingBlockIndex")) {
            (None, None) => 0,
            (None, Some(start)) => index(start)?,
            (Some(token), None) => {
                let checked = state.tokens.check(purpose, scope, token, None);
                checked.map_err(page_token_error)?
            }
            (Some(_), Some(_)) => {
                return Err(invalid("pageToken and startingBlockIndex exclude each other"));
            }
        };
        Ok(Self { start, limit })
    }

    /// Takes the page's entries from all of the listing's from `start` on.
    pub(crate) fn cut<T>(
        &self,
        plan: &Plan,
        mut entries: impl Iterator<Item = io::Result<(u64, T)>>,
    ) -> io::Result<Page<T>> {
        if plan.page_is_empty() {
            return Ok(Page { entries: Vec::new(), next: Some(self.start) });
        }
        let pages = plan.faults.pages;
        let limit = pages.short.map_or(self.limit, |short| self.limit.min(short.max(1)));
        let mut page = Page { entries: Vec::new(), next: None };
        let mut last = None;
        for entry in entries.by_ref() {
            let (index, entry) = entry?;
            if page.entries.len() == limit {
                page.next = Some(index);
                break;
            }
            page.entries.push(entry);
            last = Some(index);
        }
        if page.next.is_none() && pages.empty_last {
            page.next = last.map(|last| last + 1);
        }
        Ok(page)
    }
}

fn limit(query: &Query) -> Result<usize, ApiError> {
    let Some(text) = query.get("maxResults") else { return Ok(*MAX_RESULTS.end()) };
    let limit = text.parse().ok().filter(|limit| MAX_RESULTS.contains(limit));
    limit.ok_or_else(|| invalid("maxResults is not from 100 to 10000"))
}

fn index(text: &str) -> Result<u64, ApiError> {
    let index = text.parse::<i32>().ok().and_then(|index| u64::try_from(index).ok());
    index.ok_or_else(|| invalid("startingBlockIndex is not a block index"))
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(ErrorKind::InvalidParameterValue, message)
}

fn page_token_error(refusal: Refusal) -> ApiError {
    let message = match refusal {
        Refusal::Wrong | Refusal::UsedUp => "The page token is not valid.",
        Refusal::Expired => "The page token has expired.",
    };
    ApiError::new(ErrorKind::InvalidPageToken, message)
}
