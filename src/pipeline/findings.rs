//! Matches the packages of a scan with advisories.

use crate::advisory::store::{Store, StoreError};
use crate::matching;
use crate::model::{FeedState, Gap, GapReason, ScanReport};

/// What a report's packages are matched with.
pub enum Advisories {
    /// Nothing: only packages are wanted.
    Unwanted,
    /// Nothing, though findings are wanted: no feed was stored yet.
    Missing,
    /// The advisories of a store.
    Store(Store),
}

/// Matches the packages of a report; that there is nothing to match them with is a gap.
pub fn add_findings(report: &mut ScanReport, advisories: &Advisories) -> Result<(), StoreError> {
    match advisories {
        Advisories::Unwanted => {}
        Advisories::Missing => {
            let detail = "no advisory store, so nothing was matched: run sidelight feeds update";
            report.gaps.push(Gap::new("advisories", GapReason::NoVendorData, detail));
        }
        Advisories::Store(store) => match_with(report, store)?,
    }
    report.gaps.sort();
    Ok(())
}

fn match_with(report: &mut ScanReport, store: &Store) -> Result<(), StoreError> {
    for asset in &mut report.assets {
        let matched = matching::match_packages(store, &report.host.os, &asset.packages)?;
        asset.findings = matched.into_found(&mut report.gaps);
    }
    let feeds = store.feeds().into_iter();
    report.feeds = feeds
        .map(|feed| FeedState { name: feed.name, date: feed.date, sha256: feed.sha256 })
        .collect();
    Ok(())
}
