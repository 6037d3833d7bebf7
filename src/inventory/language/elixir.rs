//! Elixir and Erlang: `mix.lock`, a map with one line for each package:
//! `"key": {:hex, :name, "version", ...}`. What comes from a repository has no version, and is left out.

use super::text::quoted;
use super::{Collector, Manifest, place};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};

/// The cataloger.
pub const MIX_LOCK: Manifest = Manifest {
    name: "mix",
    patterns: &[PathPattern::Named("mix.lock")],
    // Below `deps` are the sources of what was locked.
    takes: |path| {
        place::of_application(path) && !place::folders(path).contains(&b"deps".as_slice())
    },
    ecosystem: Ecosystem::Hex,
    state: PackageState::Locked,
    read,
};

fn read(text: &str, found: &mut Collector) {
    for line in text.lines().map(str::trim).filter(|line| line.starts_with('"')) {
        match hex(line) {
            Some((name, version)) => found.add(name, version),
            None if line.contains("{:git,") || line.contains("{:path,") => {}
            None => found.corrupt("a line that is no package"),
        }
    }
    if !text.trim().is_empty() && !text.trim_start().starts_with("%{") {
        found.corrupt("no map");
    }
}

fn hex(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = quoted(line)?;
    let rest = rest.trim_start_matches([':', ' ', '=', '>']).strip_prefix("{:hex,")?;
    let (name, rest) = rest.trim_start().strip_prefix(':')?.split_once(',')?;
    let (version, _) = quoted(rest)?;
    Some((name.trim_matches('"'), version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const LOCK: &str = "%{\n  \"a\": {:hex, :a_b, \"1.0.0\", \"hash\", [:mix], [{:c, \"~> 2\", [hex: :c]}], \"hexpm\", \"x\"},\n  \"g\": {:git, \"https://x\", \"1\", []},\n  \"old\" => {:hex, :\"o\", \"2.0\"},\n}\n";

    #[test]
    fn locks() {
        check(&MIX_LOCK, LOCK, &["a_b 1.0.0", "o 2.0"]);
        check(&MIX_LOCK, "", &[]);
        check(&MIX_LOCK, "%{\n\"a\": {:hex, :a", &["corrupt"]);
        check(&MIX_LOCK, "x", &["corrupt"]);
    }

    #[test]
    fn damage() {
        survive_damage(&MIX_LOCK, LOCK);
    }
}
