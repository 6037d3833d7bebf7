//! Databases of package managers: the first byte says which file of which, the rest is its bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::filesystem::Directory;
use sidelight::host::{Host, Tree};
use sidelight::inventory::{Cataloger, os};
use sidelight::model::HostContext;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// What is read.
struct Kind {
    cataloger: &'static dyn Cataloger,
    /// The file whose bytes are arbitrary.
    file: &'static str,
    /// What the cataloger is pointed at.
    at: &'static str,
}

const fn kind(cataloger: &'static dyn Cataloger, file: &'static str, at: &'static str) -> Kind {
    Kind { cataloger, file, at }
}

/// A seed begins with the letter of its place: `A` for the first.
const KINDS: &[Kind] = &[
    kind(&os::apk::Apk, "lib/apk/db/installed", "/lib/apk/db/installed"),
    kind(&os::pacman::Pacman, "var/lib/pacman/local/a-1-1/desc", "/var/lib/pacman/local"),
    kind(&os::pacman::Pacman, "var/lib/pacman/local/a-1-1/files", "/var/lib/pacman/local"),
    kind(&os::flatpak::Flatpak, "var/lib/flatpak/app/org.a.B/x86_64/stable/active/deploy", "/var/lib/flatpak/app"),
    kind(&os::snap::Snap, "var/lib/snapd/snaps/a_1.snap", "/var/lib/snapd/snaps/a_1.snap"),
];

/// A root directory in memory, in which only the file of one place changes.
static ROOT: LazyLock<TempDir> = LazyLock::new(|| {
    let root = TempDir::new_in("/dev/shm").expect("room in /dev/shm");
    for kind in KINDS {
        let file = root.path().join(kind.file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("room in /dev/shm");
        std::fs::write(file, b"").expect("room in /dev/shm");
    }
    root
});

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else { return };
    let Some(kind) = KINDS.get(usize::from(which.wrapping_sub(b'A'))) else { return };
    let file = ROOT.path().join(kind.file);
    std::fs::write(&file, bytes).expect("room in /dev/shm");
    let root = Directory::open(ROOT.path()).expect("the directory is there");
    let host = Host { tree: Tree::new(Arc::new(root)), context: HostContext::default() };
    let all = kind.cataloger.catalog(&host, kind.at.as_bytes());
    for package in &all.found {
        assert!(!package.name.is_empty());
        assert!(!package.name.chars().any(char::is_control));
        assert!(!package.version.chars().any(char::is_control));
        assert!(package.purl.starts_with("pkg:") && package.purl.is_ascii());
    }
    assert!(all.gaps.len() <= 1100, "{} gaps", all.gaps.len());
    std::fs::write(&file, b"").expect("it was written");
});
