//! Until when a host's system is supported: by the store's feed, or by the table of this program where that is
//! newer or alone in knowing the release.

use super::Advisories;
use crate::advisory::store::{Store, StoreError};
use crate::host::end_of_life::{Known, built_in, of_host, release};
use crate::model::{EndOfLife, HostContext};
use jiff::civil::Date;

/// What is known, as seen from a day.
pub fn find(
    host: &HostContext,
    advisories: &Advisories,
    today: Date,
) -> Result<Option<EndOfLife>, StoreError> {
    let Some((id, release)) = release(host) else { return Ok(None) };
    let stored = match advisories {
        Advisories::Store(store) => stored(store, &id, &release)?,
        _ => None,
    };
    let known = match (stored, built_in(&id, &release)) {
        (Some(stored), Some(built_in)) if stored.date < built_in.date => Some(built_in),
        (stored, built_in) => stored.or(built_in),
    };
    Ok(known.and_then(|known| of_host(host, known, today)))
}

fn stored(store: &Store, id: &str, release: &str) -> Result<Option<Known>, StoreError> {
    let found = store.support(id, release)?;
    Ok(found.map(|(feed, cycle)| {
        let date = feed.date.get(..10).unwrap_or_default().to_owned();
        Known { cycle, source: feed.source.clone(), date }
    }))
}
