//! The dates of <https://endoflife.date>: until when vendors support releases of operating systems.
//!
//! One JSON object with a date and a list of all products (<https://endoflife.date/docs/api/v1/>). Of those the
//! operating systems that Sidelight reads are taken; a release that has no date for its end says nothing.

use super::{AdvisoryFeed, FeedError, Record, Release, Summary, dated_list, is_token};
use crate::advisory::date;
use crate::model::{SupportCycle, printable_str};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io::Read;

/// The feed's name.
pub const NAME: &str = "endoflife";

/// Products, and what `ID` of os-release their systems have.
const SYSTEMS: &[(&str, &str)] = &[
    ("almalinux", "almalinux"),
    ("alpine", "alpine"),
    ("alpine-linux", "alpine"),
    ("amazon-linux", "amzn"),
    ("centos", "centos"),
    ("centos-stream", "centos-stream"),
    ("debian", "debian"),
    ("fedora", "fedora"),
    ("opensuse", "opensuse-leap"),
    ("oracle-linux", "ol"),
    ("rhel", "rhel"),
    ("rocky-linux", "rocky"),
    ("sles", "sles"),
    ("ubuntu", "ubuntu"),
    ("windows-server", "windows-server"),
];

/// The feed.
pub struct EndOfLife;

impl AdvisoryFeed for EndOfLife {
    fn name(&self) -> &'static str {
        NAME
    }

    fn url(&self) -> &'static str {
        "https://endoflife.date/api/v1/products/full"
    }

    fn parse(
        &self,
        input: &mut dyn Read,
        sink: &mut dyn FnMut(Record),
    ) -> Result<Summary, FeedError> {
        let mut products = Products { sink, summary: Summary::default() };
        products.summary.date = dated_list::read(input, "generated_at", "result", &mut |raw| {
            products.product(raw);
        })?;
        Ok(products.summary)
    }
}

#[derive(Deserialize)]
struct Product {
    name: String,
    #[serde(default)]
    labels: Option<Labels>,
    #[serde(default)]
    releases: Vec<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct Labels {
    eoes: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cycle {
    name: String,
    #[serde(default)]
    eoas_from: Option<String>,
    #[serde(default)]
    eol_from: Option<String>,
    #[serde(default)]
    eoes_from: Option<String>,
}

struct Products<'a> {
    sink: &'a mut dyn FnMut(Record),
    summary: Summary,
}

impl Products<'_> {
    fn product(&mut self, raw: &str) {
        let product = match serde_json::from_str::<Product>(raw) {
            Ok(product) => product,
            Err(error) => return self.summary.skip("product", error),
        };
        let Some((_, os)) = SYSTEMS.iter().find(|(name, _)| *name == product.name) else { return };
        let extended = product.labels.unwrap_or_default().eoes;
        let extended = extended.as_deref().map_or_else(|| "extended".to_owned(), shown);
        for raw in product.releases {
            match serde_json::from_str::<Cycle>(raw.get()) {
                Ok(cycle) => self.cycle(os, &extended, cycle),
                Err(error) => self.summary.skip(os, error),
            }
        }
    }

    fn cycle(&mut self, os: &str, extended: &str, cycle: Cycle) {
        let Cycle { name, eoas_from, eol_from, eoes_from } = cycle;
        let Some(end) = eol_from else { return };
        let dates = [Some(&end), eoas_from.as_ref(), eoes_from.as_ref()];
        if !is_token(&name) || !dates.into_iter().flatten().all(|date| date::is_day(date)) {
            return self.summary.skip(os, "no usable release or date");
        }
        let (distro, release) = (os.to_owned(), name.clone());
        self.summary.records = self.summary.records.saturating_add(1);
        self.summary.releases.insert(Release { distro, name });
        (self.sink)(Record::Support(SupportCycle {
            os: os.to_owned(),
            release,
            // Where it ends with the rest there is no time of fixes alone.
            full: eoas_from.filter(|full| *full < end),
            extended: eoes_from.filter(|date| *date > end).map(|date| (extended.to_owned(), date)),
            end,
        }));
    }
}

/// A label without what could not be shown; tags of HTML are dropped.
fn shown(label: &str) -> String {
    let mut in_tag = false;
    let text = label.chars().filter(|letter| match letter {
        '<' => {
            in_tag = true;
            false
        }
        '>' => !std::mem::take(&mut in_tag),
        _ => !in_tag,
    });
    printable_str(&text.take(64).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Vec<SupportCycle>, Summary), FeedError> {
        let mut found = Vec::new();
        let summary = EndOfLife.parse(&mut text.as_bytes(), &mut |record| match record {
            Record::Support(cycle) => found.push(cycle),
            other => panic!("{other:?}"),
        })?;
        Ok((found, summary))
    }

    #[test]
    fn releases_with_dates_become_records() {
        let (found, summary) = parse(
            r#"{"schema_version":"1.2.0","generated_at":"2026-11-01T00:10:00+00:00","total":3,"result":[
            {"name":"nodejs","releases":[{"name":"20","eolFrom":"2026-04-30"}]},
            {"name":"rhel","labels":{"eoas":"Full Support","eol":"Maintenance","eoes":"<abbr title=\"x\">ELS</abbr>"},
             "releases":[
              {"name":"9","isEoas":false,"eoasFrom":"2027-05-31","isEol":false,"eolFrom":"2032-05-31","eoesFrom":"2036-05-31","latest":{"name":"9.8"}},
              {"name":"9.8","isEol":false,"eolFrom":null},
              {"name":"8","eolFrom":"soon"}, 5]},
            {"name":"fedora","labels":null,"releases":[{"name":"43","eoasFrom":"2026-12-09","eolFrom":"2026-12-09"}]}]}"#,
        )
        .unwrap();
        let cycle = |os: &str, release: &str, full: Option<&str>, end: &str| SupportCycle {
            os: os.to_owned(),
            release: release.to_owned(),
            full: full.map(str::to_owned),
            end: end.to_owned(),
            extended: None,
        };
        let rhel = cycle("rhel", "9", Some("2027-05-31"), "2032-05-31");
        let extended = Some(("ELS".to_owned(), "2036-05-31".to_owned()));
        let rhel = SupportCycle { extended, ..rhel };
        assert_eq!(found, [rhel, cycle("fedora", "43", None, "2026-12-09")]);
        assert_eq!((summary.records, summary.skipped), (2, 2));
        assert_eq!(summary.date.as_deref(), Some("2026-11-01T00:10:00Z"));
    }

    #[test]
    fn a_file_that_is_no_list_of_products_is_refused() {
        assert!(matches!(parse("{}"), Err(FeedError::Shape(_))));
        assert!(matches!(parse(r#"{"result":3}"#), Err(FeedError::Shape(_))));
        assert!(matches!(parse(r#"{"result":[{"#), Err(FeedError::CutOff(_))));
    }
}
