//! Folders of this machine as hosts, what is found installed there, and what a tool says.

use sidelight::filesystem::Directory;
use sidelight::host::{Host, Tree};
use sidelight::inventory::{Inventory, Options, inventory};
use sidelight::model::{Ecosystem, HostContext, Package};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Names and versions.
pub type Names = BTreeSet<(String, String)>;

/// The inventory of a folder as a host; that it has no packages of a system is no news.
pub fn scan(root: &Path) -> Inventory {
    let directory = Directory::open(root).unwrap();
    let host = Host { tree: Tree::new(Arc::new(directory)), context: HostContext::default() };
    let mut found = inventory(&host, &Options::default());
    found.gaps.retain(|gap| !gap.detail.starts_with("no package database"));
    found
}

/// Those of one ecosystem.
pub fn names(packages: &[Package], ecosystem: Ecosystem) -> Names {
    let wanted = packages.iter().filter(|package| package.ecosystem == ecosystem);
    wanted.map(|package| (package.name.clone(), package.version.clone())).collect()
}

/// Says what is missed and what is extra, if anything is.
pub fn assert_same(what: &str, found: &Names, expected: &Names) {
    let missed: Vec<_> = expected.difference(found).collect();
    let extra: Vec<_> = found.difference(expected).collect();
    eprintln!("{what}: {} found, {} missed, {} extra", found.len(), missed.len(), extra.len());
    assert!(missed.is_empty() && extra.is_empty(), "{what}: missed {missed:?}, extra {extra:?}");
    assert!(!found.is_empty(), "{what}: nothing to compare");
}

/// What a program prints; whether it ended well is its own affair (`npm ls` minds much).
pub fn output<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: &[S],
    folder: &Path,
) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("npm_config_update_notifier", "false");
    command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("CARGO_NET_OFFLINE", "true");
    let output = command.output().unwrap();
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a program is on this machine.
pub fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
