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
    ("inventory", &["host", "model", "version"]),
    ("containers", &["filesystem", "host", "model"]),
    ("version", &["model"]),
    ("report", &["model"]),
    ("advisory", &["model", "version"]),
    ("matching", &["model", "version", "advisory"]),
    ("policy", &["model", "version"]),
    ("cloud", &["aws", "model"]),
    ("store", &["model"]),
];
const TOP: &[&str] = &["pipeline", "sweep", "commands", "web", "cli", "main", "lib"];

/// What of the crate's root a source text names: in paths and in imports, grouped or not, that
/// start at `crate` or climb there by `super`.
struct Names<'a> {
    tokens: Vec<&'a str>,
    found: BTreeSet<String>,
}

impl<'a> Names<'a> {
    fn of(text: &'a str, file: &Path) -> BTreeSet<String> {
        let mut names = Self { tokens: tokens(text), found: BTreeSet::new() };
        let depth = depth(file);
        // Of each open brace, whether a module begins there.
        let mut open = Vec::new();
        let mut at = 0;
        while at < names.tokens.len() {
            let module = at >= 2 && names.tokens[at - 2] == "mod";
            match names.tokens[at] {
                "{" => open.push(module),
                "}" => drop(open.pop()),
                "crate" | "super" | "self" => {
                    let inner = open.iter().filter(|module| **module).count();
                    at = names.path(at, depth + inner);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        names.found
    }

    fn token(&self, at: usize) -> &'a str {
        self.tokens.get(at).copied().unwrap_or("")
    }

    /// Takes the path that starts here, seen from a module so many levels below the root; where
    /// it ends.
    fn path(&mut self, mut at: usize, mut depth: usize) -> usize {
        loop {
            match self.token(at) {
                "crate" => depth = 0,
                "super" => depth = depth.saturating_sub(1),
                "self" => {}
                "{" => return self.group(at, depth),
                name => {
                    if depth == 0 {
                        self.found.insert(name.to_owned());
                    }
                    // All below it is of that name.
                    depth = usize::MAX;
                }
            }
            if self.token(at + 1) != "::" {
                return at + 1;
            }
            at += 2;
        }
    }

    fn group(&mut self, at: usize, depth: usize) -> usize {
        let mut at = at + 1;
        while !matches!(self.token(at), "}" | "") {
            at = self.path(at, depth);
            while !matches!(self.token(at), "," | "}" | "") {
                at += 1;
            }
            at += usize::from(self.token(at) == ",");
        }
        at + 1
    }
}

/// How many modules below the root a file is.
fn depth(file: &Path) -> usize {
    let whole = file.iter().count();
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    if matches!(stem, Some("mod" | "lib" | "main")) { whole - 1 } else { whole }
}

/// Words, `::` and single characters; comments and texts in quotes are left out.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = match first {
            '"' => quoted(rest),
            '\'' => character(rest),
            'r' if raw(rest).is_some() => raw(rest).expect("asked for above"),
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if first.is_whitespace() => first.len_utf8(),
            _ => {
                let length = match word {
                    0 if rest.starts_with("::") => 2,
                    0 => first.len_utf8(),
                    word => word,
                };
                tokens.push(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    tokens
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    rest.len()
}

/// A character in quotes, or the quote of a lifetime.
fn character(rest: &str) -> usize {
    let mut inner = rest[1..].char_indices();
    match inner.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(1, |end| end + 4),
        Some(_) => inner.next().filter(|(_, next)| *next == '\'').map_or(1, |(end, _)| end + 2),
        None => 1,
    }
}

/// The length of a raw string, if one starts here.
fn raw(rest: &str) -> Option<usize> {
    let marks = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
    let inner = rest[1 + marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    Some(inner.find(&end).map_or(rest.len(), |at| 2 + marks + at + end.len()))
}

/// What a file, by its path below `src`, uses against the table.
fn violations(file: &str, text: &str) -> Vec<String> {
    let layer = file.split('/').next().unwrap_or(file).trim_end_matches(".rs");
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        let known = TOP.contains(&layer);
        return if known { Vec::new() } else { vec![format!("{layer} is in no layer table")] };
    };
    let is_layer =
        |name: &str| name == "*" || LAYERS.iter().any(|(l, _)| *l == name) || TOP.contains(&name);
    Names::of(text, Path::new(file))
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
        let text = fs::read_to_string(file).expect("source is text");
        for violation in violations(inside.to_str().expect("UTF-8"), &text) {
            found.push(format!("{}: {violation}", inside.display()));
        }
    }
    assert!(files.len() > 20, "found only {} files", files.len());
    assert_eq!(found, Vec::<String>::new());
}

#[track_caller]
fn check(file: &str, text: &str, expected: &[&str]) {
    assert_eq!(violations(file, text), expected, "{file}: {text}");
}

#[test]
fn a_planted_upward_import_is_seen() {
    check("block/cache.rs", "use crate::host::Tree;", &["block uses host"]);
    check("report/json.rs", "use crate::{model::Gap, pipeline};", &["report uses pipeline"]);
    check("host/tree.rs", "fn f() { crate::inventory::x() }", &["host uses inventory"]);
    check("host/tree.rs", "// crate::inventory\nuse crate::model::Gap;", &[]);
    check("host/tree.rs", "const A: (char, &str) = ('\"', r#\"crate::inventory\"#);", &[]);
    check("helpers.rs", "", &["helpers is in no layer table"]);
}

#[test]
fn a_planted_import_behind_nested_braces_is_seen() {
    let grouped = "use crate::{model::{Gap, Mount}, pipeline};";
    check("report/json.rs", grouped, &["report uses pipeline"]);
    let deep =
        "use crate::{\n    model::{Gap, text::{self, printable}},\n    host::{Tree as T},\n};";
    check("report/json.rs", deep, &["report uses host"]);
    // A name below a layer is not a layer.
    check("report/json.rs", "use crate::{model::{pipeline, host::x}};", &[]);
    check("report/json.rs", "use crate::*;", &["report uses *"]);
}

#[test]
fn a_planted_import_that_climbs_to_the_root_is_seen() {
    let twice = "use super::super::pipeline::scan;";
    check("report/json.rs", twice, &["report uses pipeline"]);
    check("report/table/grid.rs", twice, &[]);
    check("report/table/mod.rs", twice, &["report uses pipeline"]);
    check("report/mod.rs", "fn f() { super::pipeline::scan() }", &["report uses pipeline"]);
    check("report/json.rs", "use super::{Options, super::{host, model}};", &["report uses host"]);
    // `advisory::store` is not the layer `store`, and a module in a file is one level more.
    check("advisory/import.rs", "use super::store::Store;", &[]);
    let inside = "mod tests { fn f() { if a { super::super::super::pipeline::f() } } }";
    check("report/json.rs", inside, &["report uses pipeline"]);
    check("advisory/import.rs", "mod tests { use super::super::store; }", &[]);
    check("advisory/import.rs", "mod tests {}\nuse super::super::store;", &["advisory uses store"]);
}
