//! Debian's security tracker, <https://security-tracker.debian.org/tracker/data/json>: source
//! package → CVE → releases → state of the fix.
//!
//! The file has some 70 MB, so it is read entry by entry. Unknown fields are ignored; an entry of
//! another shape is left out and counted. Entries with status `undetermined` state nothing.

mod stream;

use super::{AdvisoryFeed, FeedError, Record, Release, Summary, is_token};
use crate::model::{Advisory, AffectedRange, Severity, Status};
use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use stream::Sources;

const DISTRO: &str = "debian";

/// The feed.
pub struct Debian;

impl AdvisoryFeed for Debian {
    fn name(&self) -> &'static str {
        "debian"
    }

    fn url(&self) -> &'static str {
        "https://security-tracker.debian.org/tracker/data/json"
    }

    fn parse(
        &self,
        input: &mut dyn Read,
        sink: &mut dyn FnMut(Record),
    ) -> Result<Summary, FeedError> {
        let mut tracker = Tracker { sink, summary: Summary::default() };
        let mut json = serde_json::Deserializer::from_reader(BufReader::new(input));
        json.deserialize_map(Sources(&mut tracker))?;
        json.end()?;
        Ok(tracker.summary)
    }
}

#[derive(Deserialize)]
struct Vulnerability<'a> {
    #[serde(borrow)]
    releases: BTreeMap<String, &'a RawValue>,
}

#[derive(Deserialize)]
struct State {
    status: String,
    fixed_version: Option<String>,
    urgency: Option<String>,
    nodsa: Option<String>,
    nodsa_reason: Option<String>,
}

struct Tracker<'a> {
    sink: &'a mut dyn FnMut(Record),
    summary: Summary,
}

impl Tracker<'_> {
    fn vulnerability(&mut self, package: &str, id: &str, raw: &str, seen: &mut BTreeSet<String>) {
        let place = format!("{package} {id}");
        if !is_token(id) {
            return self.summary.skip(&place, "not an id");
        }
        match serde_json::from_str::<Vulnerability>(raw) {
            Ok(entry) => {
                for (name, raw) in entry.releases {
                    self.state(package, id, &name, raw.get(), seen);
                }
            }
            Err(error) => self.summary.skip(&place, error),
        }
    }

    fn state(
        &mut self,
        package: &str,
        id: &str,
        name: &str,
        raw: &str,
        seen: &mut BTreeSet<String>,
    ) {
        match serde_json::from_str::<State>(raw).map_err(|error| error.to_string()) {
            Ok(state) if is_token(name) => {
                self.listed(package, name, seen);
                match state.affected() {
                    Ok(Some(affected)) => self.advisory(package, id, name, &state, affected),
                    Ok(None) => {}
                    Err(why) => self.summary.skip(&format!("{package} {id} {name}"), why),
                }
            }
            Ok(_) => self.summary.skip(&format!("{package} {id} {name}"), "not a release"),
            Err(why) => self.summary.skip(&format!("{package} {id} {name}"), why),
        }
    }

    fn listed(&mut self, package: &str, name: &str, seen: &mut BTreeSet<String>) {
        if seen.insert(name.to_owned()) {
            let release = Release { distro: DISTRO.to_owned(), name: name.to_owned() };
            self.summary.releases.insert(release.clone());
            (self.sink)(Record::Listed { release, package: package.to_owned() });
        }
    }

    fn advisory(
        &mut self,
        package: &str,
        id: &str,
        name: &str,
        state: &State,
        affected: AffectedRange,
    ) {
        self.summary.records = self.summary.records.saturating_add(1);
        (self.sink)(Record::Advisory(Advisory {
            id: id.to_owned(),
            aliases: Vec::new(),
            distro: DISTRO.to_owned(),
            release: name.to_owned(),
            package: package.to_owned(),
            affected,
            severity: state.severity(),
            fix: state.fix(),
        }));
    }
}

impl State {
    /// None for a state that says nothing.
    fn affected(&self) -> Result<Option<AffectedRange>, String> {
        match (self.status.as_str(), self.fixed_version.as_deref()) {
            ("undetermined", _) => Ok(None),
            ("open", _) => Ok(Some(AffectedRange::All)),
            ("resolved", Some("0")) => Ok(Some(AffectedRange::None)),
            ("resolved", Some(version)) if is_token(version) => {
                Ok(Some(AffectedRange::Before(version.to_owned())))
            }
            ("resolved", _) => Err("resolved in no version".to_owned()),
            (status, _) => Err(format!("unknown status {status}")),
        }
    }

    /// A `nodsa` may outlive the fix that came by a point release, so it counts only while the issue
    /// is open: <https://salsa.debian.org/security-tracker-team/security-tracker/-/blob/master/lib/python/security_db.py>
    /// (`getBugsForSourcePackage`).
    fn fix(&self) -> Status {
        match (self.urgency.as_deref(), self.nodsa_reason.as_deref()) {
            (Some("end-of-life"), _) => Status::EndOfLife,
            (Some("unimportant"), _) => Status::Unimportant,
            _ if self.status == "resolved" => Status::Fixed,
            (_, Some("ignored")) => Status::WillNotFix,
            (_, Some("postponed")) => Status::FixDeferred,
            _ if self.nodsa.is_some() => Status::NoAdvisory,
            _ => Status::Affected,
        }
    }

    /// Stars behind an urgency say that it was set by a script.
    fn severity(&self) -> Severity {
        match self.urgency.as_deref().unwrap_or("").trim_end_matches('*') {
            "unimportant" => Severity::Negligible,
            "low" => Severity::Low,
            "medium" => Severity::Medium,
            "high" => Severity::High,
            _ => Severity::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
