//! The dpkg database: arbitrary bytes as `/var/lib/dpkg/status`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::filesystem::Directory;
use sidelight::host::{Host, Tree};
use sidelight::inventory::{Cataloger, os::dpkg::Dpkg};
use sidelight::model::HostContext;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// A root directory in memory, in which only the status file changes.
static ROOT: LazyLock<TempDir> = LazyLock::new(|| {
    let root = TempDir::new_in("/dev/shm").expect("room in /dev/shm");
    std::fs::create_dir_all(root.path().join("var/lib/dpkg")).expect("room in /dev/shm");
    root
});

fuzz_target!(|data: &[u8]| {
    std::fs::write(ROOT.path().join("var/lib/dpkg/status"), data).expect("room in /dev/shm");
    let root = Directory::open(ROOT.path()).expect("the directory is there");
    let host = Host { tree: Tree::new(Arc::new(root)), context: HostContext::default() };
    for package in Dpkg.catalog(&host, b"/var/lib/dpkg/status").found {
        assert!(!package.name.is_empty());
    }
});
