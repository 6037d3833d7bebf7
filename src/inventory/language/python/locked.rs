//! Lockfiles: `Pipfile.lock` (JSON), `poetry.lock`, `uv.lock`, `pdm.lock` and `pylock.toml` (all a TOML list of packages), and
//! the exact pins of a `Pipfile`.

use super::requirements;
use crate::inventory::PathPattern;
use crate::inventory::language::{Collector, Manifest, json, place, sections};
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// `Pipfile.lock`.
pub const PIPFILE_LOCK: Manifest = Manifest {
    name: "pipfile-lock",
    patterns: &[PathPattern::Named("Pipfile.lock")],
    takes: place::of_application,
    ecosystem: Ecosystem::Pypi,
    state: PackageState::Locked,
    read: pipfile_lock,
};

/// `Pipfile`.
pub const PIPFILE: Manifest = Manifest {
    name: "pipfile",
    patterns: &[PathPattern::Named("Pipfile")],
    read: pipfile,
    ..PIPFILE_LOCK
};

/// The lists of packages in TOML.
pub const TOML_LOCKS: Manifest = Manifest {
    name: "python-lock",
    patterns: &[
        PathPattern::Named("pdm.lock"),
        PathPattern::Named("poetry.lock"),
        PathPattern::Named("pylock.toml"),
        PathPattern::Named("uv.lock"),
    ],
    read: toml_lock,
    ..PIPFILE_LOCK
};

#[derive(Deserialize)]
struct Pinned {
    #[serde(default)]
    version: json::Word,
}

fn pipfile_lock(text: &str, found: &mut Collector) {
    let paths: &[&json::Path] = &[&["default", json::EACH], &["develop", json::EACH]];
    let end = json::each(text, paths, &mut |_, name, value| {
        let pinned = serde_json::from_str::<Pinned>(value.get()).ok();
        let version = pinned.as_ref().and_then(|pinned| requirements::version(&pinned.version.0));
        found.add(name, version.unwrap_or_default());
    });
    if let Err(error) = end {
        found.corrupt(error);
    }
}

fn pipfile(text: &str, found: &mut Collector) {
    let is_list = |header: &str| matches!(header, "[packages]" | "[dev-packages]");
    sections::each(text, found, is_list, |_, packages: toml::Table, found| {
        for (name, value) in &packages {
            let specifier = value.as_str().or_else(|| value.get("version")?.as_str());
            let version = specifier.and_then(requirements::version);
            found.add(name, version.unwrap_or_default());
        }
    });
}

#[derive(Deserialize)]
struct Package {
    name: String,
    // What comes from a folder or a repository need not have one.
    #[serde(default)]
    version: String,
}

fn toml_lock(text: &str, found: &mut Collector) {
    let is_package = |header: &str| matches!(header, "[[package]]" | "[[packages]]");
    sections::each(text, found, is_package, |_, package: Package, found| {
        found.add(&package.name, &package.version);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const PIPENV: &str = r#"{"_meta": {"hash": {"sha256": "1"}}, "default": {"a": {"hashes": ["1"], "version": "==1.0"},
        "b": {"git": "https://x"}, "c": "1"}, "develop": {"d": {"version": "==2"}, "e": {"version": 3}}}"#;
    const POETRY: &str = "[[package]]\nname = \"a\"\nversion = \"1.0\"\nfiles = [\n    {file = \"x\"},\n]\n\n[package.dependencies]\nname = \"x\"\nversion = \"9\"\n\n[[package]]\nname = 'b'\nversion = '2'\n\n[metadata]\nname = \"m\"\nversion = \"1\"\n";

    #[test]
    fn every_lock() {
        check(&PIPFILE_LOCK, PIPENV, &["a 1.0", "d 2"]);
        check(&TOML_LOCKS, POETRY, &["a 1.0", "b 2"]);
        check(
            &TOML_LOCKS,
            "[[packages]]\nname = \"a\"\nversion = \"1\"\n[[packages]]\nname = \"b\"",
            &["a 1"],
        );
        check(
            &PIPFILE,
            "[packages]\na = \"==1\"\nb = \"*\"\nc = {version = \"==3\", extras = [\"x\"]}\n[requires]\npython_version = \"3.9\"\n",
            &["a 1", "c 3"],
        );
    }

    #[test]
    fn damage() {
        survive_damage(&PIPFILE_LOCK, PIPENV);
        survive_damage(&TOML_LOCKS, POETRY);
        check(&PIPFILE_LOCK, &PIPENV[..PIPENV.len() / 2], &["a 1.0", "corrupt"]);
        check(&TOML_LOCKS, &POETRY[..20], &["corrupt"]);
        check(
            &TOML_LOCKS,
            "[[package]]\nname = 1\n[[package]]\nname = \"a\"\nversion = \"1\"",
            &["a 1", "corrupt"],
        );
    }
}
