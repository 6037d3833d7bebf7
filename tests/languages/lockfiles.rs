//! The lockfiles and manifests of the shared data, against a reader of our own in Python that stands on Python's
//! parsers of JSON and TOML and on PyYAML.

use crate::support::{Names, assert_same, output, scan};
use sidelight::model::Package;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Folders of odd and broken lockfiles, and the name that each file of them has in life.
const ODD: &[(&str, &str)] = &[
    ("cpp/conanlock", "conan.lock"),
    ("dart/pubspec", "pubspec.lock"),
    ("dotnet/packageslockjson", "packages.lock.json"),
    ("erlang/mixlock", "mix.lock"),
    ("golang/gomod", "go.mod"),
    ("javascript/bunlock", "bun.lock"),
    ("javascript/packagelockjson", "package-lock.json"),
    ("javascript/pnpmlock", "pnpm-lock.yaml"),
    ("javascript/yarnlock", "yarn.lock"),
    ("julia/manifesttoml", "Manifest.toml"),
    ("php/composerlock", "composer.lock"),
    ("python/pdmlock", "pdm.lock"),
    ("python/pipfilelock", "Pipfile.lock"),
    ("python/poetrylock", "poetry.lock"),
    ("python/pylock", "pylock.toml"),
    ("python/requirements", "requirements.txt"),
    ("python/uvlock", "uv.lock"),
    ("r/renvlock", "renv.lock"),
    ("ruby/gemfilelock", "Gemfile.lock"),
    ("rust/cargolock", "Cargo.lock"),
];

/// Gives the odd ones their names; that of each is then its folder's.
fn name_odd_ones(fixtures: &Path) {
    for (folder, name) in ODD {
        let from = fixtures.join("lang-scalibr").join(folder).join("testdata");
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                let to = fixtures.join("odd").join(folder).join(entry.file_name());
                fs::create_dir_all(&to).unwrap();
                fs::rename(entry.path(), to.join(name)).unwrap();
            }
        }
    }
    fs::remove_dir_all(fixtures.join("lang-scalibr")).unwrap();
    for folder in [
        "lang-trivy-repos/composer-vendor",
        "lockfiles-vulsio/installed-packagist",
        "lockfiles-vulsio/installed-pear",
    ] {
        let to = fixtures.join("odd").join(folder);
        fs::create_dir_all(&to).unwrap();
        fs::rename(fixtures.join(folder), to.join("composer")).unwrap();
    }
}

#[test]
fn every_lockfile_of_the_shared_data() {
    let (Some(shared), Some(python)) = (test_material::shared(), test_material::python()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let unpack = ["--zstd", "-xf", "data/fixtures.tar.zst", "-C"].map(str::to_owned);
    let wanted = ["lang-scalibr", "lang-trivy-repos", "lockfiles-vulsio"]
        .map(|name| format!("fixtures/{name}"));
    let target = folder.path().to_str().unwrap().to_owned();
    let mut tar = Command::new("tar");
    tar.args(unpack).arg(target).args(wanted).current_dir(&shared);
    assert!(tar.status().unwrap().success());
    name_odd_ones(&folder.path().join("fixtures"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/languages/lockfiles.py");
    let listed = output(python, &[script.as_path(), folder.path()], folder.path());
    let lines: Vec<Vec<_>> = listed.lines().map(|line| line.split('\t').collect()).collect();
    let damaged: BTreeSet<_> = lines.iter().filter(|it| it.len() == 1).map(|it| it[0]).collect();
    let whole = lines.iter().filter(|it| it.len() == 3);
    let expected = by_file(whole.map(|it| (it[0].to_owned(), it[1].to_owned(), it[2].to_owned())));
    let found = scan(folder.path());
    let gaps = found.gaps.into_iter().filter(|gap| !is_broken(&gap.place, &damaged));
    assert_eq!(gaps.collect::<Vec<_>>(), []);
    let proven = found.packages.into_iter().flat_map(|it| {
        let Package { name, version, evidence, .. } = it;
        evidence.into_iter().map(move |path| (path, name.clone(), version.clone()))
    });
    let found = by_file(proven.filter(|(path, ..)| !damaged.contains(path.as_str())));
    assert!(expected.len() >= 200, "{} files", expected.len());
    let files: Vec<_> = found.keys().filter(|file| !expected.contains_key(*file)).collect();
    assert!(files.is_empty(), "the witness finds nothing in: {files:?}");
    for (file, names) in &expected {
        assert_same(file, found.get(file).unwrap_or(&Names::new()), names);
    }
}

/// What the witness cannot parse either, or its author named so.
fn is_broken(place: &str, damaged: &BTreeSet<&str>) -> bool {
    let named = ["/invalid.lock/", "/not-go-mod.mod/", ".sum/go.mod"];
    damaged.contains(place) || named.iter().any(|name| place.contains(name))
}

fn by_file(packages: impl Iterator<Item = (String, String, String)>) -> BTreeMap<String, Names> {
    let mut files = BTreeMap::<String, Names>::new();
    for (file, name, version) in packages {
        files.entry(file).or_default().insert((name, version));
    }
    files
}
