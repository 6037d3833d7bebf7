//! Conda: `conda-meta/NAME-VERSION-BUILD.json`, one file for each package of an environment.

use super::{Collector, Manifest, json};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};

/// The cataloger. Each record counts: `history` beside them is not copied with every environment.
pub const RECORD: Manifest = Manifest {
    name: "conda",
    patterns: &[PathPattern::Below { folders: &["conda-meta"], ending: ".json" }],
    takes: |_| true,
    ecosystem: Ecosystem::Conda,
    state: PackageState::Installed,
    read,
};

fn read(text: &str, found: &mut Collector) {
    let mut words = [None, None];
    let end = json::each(text, &[&["name"], &["version"]], &mut |which, _, value| {
        words[which] = json::string(value);
    });
    match words {
        [Some(name), Some(version)] => found.add(&name, &version),
        _ if end.is_ok() => found.corrupt("a record without a name or a version"),
        _ => {}
    }
    if let Err(error) = end {
        found.corrupt(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const OPENSSL: &str = r#"{"build":"h7f8727e_0","files":["bin/openssl"],"name":"openssl",
        "link":{"source":"/opt/conda/pkgs/x"},"version":"3.0.13"}"#;

    #[test]
    fn records() {
        check(&RECORD, OPENSSL, &["openssl 3.0.13"]);
        check(&RECORD, r#"{"name":"a"}"#, &["corrupt"]);
        check(&RECORD, r#"{"name":"a","version":"1","files":["#, &["a 1", "corrupt"]);
    }

    #[test]
    fn every_record_of_an_environment_and_no_other_file() {
        let takes = |folder: &str, file: &str| {
            RECORD.patterns.iter().any(|it| it.takes(folder.as_bytes(), file.as_bytes()))
        };
        assert!(takes("/opt/conda/conda-meta", "openssl-3.0.13-h7f8727e_0.json"));
        assert!(!takes("/opt/conda/conda-meta", "history"));
        assert!(!takes("/opt/conda/conda-meta/x", "a.json"));
        assert!(!takes("/opt/conda/my-conda-meta", "a.json"));
    }

    #[test]
    fn damage() {
        survive_damage(&RECORD, OPENSSL);
    }
}
