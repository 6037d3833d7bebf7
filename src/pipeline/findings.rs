//! Matches the packages of a scan with advisories.

use super::end_of_life;
use crate::advisory::feeds;
use crate::advisory::store::{FeedInfo, Store, StoreError};
use crate::matching;
use crate::model::{FeedState, Gap, GapReason, ScanReport};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// What a report's packages are matched with.
pub enum Advisories {
    /// Nothing: only packages are wanted.
    Unwanted,
    /// Nothing, though findings are wanted: no feed was stored yet.
    Missing,
    /// The advisories of a store.
    Store(Store),
}

/// Matches the packages of a report; what there is not to match them with is a gap. Says too until when
/// its system is supported, as seen from today.
pub fn add_findings(report: &mut ScanReport, advisories: &Advisories) -> Result<(), StoreError> {
    add_findings_on(report, advisories, Offset::UTC.to_datetime(Timestamp::now()).date())
}

/// As [`add_findings`], as seen from a day.
pub fn add_findings_on(
    report: &mut ScanReport,
    advisories: &Advisories,
    today: Date,
) -> Result<(), StoreError> {
    report.host.end_of_life = end_of_life::find(&report.host, advisories, today)?;
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
    let mut gaps = Vec::new();
    for asset in &mut report.assets {
        match &asset.container {
            None => {
                let matched = matching::match_packages(store, &report.host.os, &asset.packages)?;
                asset.findings = matched.into_found(&mut gaps);
            }
            // What has neither packages nor a system has nothing that advisories could be missing for.
            Some(_) if asset.packages.is_empty() => {}
            Some(context) => {
                let matched = matching::match_container(store, &context.os, &asset.packages)?;
                let who =
                    format!("{} {} {}", context.engine.as_str(), asset.kind.as_str(), asset.name);
                let of =
                    |gap: Gap| Gap::new(format!("{who}: {}", gap.place), gap.reason, gap.detail);
                asset.findings = matched.found;
                gaps.extend(matched.gaps.into_iter().map(of));
            }
        }
    }
    report.gaps.append(&mut gaps);
    for feed in store.feeds() {
        let FeedInfo { name, date, sha256, skipped, .. } = feed;
        // Nothing is matched with it.
        if name == feeds::end_of_life::NAME {
            continue;
        }
        if skipped > 0 {
            let detail = format!("{skipped} of its entries were not understood, so not matched");
            report.gaps.push(Gap::new(format!("feed {name}"), GapReason::Corrupt, detail));
        }
        report.feeds.push(FeedState { name, date, sha256, skipped });
    }
    Ok(())
}
