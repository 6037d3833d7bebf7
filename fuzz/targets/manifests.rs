//! Manifests and lockfiles of languages: the first byte says which kind of file, the rest is its text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::filesystem::Directory;
use sidelight::host::{Host, Tree};
use sidelight::inventory::{Cataloger, language::CATALOGERS};
use sidelight::model::HostContext;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// Where each kind stands. A seed begins with the letter of its place: `A` for the first.
const PLACES: &[&str] = &[
    "app/Cargo.lock",
    "app/Gemfile.lock",
    "app/Manifest.toml",
    "app/Package.resolved",
    "app/Pipfile",
    "app/Pipfile.lock",
    "app/bun.lock",
    "app/composer.lock",
    "app/cpanfile.snapshot",
    "app/go.mod",
    "app/gradle.lockfile",
    "app/mix.lock",
    "app/package-lock.json",
    "app/packages.config",
    "app/packages.lock.json",
    "app/pnpm-lock.yaml",
    "app/poetry.lock",
    "app/pubspec.lock",
    "app/renv.lock",
    "app/requirements.txt",
    "app/x.deps.json",
    "app/yarn.lock",
    "lib/DESCRIPTION",
    "lib/a.dist-info/METADATA",
    "lib/composer/installed.json",
    "lib/conda-meta/a.json",
    "lib/node_modules/a/package.json",
    "lib/specifications/a-1.gemspec",
    "lib/.meta/A-1/install.json",
    "lib/auto/A/.packlist",
    "lib/wp-includes/version.php",
    "app/Directory.Packages.props",
    "app/Podfile.lock",
    "app/build.sbt.lock",
    "app/cabal.project.freeze",
    "app/conan.lock",
    "app/rebar.lock",
    "app/stack.yaml.lock",
    "lib/wp-content/plugins/a/a.php",
    "opt/bitnami/a/.spdx-a.spdx",
];

/// A root directory in memory, in which only the files of one place change.
static ROOT: LazyLock<TempDir> = LazyLock::new(|| {
    let root = TempDir::new_in("/dev/shm").expect("room in /dev/shm");
    for place in PLACES {
        let folder = root.path().join(place);
        std::fs::create_dir_all(folder.parent().expect("a folder")).expect("room in /dev/shm");
    }
    std::fs::write(root.path().join("lib/A.pm"), "our $VERSION = '1.0';\n").expect("room in /dev/shm");
    root
});

fuzz_target!(|data: &[u8]| {
    let Some((kind, text)) = data.split_first() else { return };
    let Some(place) = PLACES.get(usize::from(kind.wrapping_sub(b'A'))) else { return };
    let file = ROOT.path().join(place);
    std::fs::write(&file, text).expect("room in /dev/shm");
    let root = Directory::open(ROOT.path()).expect("the directory is there");
    let host = Host { tree: Tree::new(Arc::new(root)), context: HostContext::default() };
    let (folder, name) = place.rsplit_once('/').expect("each is in a folder");
    let takes = |cataloger: &&&dyn Cataloger| {
        let mut patterns = cataloger.patterns().iter();
        patterns.any(|pattern| pattern.takes(folder.as_bytes(), name.as_bytes()))
    };
    let cataloger = CATALOGERS.iter().find(takes).expect("each place is of a cataloger");
    let all = cataloger.catalog(&host, format!("/{place}").as_bytes());
    for package in &all.found {
        assert!(!package.name.is_empty() && !package.version.is_empty());
        assert!(!package.name.chars().any(char::is_control));
        assert!(package.purl.starts_with("pkg:") && package.purl.is_ascii());
    }
    assert!(all.gaps.len() <= 110);
    std::fs::remove_file(&file).expect("it was written");
});
