//! CISA's catalogue of known exploited vulnerabilities,
//! <https://www.cisa.gov/known-exploited-vulnerabilities-catalog>.
//!
//! One JSON object with a date and a list. An entry of another shape is left out and counted.

use super::{AdvisoryFeed, FeedError, Record, Summary, dated_list, is_token};
use crate::model::KnownExploited;
use serde::Deserialize;
use std::io::Read;

/// The feed.
pub struct Kev;

impl AdvisoryFeed for Kev {
    fn name(&self) -> &'static str {
        "kev"
    }

    fn url(&self) -> &'static str {
        "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
    }

    fn parse(
        &self,
        input: &mut dyn Read,
        sink: &mut dyn FnMut(Record),
    ) -> Result<Summary, FeedError> {
        let mut catalogue = Catalogue { sink, summary: Summary::default() };
        catalogue.summary.date =
            dated_list::read(input, "dateReleased", "vulnerabilities", &mut |raw| {
                catalogue.entry(raw);
            })?;
        Ok(catalogue.summary)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve_id: String,
    date_added: String,
    due_date: String,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

struct Catalogue<'a> {
    sink: &'a mut dyn FnMut(Record),
    summary: Summary,
}

impl Catalogue<'_> {
    fn entry(&mut self, raw: &str) {
        match serde_json::from_str::<Entry>(raw) {
            Ok(entry) if [&entry.cve_id, &entry.date_added].iter().all(|text| is_token(text)) => {
                self.summary.records = self.summary.records.saturating_add(1);
                (self.sink)(Record::KnownExploited(KnownExploited {
                    id: entry.cve_id,
                    date_added: entry.date_added,
                    due_date: entry.due_date,
                    ransomware: entry.known_ransomware_campaign_use == "Known",
                }));
            }
            Ok(_) => self.summary.skip("vulnerability", "no usable id or date"),
            Err(error) => self.summary.skip("vulnerability", error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Vec<Record>, Summary), FeedError> {
        let mut found = Vec::new();
        let summary = Kev.parse(&mut text.as_bytes(), &mut |record| found.push(record))?;
        Ok((found, summary))
    }

    #[test]
    fn entries_become_records_and_broken_ones_are_counted() {
        let (found, summary) = parse(
            r#"{"dateReleased":"2025-01-02T03:04:05.678Z","count":4,"vulnerabilities":[
            {"cveID":"CVE-1","dateAdded":"2025-01-01","dueDate":"2025-02-01",
             "knownRansomwareCampaignUse":"Known","cwes":[]},
            {"cveID":"CVE-2","dateAdded":"2025-01-01","dueDate":""},
            {"cveID":"","dateAdded":"2025-01-01","dueDate":""}, 5]}"#,
        )
        .unwrap();
        let flags: Vec<_> = found
            .iter()
            .map(|record| match record {
                Record::KnownExploited(known) => (known.id.as_str(), known.ransomware),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(flags, [("CVE-1", true), ("CVE-2", false)]);
        assert_eq!((summary.records, summary.skipped), (2, 2));
        assert_eq!(summary.date.as_deref(), Some("2025-01-02T03:04:05Z"));
    }

    #[test]
    fn a_file_that_is_no_catalogue_is_refused() {
        assert!(matches!(parse("{}"), Err(FeedError::Shape(_))));
        assert!(matches!(parse(r#"{"vulnerabilities":3}"#), Err(FeedError::Shape(_))));
        assert!(matches!(parse(r#"{"vulnerabilities":[{"#), Err(FeedError::CutOff(_))));
        assert!(matches!(parse("PK"), Err(FeedError::NotJson(_))));
    }
}
