//! `.meta/NAME-VERSION/install.json` in the folder of modules: the record of cpanm (and of Carton, which calls it).

use super::split_dist;
use crate::inventory::PathPattern;
use crate::inventory::language::{Collector, Manifest, json, place};
use crate::model::{Ecosystem, PackageState};

/// The cataloger.
pub const INSTALL_JSON: Manifest = Manifest {
    name: "cpanm",
    patterns: &[PathPattern::Named("install.json")],
    takes: |path| matches!(place::folders(path).as_slice(), [.., b".meta", _]),
    ecosystem: Ecosystem::Cpan,
    state: PackageState::Installed,
    read,
};

fn read(text: &str, found: &mut Collector) {
    let mut dist = None;
    let end = json::each(text, &[&["dist"]], &mut |_, _, value| dist = json::string(value));
    match dist.as_deref().and_then(split_dist) {
        Some((name, version)) => found.add(name, version),
        None if end.is_ok() => found.corrupt("no name and version of a distribution"),
        None => {}
    }
    if let Err(error) = end {
        found.corrupt(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    #[test]
    fn records() {
        let record = r#"{"name":"A::B","dist":"A-B-1.02","version":"1.02","provides":{"A::B":{"version":1.02}}}"#;
        check(&INSTALL_JSON, record, &["A-B 1.02"]);
        check(&INSTALL_JSON, r#"{"dist":"A"}"#, &["corrupt"]);
        survive_damage(&INSTALL_JSON, record);
    }
}
