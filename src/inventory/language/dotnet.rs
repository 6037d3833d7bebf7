//! .NET: `APP.deps.json` (what an application was published with, and what the shared runtimes hold),
//! `packages.lock.json` and `packages.config` (what a project asks of NuGet).

use super::{Collector, Manifest, json, place, xml};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// `*.deps.json`.
pub const DEPS: Manifest = Manifest {
    name: "dotnet",
    patterns: &[PathPattern::Ending(".deps.json")],
    takes: |_| true,
    ecosystem: Ecosystem::Nuget,
    state: PackageState::Installed,
    read: deps,
};

/// `packages.lock.json`.
pub const LOCK: Manifest = Manifest {
    name: "nuget-lock",
    patterns: &[PathPattern::Named("packages.lock.json")],
    takes: place::of_application,
    state: PackageState::Locked,
    read: lock,
    ..DEPS
};

/// `packages.config`.
pub const CONFIG: Manifest = Manifest {
    name: "nuget-config",
    patterns: &[PathPattern::Named("packages.config")],
    read: config,
    ..LOCK
};

#[derive(Deserialize)]
struct Library {
    #[serde(default, rename = "type")]
    kind: json::Word,
    #[serde(default)]
    resolved: json::Word,
}

/// `"Name/Version": {"type": "package"}`; a `project` is the application's own, a `reference` a bare file.
fn deps(text: &str, found: &mut Collector) {
    let end = json::each(text, &[&["libraries", json::EACH]], &mut |_, key, value| {
        let kind = serde_json::from_str::<Library>(value.get()).map(|library| library.kind.0);
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        let Some((name, version)) = key.split_once('/') else { return };
        match kind.as_str() {
            "package" => found.add(name, version),
            // The runtime that was published with the application.
            "runtimepack" => found.add(name.strip_prefix("runtimepack.").unwrap_or(name), version),
            _ => {}
        }
    });
    if let Err(error) = end {
        found.corrupt(error);
    }
}

fn lock(text: &str, found: &mut Collector) {
    let path: &json::Path = &["dependencies", json::EACH, json::EACH];
    let end =
        json::each(text, &[path], &mut |_, name, value| match serde_json::from_str::<Library>(
            value.get(),
        ) {
            Ok(library) => found.add(name, &library.resolved.0),
            Err(error) => found.corrupt(error),
        });
    if let Err(error) = end {
        found.corrupt(error);
    }
}

/// `<package id="..." version="..." />`.
fn config(text: &str, found: &mut Collector) {
    for attributes in xml::tags(text).filter_map(|(tag, _)| xml::attributes(tag, "package")) {
        let (mut id, mut version) = ("", "");
        for (name, value) in attributes {
            match name {
                "id" => id = value,
                "version" => version = value,
                _ => {}
            }
        }
        if id.is_empty() || version.is_empty() {
            found.corrupt("a package without an id or a version");
        } else {
            found.add(id, version);
        }
    }
    if !text.contains("<packages") {
        found.corrupt("no list of packages");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const APP: &str = r#"{"runtimeTarget":{"name":"x"},"libraries":{"App/1.0.0":{"type":"project"},"A.B/2.0.0":{"type":"package"},
        "runtimepack.C/6.0.1":{"type":"runtimepack"},"d":{"type":"package"},"e/1":7}}"#;
    const NUGET: &str = r#"{"version":1,"dependencies":{"net6.0":{"A":{"type":"Direct","resolved":"1.0.0"},
        "p":{"type":"Project"}},"net7.0":{"A":{"resolved":"1.0.0"},"B":{"type":"Transitive","resolved":"2.0.0"}}}}"#;
    const XML: &str = "<?xml version=\"1.0\"?>\n<packages>\n  <!-- <package id=\"Z\" version=\"9\" /> -->\n  <package id=\"A\" version=\"1.0.0\" targetFramework=\"net46\" />\n  <package version='2.0' id='B'/>\n</packages>\n";

    #[test]
    fn every_file() {
        check(&DEPS, APP, &["A.B 2.0.0", "C 6.0.1"]);
        check(&LOCK, NUGET, &["A 1.0.0", "B 2.0.0"]);
        check(&CONFIG, XML, &["A 1.0.0", "B 2.0"]);
    }

    #[test]
    fn damage() {
        survive_damage(&DEPS, APP);
        survive_damage(&LOCK, NUGET);
        survive_damage(&CONFIG, XML);
        check(
            &CONFIG,
            "<packages><package id=\"a\"/><package id=\"b\" version=\"1\"",
            &["b 1", "corrupt"],
        );
        check(&CONFIG, &"<package ".repeat(100_000), &["corrupt", "corrupt"]);
    }
}
