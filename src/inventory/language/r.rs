//! R: `DESCRIPTION` in a folder of a library, and `renv.lock`.
//!
//! R adds the field `Built` to a package that it installs; a `DESCRIPTION` without it is a source.

use super::{Collector, Manifest, fields, json, place};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// Installed packages.
pub const DESCRIPTION: Manifest = Manifest {
    name: "r",
    patterns: &[PathPattern::Named("DESCRIPTION")],
    takes: |_| true,
    ecosystem: Ecosystem::Cran,
    state: PackageState::Installed,
    read: description,
};

/// `renv.lock`.
pub const RENV_LOCK: Manifest = Manifest {
    name: "renv",
    patterns: &[PathPattern::Named("renv.lock")],
    takes: place::of_application,
    state: PackageState::Locked,
    read: renv,
    ..DESCRIPTION
};

fn description(text: &str, found: &mut Collector) {
    let fields = fields::first(text.as_bytes(), ["Package", "Version", "Built"]);
    match fields.unwrap_or_default() {
        [_, _, built] if built.is_empty() => {}
        [name, version, _] if name.is_empty() || version.is_empty() => {
            found.corrupt("an installed package without a name or a version");
        }
        [name, version, _] => found.add(&name, &version),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Package {
    package: String,
    version: String,
}

fn renv(text: &str, found: &mut Collector) {
    let end =
        json::each(
            text,
            &[&["Packages", json::EACH]],
            &mut |_, _, value| match serde_json::from_str::<Package>(value.get()) {
                Ok(Package { package, version }) => found.add(&package, &version),
                Err(error) => found.corrupt(error),
            },
        );
    if let Err(error) = end {
        found.corrupt(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const BUILT: &str = "Package: a.b\nVersion: 1.0-2\nDescription: x\n  Version: 9\nBuilt: R 4.2.2; ; 2022-11-10; unix\n";
    const LOCK: &str = r#"{"R":{"Version":"4.2.2"},"Packages":{"a":{"Package":"a","Version":"1.0-2","Source":"x"},"b":{"Package":"b"}}}"#;

    #[test]
    fn installed_and_locked() {
        check(&DESCRIPTION, BUILT, &["a.b 1.0-2"]);
        check(&DESCRIPTION, "Package: a\nVersion: 1\n", &[]);
        check(&DESCRIPTION, "Any text of this name", &[]);
        check(&DESCRIPTION, "Package: a\nBuilt: x\n", &["corrupt"]);
        check(&RENV_LOCK, LOCK, &["a 1.0-2", "corrupt"]);
    }

    #[test]
    fn damage() {
        survive_damage(&DESCRIPTION, BUILT);
        survive_damage(&RENV_LOCK, LOCK);
    }
}
