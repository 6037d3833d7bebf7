//! Rust: `Cargo.lock`, all four versions of it. Packages of the workspace itself are listed too: their
//! names and versions are as true as the others'.

use super::{Collector, Manifest, place, sections};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// The cataloger.
pub const CARGO_LOCK: Manifest = Manifest {
    name: "cargo-lock",
    patterns: &[PathPattern::Named("Cargo.lock")],
    takes: place::of_application,
    ecosystem: Ecosystem::Cargo,
    state: PackageState::Locked,
    read,
};

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

fn read(text: &str, found: &mut Collector) {
    // Before version 2 the package of the folder stood alone, as `[root]`.
    let is_package = |header: &str| matches!(header, "[[package]]" | "[root]");
    sections::each(text, found, is_package, |_, package: Package, found| {
        found.add(&package.name, &package.version);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const LOCK: &str = "# It is not intended for manual editing.\nversion = 3\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0+b\"\nsource = \"registry+x\"\ndependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";

    #[test]
    fn locks() {
        check(&CARGO_LOCK, LOCK, &["a 1.0.0+b", "b 2.0.0"]);
        check(
            &CARGO_LOCK,
            "[root]\nname = \"r\"\nversion = \"1.0.0\"\n[metadata]\nx = \"1\"\n",
            &["r 1.0.0"],
        );
    }

    #[test]
    fn damage() {
        survive_damage(&CARGO_LOCK, LOCK);
        check(
            &CARGO_LOCK,
            "[[package]]\nname = \"a\"\n[[package]]\nname = \"b\"\nversion = \"1\"\n",
            &["b 1", "corrupt"],
        );
    }
}
