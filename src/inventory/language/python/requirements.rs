//! `requirements.txt`: the requirements that name one version, by `==` or `===`.
//!
//! Format: <https://pip.pypa.io/en/stable/reference/requirements-file-format/>. Other specifiers, ranges
//! (`==1.*`), links, editable installs and variables name no version, and are no gap. Files that it
//! includes are read where they have the name of one.

use crate::inventory::PathPattern;
use crate::inventory::language::{Collector, Manifest, place};
use crate::model::{Ecosystem, PackageState};

/// The cataloger.
pub const REQUIREMENTS: Manifest = Manifest {
    name: "requirements",
    patterns: &[PathPattern::Ending("requirements.txt")],
    takes: place::of_application,
    ecosystem: Ecosystem::Pypi,
    state: PackageState::Locked,
    read,
};

fn read(text: &str, found: &mut Collector) {
    let mut logical = String::new();
    for line in text.lines() {
        match line.strip_suffix('\\') {
            // A comment ends with its line, whatever it ends with.
            Some(start) if !line.trim_start().starts_with('#') => logical.push_str(start),
            _ => {
                logical.push_str(line);
                add(&logical, found);
                logical.clear();
            }
        }
    }
    add(&logical, found);
}

fn add(line: &str, found: &mut Collector) {
    let line = line.split(" #").next().unwrap_or_default().trim();
    if line.starts_with(['#', '-']) {
        return;
    }
    let requirement = line.split([';', '\t']).next().unwrap_or_default();
    let requirement = requirement.split(" -").next().unwrap_or_default();
    if let Some((name, version)) = pin(requirement) {
        found.add(name, version);
    }
}

/// The name and the version of a requirement that allows one version only.
pub(super) fn pin(requirement: &str) -> Option<(&str, &str)> {
    let end = requirement.find(|c: char| !is_of_name(c)).unwrap_or(requirement.len());
    let (name, rest) = requirement.split_at(end);
    Some((name, version(without_extras(rest)).filter(|_| !name.is_empty())?))
}

/// The version that one of these specifiers demands.
pub(super) fn version(specifiers: &str) -> Option<&str> {
    let specifiers = specifiers.trim().trim_start_matches('(').trim_end_matches(')').split(',');
    let versions = specifiers.filter_map(|one| {
        let version = one.trim().strip_prefix("==")?;
        let version = version.strip_prefix('=').unwrap_or(version).trim();
        version.split_whitespace().next()
    });
    versions.into_iter().find(|version| version.chars().all(is_of_version))
}

fn without_extras(rest: &str) -> &str {
    let rest = rest.trim_start();
    let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inside.map_or(rest, |(_, rest)| rest)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

fn is_of_version(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.+!".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    #[test]
    fn pins_and_nothing_else() {
        check(
            &REQUIREMENTS,
            "a==1\nb [x, y] == 2.0 ; python_version < '3'\nc===3 # why\nd==4,>=3\ne (==5)\n",
            &["a 1", "b 2.0", "c 3", "d 4", "e 5"],
        );
        check(
            &REQUIREMENTS,
            "a>=1\nb==1.*\nc\nd~=1.0\ne @ https://x/e==1.zip\n-r x==1\n./f==1\ng==${V}\n",
            &[],
        );
        check(
            &REQUIREMENTS,
            "a \\\n == 1 \\\n  --hash=sha256:0\n# b==2 \\\nc==3 --hash=x\nd==4 -C e\n",
            &["a 1", "c 3", "d 4"],
        );
    }

    #[test]
    fn damage() {
        survive_damage(&REQUIREMENTS, "a==1.0\nb[x]==2 \\\n  --hash=sha256:1\n");
        check(&REQUIREMENTS, &format!("{}==1\nb==2\\", "a".repeat(64 << 10)), &["b 2", "limit"]);
    }
}
