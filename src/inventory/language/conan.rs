//! Conan: `conan.lock`, of version 2 (lists of references) and of version 1 (a graph of nodes, each with one).
//!
//! A reference is `NAME/VERSION@USER/CHANNEL#REVISION`, followed by a time or the id of a binary; of all but the first two any may be
//! missing. A node with a path is the recipe that was locked.

use super::{Collector, Manifest, json, place};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// The cataloger.
pub const CONAN_LOCK: Manifest = Manifest {
    name: "conan",
    patterns: &[PathPattern::Named("conan.lock")],
    takes: place::of_application,
    ecosystem: Ecosystem::Conan,
    state: PackageState::Locked,
    read,
};

#[derive(Deserialize)]
struct Node {
    #[serde(default, alias = "pref", rename = "ref")]
    reference: json::Word,
    #[serde(default)]
    path: json::Word,
}

const PATHS: &[&json::Path] = &[
    &["graph_lock", "nodes", json::EACH],
    &["requires", json::EACH],
    &["build_requires", json::EACH],
    &["python_requires", json::EACH],
    &["config_requires", json::EACH],
];

fn read(text: &str, found: &mut Collector) {
    let end = json::each(text, PATHS, &mut |which, _, value| match which {
        0 => match serde_json::from_str::<Node>(value.get()) {
            Ok(node) if node.path.0.is_empty() => add(&node.reference.0, found),
            Ok(_) => {}
            Err(error) => found.corrupt(error),
        },
        _ => match json::string(value) {
            Some(reference) => add(&reference, found),
            None => found.corrupt("a reference that is no text"),
        },
    });
    if let Err(error) = end {
        found.corrupt(error);
    }
}

/// Adds what a reference names; one of the recipe itself may lack a name.
fn add(reference: &str, found: &mut Collector) {
    let bare = reference.split(['#', ':', '%']).next().unwrap_or_default();
    let (package, owner) = bare.split_once('@').unwrap_or((bare, ""));
    let user = owner.split('/').next().filter(|user| *user != "_").unwrap_or_default();
    if let Some((name, version)) = package.split_once('/') {
        found.add_of(user, name, version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const OLD: &str = r#"{"graph_lock":{"nodes":{
        "0":{"ref":"app/1.0","requires":["1"],"path":"conanfile.py"},
        "1":{"ref":"zlib/1.2.11#ffa7","prev":"0"},"2":{"ref":"1.2.3"},
        "3":{"pref":"b/1.0@me/testing#5f:19#58"},"4":{"pref":null}}},"version":"0.4"}"#;
    const NEW: &str = r#"{"version":"0.5","requires":["zlib/1.2.13#13c9%1667396813.733","1.2.3#ff"],
        "build_requires":["cmake/3.25@_/_"],"python_requires":["tools/1.0@me/stable"]}"#;

    #[test]
    fn every_version() {
        check(&CONAN_LOCK, OLD, &["b 1.0", "zlib 1.2.11"]);
        check(&CONAN_LOCK, NEW, &["cmake 3.25", "tools 1.0", "zlib 1.2.13"]);
        check(&CONAN_LOCK, r#"{"requires":[7]}"#, &["corrupt"]);
        let mut found = Collector::new(Ecosystem::Conan, PackageState::Locked, b"/a");
        read(NEW, &mut found);
        let purls: Vec<_> = found.into_found().found.into_iter().map(|it| it.purl).collect();
        let expected = ["pkg:conan/cmake@3.25", "pkg:conan/me/tools@1.0", "pkg:conan/zlib@1.2.13"];
        assert_eq!(purls, expected);
    }

    #[test]
    fn damage() {
        survive_damage(&CONAN_LOCK, OLD);
        survive_damage(&CONAN_LOCK, NEW);
    }
}
