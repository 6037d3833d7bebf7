//! Swift: `Package.resolved`, version 1 (`object.pins`) and later (`pins`). A package is named by where its repository is;
//! one that is pinned to a branch or a commit has no version.

use super::{Collector, Manifest, json, place};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// The cataloger.
pub const PACKAGE_RESOLVED: Manifest = Manifest {
    name: "swift",
    patterns: &[PathPattern::Named("Package.resolved")],
    takes: place::of_application,
    ecosystem: Ecosystem::Swift,
    state: PackageState::Locked,
    read,
};

#[derive(Deserialize)]
struct Pin {
    #[serde(default, alias = "repositoryURL")]
    location: json::Word,
    state: State,
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    version: json::Word,
}

fn read(text: &str, found: &mut Collector) {
    let paths: &[&json::Path] = &[&["pins", json::EACH], &["object", "pins", json::EACH]];
    let end = json::each(text, paths, &mut |_, _, value| match serde_json::from_str::<Pin>(
        value.get(),
    ) {
        Ok(pin) => {
            let name = name(&pin.location.0);
            let namespace = name.rsplit_once('/').map_or("", |(namespace, _)| namespace);
            found.add_of(namespace, &name, &pin.state.version.0);
        }
        Err(error) => found.corrupt(error),
    });
    if let Err(error) = end {
        found.corrupt(error);
    }
}

/// `https://host/owner/name.git` and `git@host:owner/name.git` as `host/owner/name`.
fn name(location: &str) -> String {
    let bare = location.split_once("://").map_or(location, |(_, rest)| rest);
    let bare =
        bare.split_once('@').filter(|(user, _)| !user.contains('/')).map_or(bare, |(_, it)| it);
    bare.trim_end_matches('/').trim_end_matches(".git").replace(':', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const OLD: &str = r#"{"object":{"pins":[{"package":"A","repositoryURL":"https://g.com/o/A.git","state":{"branch":null,"version":"1.0.0"}},
        {"package":"B","repositoryURL":"git@g.com:o/b.git","state":{"version":"2.0.0"}}]},"version":1}"#;
    const NEW: &str = r#"{"pins":[{"identity":"a","location":"https://g.com/o/a","state":{"revision":"1","version":"1.0.0"}},
        {"identity":"c","location":"https://g.com/o/c","state":{"branch":"main"}},{"identity":"d"}],"version":2}"#;

    #[test]
    fn both_formats() {
        check(&PACKAGE_RESOLVED, OLD, &["g.com/o/A 1.0.0", "g.com/o/b 2.0.0"]);
        check(&PACKAGE_RESOLVED, NEW, &["g.com/o/a 1.0.0", "corrupt"]);
    }

    #[test]
    fn damage() {
        survive_damage(&PACKAGE_RESOLVED, OLD);
        survive_damage(&PACKAGE_RESOLVED, NEW);
    }
}
