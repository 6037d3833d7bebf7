//! `bun.lock`: JSON with commas after the last member (and, by hand, comments), in which each package is an
//! array that begins with `name@version`. The older binary `bun.lockb` is not read.

use super::{add, is_version, split_name};
use crate::inventory::PathPattern;
use crate::inventory::language::{Collector, Manifest, json, place};
use crate::model::{Ecosystem, PackageState};
use serde_json::value::RawValue;

/// The cataloger.
pub const BUN_LOCK: Manifest = Manifest {
    name: "bun",
    patterns: &[PathPattern::Named("bun.lock")],
    takes: place::of_application,
    ecosystem: Ecosystem::Npm,
    state: PackageState::Locked,
    read,
};

fn read(text: &str, found: &mut Collector) {
    let paths: &[&json::Path] = &[&["packages", json::EACH]];
    let end = json::each(&strict(text), paths, &mut |_, key, value| {
        let items = serde_json::from_str::<Vec<&RawValue>>(value.get()).unwrap_or_default();
        let Some(resolved) = items.first().and_then(|first| json::string(first)) else {
            return found.corrupt(format!("package {key}: not what bun writes"));
        };
        // Links, folders and repositories have no version here.
        match split_name(&resolved) {
            Some((name, version)) if is_version(version) => add(found, name, version),
            _ => {}
        }
    });
    if let Err(error) = end {
        found.corrupt(error);
    }
}

/// The text without comments and last commas.
fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '/', ',']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match rest.as_bytes() {
            [b'"', ..] => string_length(rest),
            [b'/', b'/', ..] => rest.find('\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        let is_last = token == "," && after.trim_start().starts_with(['}', ']']);
        let is_comment = token.starts_with("//") || token.starts_with("/*");
        if !is_last && !is_comment {
            out.push_str(token);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Bytes of the string that begins here, with its quotes.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const LOCK: &str = "{\n  \"lockfileVersion\": 1, // x\n  \"packages\": {\n    \"a\": [\"a@1.0.0\", \"\", { \"b\": \"\\\",}/*\", }, \"sha\"],\n    \"x/@s/b\": [\"@s/b@2.0.0\", \"\", {}, \"\"],\n    \"w\": [\"w@workspace:w\"],\n    /* y */\n    \"g\": [\"g@github:x/g#1\", {}, \"\"],\n  },\n}\n";

    #[test]
    fn locks() {
        check(&BUN_LOCK, LOCK, &["@s/b 2.0.0", "a 1.0.0"]);
        check(
            &BUN_LOCK,
            "{\"packages\":{\"a\":[],\"b\":1,\"c\":[\"c@1.0.0\"]}}",
            &["c 1.0.0", "corrupt", "corrupt"],
        );
    }

    #[test]
    fn damage() {
        survive_damage(&BUN_LOCK, LOCK);
        check(&BUN_LOCK, &format!("{{\"x\":{}", ", \n".repeat(100_000)), &["corrupt"]);
    }
}
