//! What tests need and a machine may not have: shared data, real disks, root; and a device that counts
//! what is read of it.
//!
//! One that is missing skips the test with a line on standard error that says what to do; with
//! `CI` set it fails instead. Each test that ran is noted in the folder `SIDELIGHT_RAN`, where
//! `scripts/test` looks for it.

mod counting;

pub use counting::{Counting, Taken};

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of shared data; `None` skips the test.
///
/// # Panics
/// If `SIDELIGHT_SHARED` names no folder: whoever sets it wants these tests to run.
pub fn shared() -> Option<PathBuf> {
    let named = env::var_os("SIDELIGHT_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    if let Some(folder) = &named {
        assert!(folder.is_dir(), "SIDELIGHT_SHARED is no folder: {}", folder.display());
    }
    let Some(folder) = named.or_else(|| beside.is_dir().then_some(beside)) else {
        eprintln!("skipped: {}: no shared data (set SIDELIGHT_SHARED to its folder)", test());
        return None;
    };
    ran("shared");
    Some(folder)
}

/// The folder of disks that `scripts/fixtures/all` built; `None` skips the test.
///
/// # Panics
/// In CI, where they must be there.
pub fn disks() -> Option<PathBuf> {
    let folder = env::var_os("SIDELIGHT_DISKS").map(PathBuf::from);
    if folder.is_none() {
        skip("no real disks; run scripts/test as root, which builds them");
    } else {
        ran("disks");
    }
    folder
}

/// Whether the test may mount and own files as root; `false` skips the test.
///
/// # Panics
/// In CI, which must run as root.
pub fn root() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid() == 0
    });
    if root {
        ran("root");
    } else {
        skip("needs root; run scripts/test as root");
    }
    root
}

/// The Python with the packages that `scripts/setup` installs; `None` skips the test.
///
/// # Panics
/// In CI, which runs `scripts/setup` first.
pub fn python() -> Option<PathBuf> {
    let named = env::var_os("SIDELIGHT_VENV").map(PathBuf::from);
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    let venv = named.or_else(|| Some(cache?.join("sidelight/venv")));
    let venv = venv.filter(|venv| venv.join("installed").exists());
    if venv.is_none() {
        skip("no Python packages; run scripts/setup, which installs them");
    } else {
        ran("python");
    }
    venv.map(|venv| venv.join("bin/python"))
}

/// Skips a test for a reason of its own.
///
/// # Panics
/// In CI, where nothing may be skipped.
pub fn skip(why: &str) {
    let test = test();
    assert!(env::var_os("CI").is_none(), "{test} must run in CI: {why}");
    eprintln!("skipped: {test}: {why}");
}

/// The name of the running test, which is that of its thread.
fn test() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}

fn ran(kind: &str) {
    let Some(folder) = env::var_os("SIDELIGHT_RAN").map(PathBuf::from) else { return };
    let name = format!("{kind}-{}", test().replace(|c: char| !c.is_alphanumeric(), "_"));
    fs::write(folder.join(name), "").expect("SIDELIGHT_RAN is a folder that can be written");
}
