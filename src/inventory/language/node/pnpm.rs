//! `pnpm-lock.yaml`, versions 5 to 9, line by line: the keys of `packages` (indent of two), which have name and
//! version, and the fields `name` and `version` of those that come from elsewhere than a registry.
//!
//! pnpm writes block style with fixed indents; anchors, tags, multi-line scalars and a list in flow style are
//! not read, and a `packages` without an entry that can be read is a gap.

use super::{add, is_version, split_name};
use crate::inventory::PathPattern;
use crate::inventory::language::{Collector, Manifest, place};
use crate::model::{Ecosystem, PackageState};

/// The cataloger.
pub const PNPM_LOCK: Manifest = Manifest {
    name: "pnpm",
    patterns: &[PathPattern::Named("pnpm-lock.yaml")],
    takes: place::of_application,
    ecosystem: Ecosystem::Npm,
    state: PackageState::Locked,
    read,
};

#[derive(Default)]
struct Entry<'a> {
    key: &'a str,
    name: &'a str,
    version: &'a str,
}

fn read(text: &str, found: &mut Collector) {
    let (mut is_inside, mut is_lock, mut entry) = (false, false, Entry::default());
    for line in text.lines().map(str::trim_end) {
        let (indent, line) = (line.len() - line.trim_start().len(), line.trim_start());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if indent == 0 {
            is_lock |= line.starts_with("lockfileVersion:");
            is_inside = line == "packages:";
            // In flow style there is only the empty one.
            if line.starts_with("packages:") && !is_inside && !line.ends_with("{}") {
                found.corrupt("packages in a style that is not read");
            }
        } else if is_inside && indent == 2 && line != ":" {
            entry.add(found);
            entry = Entry { key: key(line), ..Entry::default() };
        } else if is_inside && indent == 4 {
            match line.split_once(": ") {
                Some(("name", value)) => entry.name = plain(value),
                Some(("version", value)) => entry.version = plain(value),
                _ => {}
            }
        }
    }
    entry.add(found);
    if !is_lock {
        found.corrupt("no version of a lockfile of pnpm");
    }
}

/// The key of a line; a long one is written with a question mark, and its colon in the next line.
fn key(line: &str) -> &str {
    let line = line.strip_prefix("? ").unwrap_or(line);
    plain(line.strip_suffix(':').unwrap_or(line).split(": ").next().unwrap_or_default())
}

fn plain(scalar: &str) -> &str {
    scalar.trim().trim_matches(['\'', '"'])
}

impl Entry<'_> {
    fn add(&self, found: &mut Collector) {
        let (name, version) = named(self.key).unwrap_or_default();
        let name = if self.name.is_empty() { name } else { self.name };
        let version = if self.version.is_empty() { version } else { self.version };
        // A link to a folder that has no name.
        if is_version(version) && !name.contains(':') {
            add(found, name, version);
        }
    }
}

/// Name and version of a key: `/a/1.0.0_peers` (5), `/a@1.0.0(peers)` (6), `a@1.0.0` (9); before version 6 with
/// the host of another registry in front.
fn named(key: &str) -> Option<(&str, &str)> {
    let whole = key.split('(').next()?;
    let path = whole.strip_prefix('/').unwrap_or(whole);
    let newer = split_name(path).filter(|(name, _)| is_name(name));
    if let Some((name, version)) = newer.filter(|(_, rest)| is_version(rest) || rest.contains(':'))
    {
        return Some((name, version));
    }
    let (rest, version) = path.rsplit_once('/')?;
    let version = version.split('_').next()?;
    let name = match rest.rfind("/@").map(|at| at + 1) {
        Some(scope) => &rest[scope..],
        None if rest.starts_with('@') => rest,
        None => rest.rsplit('/').next()?,
    };
    Some((name, version))
}

/// Whether this is `name` or `@scope/name`.
fn is_name(text: &str) -> bool {
    let slashes = text.matches('/').count();
    if text.starts_with('@') { slashes == 1 } else { slashes == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const V5: &str = "lockfileVersion: 5.3\n\ndependencies:\n  a: 1.0.0\n\npackages:\n\n  /a/1.0.0:\n    resolution: {integrity: x}\n    dependencies:\n      version: 9.9.9\n    dev: false\n\n  /@s/b/2.0.0_peer@3.0.0+q@1:\n    dev: true\n\n  registry.npmjs.org/@s/c/3.0.0:\n  host.com/d/4.0.0:\n\n  github.com/x/e/0123abc:\n    name: e\n    version: 5.0.0\n\n  file:../f:\n    name: f\n";
    const V9: &str = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    version: 1.0.0\n\npackages:\n\n  '@s/a@1.0.0':\n    resolution: {integrity: x}\n\n  b@2.0.0-rc.1:\n    engines: {node: '>=1'}\n\n  ? long@3.0.0\n  : resolution: {integrity: x}\n\n  git@https://host/git/tar.gz/0123:\n    version: 6.0.1\n\nsnapshots:\n\n  z@9.0.0(y@1.0.0): {}\n";

    #[test]
    fn every_version() {
        check(&PNPM_LOCK, V5, &["@s/b 2.0.0", "@s/c 3.0.0", "a 1.0.0", "d 4.0.0", "e 5.0.0"]);
        check(
            &PNPM_LOCK,
            "lockfileVersion: '6.0'\npackages:\n\n  /@s/a@1.0.0(b@2.0.0)(c@3):\n    dev: false\n  /c@3.0.0:\n",
            &["@s/a 1.0.0", "c 3.0.0"],
        );
        check(&PNPM_LOCK, V9, &["@s/a 1.0.0", "b 2.0.0-rc.1", "git 6.0.1", "long 3.0.0"]);
        check(&PNPM_LOCK, "lockfileVersion: 5.3\npackages: {}\n", &[]);
    }

    #[test]
    fn damage() {
        survive_damage(&PNPM_LOCK, V5);
        survive_damage(&PNPM_LOCK, V9);
        check(&PNPM_LOCK, "packages: {a@1: {}}\n", &["corrupt", "corrupt"]);
        check(&PNPM_LOCK, "", &["corrupt"]);
    }
}
