//! `yarn.lock`: that of yarn 1 (a format of its own) and that of later ones (a subset of YAML). In both
//! an entry is a line without indent that ends with a colon, and its fields are indented by two.

use super::{add, split_name};
use crate::inventory::PathPattern;
use crate::inventory::language::{Collector, Manifest, place};
use crate::model::{Ecosystem, PackageState};

/// The cataloger.
pub const YARN_LOCK: Manifest = Manifest {
    name: "yarn",
    patterns: &[PathPattern::Named("yarn.lock")],
    takes: place::of_application,
    ecosystem: Ecosystem::Npm,
    state: PackageState::Locked,
    read,
};

#[derive(Default)]
struct Entry<'a> {
    wanted_as: &'a str,
    version: &'a str,
    resolution: &'a str,
}

fn read(text: &str, found: &mut Collector) {
    let mut entry = Entry::default();
    for line in text.lines() {
        let (indent, line) = (line.len() - line.trim_start().len(), line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if indent == 0 {
            entry.add(found);
            entry =
                Entry { wanted_as: line.strip_suffix(':').unwrap_or_default(), ..Entry::default() };
            if entry.wanted_as.is_empty() {
                found.corrupt("a line that is no entry of a lockfile of yarn");
                return;
            }
        } else if indent == 2 {
            let (field, value) = line.split_once([' ', ':']).unwrap_or((line, ""));
            let value = value.trim().trim_matches('"');
            match field.trim_matches('"') {
                "version" => entry.version = value,
                "resolution" => entry.resolution = value,
                _ => {}
            }
        }
    }
    entry.add(found);
}

impl Entry<'_> {
    fn add(&self, found: &mut Collector) {
        // Later versions of yarn give what an entry resolved to; `name@range` of the first one is the other's way.
        let first = self.wanted_as.split(", ").next().unwrap_or_default().trim_matches('"');
        let whole = if self.resolution.is_empty() { first } else { self.resolution };
        let Some((name, rest)) = split_name(whole) else {
            if !matches!(whole, "" | "__metadata") {
                found.corrupt("an entry without a name and what was asked of it");
            }
            return;
        };
        if rest.starts_with("workspace:") {
            return;
        }
        let alias = rest.strip_prefix("npm:").and_then(split_name);
        let alias = alias.filter(|_| self.resolution.is_empty()).map(|(name, _)| name);
        add(found, alias.unwrap_or(name), self.version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const CLASSIC: &str = "# yarn lockfile v1\n\n\n\"@s/a@^1.0.0\", \"@s/a@^1.1.0\":\n  version \"1.1.0\"\n  resolved \"x\"\n  dependencies:\n    version \"9\"\n\nb@~2, b@2:\n  version \"2.0.0\"\n\n\"c@npm:d@^3\":\n  version \"3.0.0\"\n";
    const BERRY: &str = "__metadata:\n  version: 6\n  cacheKey: 8\n\n\"@s/a@npm:^1, @s/a@npm:^2\":\n  version: 1.0.0\n  resolution: \"@s/a@npm:1.0.0\"\n  dependencies:\n    b: ^1\n  checksum: 1\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n\n\"c@npm:d@^3\":\n  version: 3.0.0\n  resolution: \"d@npm:3.0.0\"\n\n\"f@patch:f@^2#~builtin<x>\":\n  version: 2.3.2\n  resolution: \"f@patch:f@npm%3A2.3.2#~builtin<x>::version=2.3.2\"\n";

    #[test]
    fn both_formats() {
        check(&YARN_LOCK, CLASSIC, &["@s/a 1.1.0", "b 2.0.0", "d 3.0.0"]);
        check(&YARN_LOCK, BERRY, &["@s/a 1.0.0", "d 3.0.0", "f 2.3.2"]);
    }

    #[test]
    fn damage() {
        survive_damage(&YARN_LOCK, CLASSIC);
        survive_damage(&YARN_LOCK, BERRY);
        check(&YARN_LOCK, "a:\n  version \"1\"\nb@1:\n  version \"2\"\n", &["b 2", "corrupt"]);
        check(
            &YARN_LOCK,
            &format!("{CLASSIC}{{rubbish"),
            &["@s/a 1.1.0", "b 2.0.0", "d 3.0.0", "corrupt"],
        );
    }
}
