//! Updates of the system: packages of component-based servicing, of which each key is named
//! `NAME~PUBLISHER~ARCHITECTURE~LANGUAGE~VERSION`. Those of updates are `Package_for_KB5034441`, or
//! `Package_for_RollupFix`, whose article only its source tells. Most others are parts of Windows
//! itself, and are left out.
//!
//! Only those that are installed count; of parts of one update (`Package_3_for_KB…`) there is one row.

use super::programs::article;
use super::{List, package};
use crate::host::windows::{Fields, Hive, Time};
use crate::model::{Gap, Package};
use std::collections::HashSet;

const PATH: &str = "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages";
/// Values of `CurrentState`: installed, and installed for good.
const INSTALLED: [u64; 2] = [112, 128];

impl List {
    /// The updates of the system.
    pub(super) fn updates(&mut self, hive: &Hive, arch: &str) -> Result<(), Gap> {
        let mut keys = self.keys(hive, PATH, |key| Name::parse(key.name()).is_some());
        keys.sort_by_key(|key| Name::parse(key.name()).is_some_and(|name| name.is_part));
        let before = self.kept.found.len();
        let kept = self.keep(hive, PATH, &keys, |key, fields| update(key, fields, arch));
        let mut seen = HashSet::new();
        let mut found = self.kept.found.split_off(before);
        found.retain(|package| seen.insert((package.name.clone(), package.version.clone())));
        self.kept.found.extend(found);
        kept
    }
}

/// Name of a key of an update.
#[derive(Debug, PartialEq, Eq)]
struct Name<'a> {
    /// What the package is for.
    what: &'a str,
    version: &'a str,
    /// Whether it is one of several packages for that.
    is_part: bool,
}

impl<'a> Name<'a> {
    fn parse(key: &'a str) -> Option<Self> {
        let (name, rest) = key.split_once('~')?;
        let version = rest.rsplit('~').next()?;
        let name = name.strip_prefix("Package_")?;
        if let Some(what) = name.strip_prefix("for_") {
            return Some(Self { what, version, is_part: false });
        }
        let (part, what) = name.split_once("_for_")?;
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(Self { what, version, is_part: true })
    }
}

fn update(key: &str, fields: &mut Fields, arch: &str) -> Result<Option<Package>, String> {
    let Some(name) = Name::parse(key) else { return Ok(None) };
    if !fields.number("CurrentState").is_some_and(|state| INSTALLED.contains(&state)) {
        return Ok(None);
    }
    let source = || fields.text("InstallLocation").as_deref().and_then(article);
    let known = article(name.what).or_else(source);
    let package = package(known.as_deref().unwrap_or(name.what), name.version, arch)?;
    Ok(Some(Package { installed_at: installed(fields), ..package }))
}

/// When it was installed, in two halves.
fn installed(fields: &mut Fields) -> Option<String> {
    let half = |fields: &mut Fields, name| u32::try_from(fields.number(name)?).ok();
    let (high, low) = (half(fields, "InstallTimeHigh")?, half(fields, "InstallTimeLow")?);
    let (seconds, _) = Time(u64::from(high) << 32 | u64::from(low)).unix();
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    (seconds > 0).then(|| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_updates() {
        let name = |what, version, is_part| Some(Name { what, version, is_part });
        for (key, expected) in [
            (
                "Package_for_KB5034441~31bf3856ad364e35~amd64~~19041.3920.1.0",
                name("KB5034441", "19041.3920.1.0", false),
            ),
            ("Package_12_for_KB500~31bf~x86~en-US~6.1.1.0", name("KB500", "6.1.1.0", true)),
            ("Package_for_RollupFix~31bf~amd64~~1.7", name("RollupFix", "1.7", false)),
            ("Package_x_for_KB500~31bf~x86~~1", None),
            ("Microsoft-Windows-Foundation-Package~31bf~amd64~~10.0.19041.1", None),
            ("Package_for_KB500", None),
        ] {
            assert_eq!(Name::parse(key), expected, "{key}");
        }
    }
}
