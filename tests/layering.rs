//! Holds the layer table of `ARCHITECTURE.md` against the code: a file may name only the layers
//! that its own layer may use.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each layer and what it may use. The top layer may use all.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("block", &[]),
    ("aws", &[]),
    ("source", &["aws", "block"]),
    ("volume", &["block", "model"]),
    ("filesystem", &["block", "model"]),
    ("host", &["filesystem", "volume", "model"]),
    ("inventory", &["host", "model"]),
    ("containers", &["host", "model"]),
    ("version", &["model"]),
    ("report", &["model"]),
    ("advisory", &["model", "version"]),
    ("matching", &["model", "version", "advisory"]),
    ("policy", &["model", "version"]),
    ("cloud", &["aws", "model"]),
    ("store", &["model"]),
];
const TOP: &[&str] = &["pipeline", "sweep", "commands", "web", "cli", "main", "lib"];

/// The layers that a source text names as `crate::LAYER`, in paths and in grouped imports.
fn named_layers(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let group = rest.strip_prefix('{').map(|inner| inner.split('}').next().unwrap_or(""));
        let parts = group.map_or_else(|| vec![rest], |inner| inner.split(',').collect());
        for part in parts {
            let word = part.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next();
            named.extend(word.map(str::to_owned));
        }
    }
    named
}

fn violations(layer: &str, text: &str) -> Vec<String> {
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        let known = TOP.contains(&layer);
        return if known { Vec::new() } else { vec![format!("{layer} is in no layer table")] };
    };
    let is_layer = |name: &str| LAYERS.iter().any(|(l, _)| *l == name) || TOP.contains(&name);
    named_layers(text)
        .into_iter()
        .filter(|name| is_layer(name) && name != layer && !allowed.contains(&name.as_str()))
        .map(|name| format!("{layer} uses {name}"))
        .collect()
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn the_code_keeps_to_the_layers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut found = Vec::new();
    for file in &files {
        let inside = file.strip_prefix(&root).expect("under src");
        let first = inside.iter().next().expect("a name").to_string_lossy();
        let layer = first.trim_end_matches(".rs");
        let text = fs::read_to_string(file).expect("source is text");
        for violation in violations(layer, &text) {
            found.push(format!("{}: {violation}", inside.display()));
        }
    }
    assert!(files.len() > 20, "found only {} files", files.len());
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_planted_upward_import_is_seen() {
    assert_eq!(violations("block", "use crate::host::Tree;"), ["block uses host"]);
    assert_eq!(
        violations("report", "use crate::{model::Gap, pipeline};"),
        ["report uses pipeline"]
    );
    assert_eq!(violations("host", "fn f() { crate::inventory::x() }"), ["host uses inventory"]);
    assert_eq!(
        violations("host", "// crate::inventory\nuse crate::model::Gap;"),
        Vec::<String>::new()
    );
    assert_eq!(violations("helpers", ""), ["helpers is in no layer table"]);
}
