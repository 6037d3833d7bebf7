//! The lockfiles and manifests of the shared data, against a reader of our own in Python that stands on Python's
//! parsers of JSON and TOML and on PyYAML.

use crate::support::{Names, assert_same, output, scan};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

#[test]
fn every_lockfile_of_the_shared_data() {
    let (Some(shared), Some(python)) = (test_material::shared(), test_material::python()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let unpack = ["--zstd", "-xf", "data/fixtures.tar.zst", "-C"].map(str::to_owned);
    let wanted = ["fixtures/lang-trivy-repos", "fixtures/lockfiles-vulsio"].map(str::to_owned);
    let target = folder.path().to_str().unwrap().to_owned();
    let mut tar = Command::new("tar");
    tar.args(unpack).arg(target).args(wanted).current_dir(&shared);
    assert!(tar.status().unwrap().success());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/languages/lockfiles.py");
    let expected = output(python, &[script.as_path(), folder.path()], folder.path());
    let expected = by_file(expected.lines().map(|line| {
        let words: Vec<_> = line.split('\t').collect();
        (words[0].to_owned(), words[1].to_owned(), words[2].to_owned())
    }));
    let found = scan(folder.path());
    assert_eq!(found.gaps, []);
    let found =
        by_file(found.found.into_iter().map(|it| (it.evidence[0].clone(), it.name, it.version)));
    assert!(expected.len() >= 40, "{} files", expected.len());
    let files: Vec<_> = found.keys().filter(|file| !expected.contains_key(*file)).collect();
    assert!(files.is_empty(), "the witness reads no such file: {files:?}");
    for (file, names) in &expected {
        assert_same(file, found.get(file).unwrap_or(&Names::new()), names);
    }
}

fn by_file(packages: impl Iterator<Item = (String, String, String)>) -> BTreeMap<String, Names> {
    let mut files = BTreeMap::<String, Names>::new();
    for (file, name, version) in packages {
        files.entry(file).or_default().insert((name, version));
    }
    files
}
