//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3. The copy that npm keeps inside
//! `node_modules` has another name, and says what the installed packages say.
//!
//! Format: <https://docs.npmjs.com/cli/configuring-npm/package-lock-json>. `packages` (2, 3) has a path for each; `dependencies`
//! (1, 2) nests. Version 1 has a link in place of the version of what comes from a repository: such packages are not known by version.

use super::{add, is_version, split_name};
use crate::inventory::PathPattern;
use crate::inventory::language::{Collector, Manifest, json, place};
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The cataloger.
pub const PACKAGE_LOCK: Manifest = Manifest {
    name: "npm",
    patterns: &[PathPattern::Named("package-lock.json"), PathPattern::Named("npm-shrinkwrap.json")],
    takes: place::of_application,
    ecosystem: Ecosystem::Npm,
    state: PackageState::Locked,
    read,
};

/// Of version 2 and 3.
#[derive(Deserialize)]
struct Placed {
    #[serde(default)]
    name: json::Word,
    #[serde(default)]
    version: json::Word,
    #[serde(default)]
    link: bool,
}

/// Of version 1.
#[derive(Deserialize)]
struct Nested {
    #[serde(default)]
    version: json::Word,
    #[serde(default)]
    dependencies: BTreeMap<String, Nested>,
}

fn read(text: &str, found: &mut Collector) {
    let paths: &[&json::Path] = &[&["packages", json::EACH], &["dependencies", json::EACH]];
    // npm writes `packages` first; what `dependencies` then has besides is the same.
    let mut is_placed = false;
    let end = json::each(text, paths, &mut |which, key, value| {
        if which == 0 {
            is_placed = true;
            placed(key, value.get(), found);
        } else if !is_placed {
            match serde_json::from_str(value.get()) {
                Ok(package) => nested(key, &package, found),
                Err(error) => found.corrupt(error),
            }
        }
    });
    if let Err(error) = end {
        found.corrupt(error);
    }
}

/// One at the path `key`. What is not below a `node_modules` is a folder of the application itself.
fn placed(key: &str, value: &str, found: &mut Collector) {
    let Some((_, name)) = key.rsplit_once("node_modules/") else { return };
    match serde_json::from_str::<Placed>(value) {
        Ok(package) if !package.link => {
            let alias = &package.name.0;
            add(found, if alias.is_empty() { name } else { alias }, &package.version.0);
        }
        Ok(_) => {}
        Err(error) => found.corrupt(error),
    }
}

// As deep as serde_json went.
fn nested(name: &str, package: &Nested, found: &mut Collector) {
    let version = package.version.0.as_str();
    match version.strip_prefix("npm:").and_then(split_name) {
        Some((name, version)) => add(found, name, version),
        None if is_version(version) => add(found, name, version),
        None => {}
    }
    for (name, package) in &package.dependencies {
        nested(name, package, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const V1: &str = r#"{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","dependencies":{"b":{"version":"2.0.0"}}},
        "@s/c":{"version":"npm:@t/d@3.0.0"},"e":{"version":"git+ssh://x#1"},"f":{"version":"file:x"}}}"#;
    const V2: &str = r#"{"lockfileVersion":2,"packages":{"":{"name":"app","version":"9"},"node_modules/a":{"version":"1.0.0"},
        "node_modules/a/node_modules/@s/b":{"version":"2.0.0"},"node_modules/c":{"name":"d","version":"3.0.0"},
        "node_modules/l":{"link":true,"resolved":"l"},"l":{"version":"8"}},"dependencies":{"z":{"version":"1.0.0"}}}"#;

    #[test]
    fn every_version() {
        check(&PACKAGE_LOCK, V1, &["@t/d 3.0.0", "a 1.0.0", "b 2.0.0"]);
        check(&PACKAGE_LOCK, V2, &["@s/b 2.0.0", "a 1.0.0", "d 3.0.0"]);
        check(
            &PACKAGE_LOCK,
            r#"{"dependencies":{"a":7,"b":{"version":"1"}}}"#,
            &["b 1", "corrupt"],
        );
    }

    #[test]
    fn damage() {
        survive_damage(&PACKAGE_LOCK, V1);
        survive_damage(&PACKAGE_LOCK, V2);
        let deep = r#"{"version":"1.0.0","dependencies":{"a":"#.repeat(10_000);
        check(&PACKAGE_LOCK, &format!(r#"{{"dependencies":{{"a":{deep}"#), &["corrupt"]);
        let closed =
            format!(r#"{{"dependencies":{{"a":{deep}{{}}{}}},"z":1}}"#, "}}".repeat(10_000));
        check(&PACKAGE_LOCK, &closed, &["corrupt"]);
    }
}
