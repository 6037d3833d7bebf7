//! Julia: `Manifest.toml` of an environment, `[[deps.NAME]]` (2) or `[[NAME]]` (1). What comes with Julia has
//! no version there.

use super::{Collector, Manifest, place, sections};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// The cataloger.
pub const MANIFEST: Manifest = Manifest {
    name: "julia",
    patterns: &[PathPattern::Named("Manifest.toml")],
    takes: place::of_application,
    ecosystem: Ecosystem::Julia,
    state: PackageState::Locked,
    read,
};

/// Every entry has a UUID; a file of this name that another tool wrote has none.
#[derive(Deserialize)]
struct Entry {
    uuid: Option<String>,
    #[serde(default)]
    version: String,
}

fn read(text: &str, found: &mut Collector) {
    let is_entry = |header: &str| name(header).is_some();
    sections::each(text, found, is_entry, |header, entry: Entry, found| {
        if let (Some(name), Some(_)) = (name(header), entry.uuid) {
            found.add(name, &entry.version);
        }
    });
}

/// The name in a header; names of Julia are never quoted, and dots are of tables within.
fn name(header: &str) -> Option<&str> {
    let inside = header.strip_prefix("[[")?.strip_suffix("]]")?.trim();
    let name = inside.strip_prefix("deps.").unwrap_or(inside);
    (!name.contains('.')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const TWO: &str = "julia_version = \"1.8.0\"\nmanifest_format = \"2.0\"\n\n[[deps.A]]\ndeps = [\"B\"]\nuuid = \"1\"\nversion = \"1.0.0\"\n\n    [deps.A.x]\n    y = \"1\"\n\n[[deps.Dates]]\nuuid = \"2\"\n";

    #[test]
    fn both_formats() {
        check(&MANIFEST, TWO, &["A 1.0.0"]);
        check(
            &MANIFEST,
            "[[A]]\nuuid = \"1\"\nversion = \"1.0.0\"\n[[b]]\nversion = \"2\"\n",
            &["A 1.0.0"],
        );
    }

    #[test]
    fn damage() {
        survive_damage(&MANIFEST, TWO);
    }
}
