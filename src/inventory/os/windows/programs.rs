//! The list of installed programs: a key for each below `Uninstall`, with what it is called
//! (`DisplayName`), its version and who published it. A key without a name is not shown by Windows either.
//!
//! Installers enter updates of their programs too. One that names the article of its knowledge base
//! is called by that number (`KB2565063`), like the updates of the system.

use super::super::words::word;
use super::{List, package};
use crate::host::windows::{Fields, Hive};
use crate::model::{Gap, Package};

pub(super) const NATIVE: &str = "Microsoft\\Windows\\CurrentVersion\\Uninstall";
pub(super) const OF_32_BITS: &str = "WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall";
pub(super) const OF_USER: &str = "Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall";

impl List {
    /// The programs of one list.
    pub(super) fn programs(&mut self, hive: &Hive, path: &str, arch: &str) -> Result<(), Gap> {
        let keys = self.keys(hive, path, |_| true);
        self.keep(hive, path, &keys, |key, fields| program(key, fields, arch))
    }
}

fn program(key: &str, fields: &mut Fields, arch: &str) -> Result<Option<Package>, String> {
    let Some(name) = fields.text("DisplayName") else { return Ok(None) };
    let article = of_update(key, &name, fields);
    let version = fields.text("DisplayVersion").unwrap_or_default();
    let publisher = fields.text("Publisher").map(|text| word("publisher", &text)).transpose()?;
    Ok(Some(Package {
        vendor: publisher,
        installed_at: fields.text("InstallDate").and_then(|date| day(&date)),
        ..package(article.as_deref().unwrap_or(&name), &version, arch)?
    }))
}

/// The article of an update of another program.
fn of_update(key: &str, name: &str, fields: &mut Fields) -> Option<String> {
    let is_update = fields.text("ParentKeyName").is_some() || article(key).as_deref() == Some(key);
    if is_update { article(key).or_else(|| article(name)) } else { None }
}

/// The first `KB` with a number of six or seven digits, which begins no word's middle.
pub(super) fn article(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter_map(number).map(|digits| format!("KB{digits}")).next()
}

fn number(word: &str) -> Option<&str> {
    let digits = word.get(..2).filter(|start| start.eq_ignore_ascii_case("KB"))?;
    let digits = &word[digits.len()..];
    let is_number = matches!(digits.len(), 6..=8) && digits.bytes().all(|it| it.is_ascii_digit());
    is_number.then_some(digits)
}

/// `YYYYMMDD`, the day in the host's own time, at its first moment.
fn day(date: &str) -> Option<String> {
    if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = date.split_at(4);
    let (month, day) = rest.split_at(2);
    let date: jiff::civil::Date = format!("{year}-{month}-{day}").parse().ok()?;
    Some(format!("{date}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_of_the_calendar() {
        assert_eq!(day("20240229").as_deref(), Some("2024-02-29T00:00:00Z"));
        for none in ["20230229", "2/1/2024", "20241301", "", "2024010é"] {
            assert_eq!(day(none), None, "{none}");
        }
    }

    #[test]
    fn an_article_is_a_word_of_its_own() {
        for (text, expected) in [
            ("Security Update for Microsoft .NET Framework 4 (KB2468871)", Some("KB2468871")),
            ("{F0C3E5D1}.KB2565063", Some("KB2565063")),
            ("windows10.0-kb5034122-x64_1f2e.cab", Some("KB5034122")),
            ("WebKB123456 KB12 KBx123456 é", None),
        ] {
            assert_eq!(article(text).as_deref(), expected, "{text}");
        }
    }
}
