//! Erlang: `rebar.lock`, terms of which `{pkg,<<"NAME">>,<<"VERSION">>}` is a package of Hex, by the name that it has there.
//! What comes from a repository has no version, and is left out.

use super::text::quoted;
use super::{Collector, Manifest, place};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};

/// The cataloger.
pub const REBAR_LOCK: Manifest = Manifest {
    name: "rebar",
    patterns: &[PathPattern::Named("rebar.lock")],
    takes,
    ecosystem: Ecosystem::Hex,
    state: PackageState::Locked,
    read,
};

/// Below these folders are the sources of what was locked.
fn takes(path: &[u8]) -> bool {
    let of_others = |name: &&[u8]| matches!(*name, b"deps" | b"_build" | b"_checkouts");
    place::of_application(path) && !place::folders(path).iter().any(of_others)
}

fn read(text: &str, found: &mut Collector) {
    for package in text.split("{pkg,").skip(1) {
        match binary(package).and_then(|(name, rest)| Some((name, binary(rest)?.0))) {
            Some((name, version)) => found.add(name, version),
            None => found.corrupt("a package without a name or a version"),
        }
    }
    let text = text.trim();
    let is_whole = text.starts_with(['{', '[', '%']) && text.ends_with('.');
    if !text.is_empty() && !is_whole {
        found.corrupt("no whole terms of Erlang");
    }
}

/// The text of `<<"...">>`, which is next, and what follows its comma.
fn binary(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().strip_prefix("<<").filter(|it| it.starts_with('"'))?;
    let (value, rest) = quoted(text)?;
    let rest = rest.strip_prefix(">>")?.trim_start();
    Some((value, rest.strip_prefix(',').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const LOCK: &str = "{\"1.2.0\",\n[{<<\"amqp\">>,{pkg,<<\"amqp_client\">>,<<\"3.12.13\">>},0},\n {<<\"apns\">>,\n  {git,\"https://g/a.git\",\n       {ref,\"685e\"}},\n  0},\n {<<\"credentials_obfuscation\">>,\n  {pkg,<<\"credentials_obfuscation\">>,\n   <<\"3.4.0\">>},\n  1}]}.\n[\n{pkg_hash,[\n {<<\"amqp\">>, <<\"6FC6\">>}]}\n].\n";

    #[test]
    fn locks() {
        check(&REBAR_LOCK, LOCK, &["amqp_client 3.12.13", "credentials_obfuscation 3.4.0"]);
        check(&REBAR_LOCK, "[].\n", &[]);
        check(&REBAR_LOCK, "[{<<\"a\">>,{pkg,<<\"a\">>,<<\"1\">>},0}", &["a 1", "corrupt"]);
        check(&REBAR_LOCK, "[{<<\"a\">>,{pkg,<<\"a\">>},0}].", &["corrupt"]);
        check(&REBAR_LOCK, "rubbish", &["corrupt"]);
    }

    #[test]
    fn damage() {
        survive_damage(&REBAR_LOCK, LOCK);
    }
}
