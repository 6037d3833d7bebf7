//! Databases that this machine's rpm makes (SQLite) and reads (SQLite, Berkeley DB).

use crate::listing::{by_rpm, data, erase, has_rpm, install, listing};

pub const ALL: [&str; 8] =
    ["empty", "plain", "epoch", "module", "kinds", "many", "signed-rsa", "signed-eddsa"];

#[test]
fn sqlite_that_rpm_made() {
    if !has_rpm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), &ALL);
    erase(folder.path(), &["many", "module"]);
    install(folder.path(), &["many"]);
    let listing = listing(&folder.path().join("rpmdb.sqlite"));
    assert_eq!(listing.packages, by_rpm(folder.path()));
    assert_eq!((listing.packages.len(), listing.problems.len()), (7, 0));
}

#[test]
fn sqlite_that_rpm_rebuilt() {
    if !has_rpm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), &ALL);
    crate::listing::run(
        std::process::Command::new("rpmdb").arg("--dbpath").arg(folder.path()).arg("--rebuilddb"),
    );
    let listing = listing(&folder.path().join("rpmdb.sqlite"));
    assert_eq!(listing.packages, by_rpm(folder.path()));
    assert_eq!((listing.packages.len(), listing.problems.len()), (8, 0));
}

#[test]
fn berkeley_db_that_this_rpm_reads_too() {
    if !has_rpm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(data().join("bdb/Packages"), folder.path().join("Packages")).unwrap();
    assert_eq!(listing(&data().join("bdb/Packages")).packages, by_rpm(folder.path()));
}

/// A key is a row like a package, without an architecture.
#[test]
fn a_trusted_key_has_its_name() {
    if !has_rpm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let key = data().join("signer.asc");
    let mut rpmkeys = std::process::Command::new("rpmkeys");
    crate::listing::run(rpmkeys.arg("--dbpath").arg(folder.path()).arg("--import").arg(key));
    install(folder.path(), &["signed-rsa"]);
    let listing = listing(&folder.path().join("rpmdb.sqlite"));
    assert_eq!(listing.packages, by_rpm(folder.path()));
    assert_eq!((listing.packages.len(), listing.problems.len()), (2, 0));
    assert!(listing.packages[0].starts_with("gpg-pubkey\t(none)\t"));
    assert_eq!(listing.packages[0].split('\t').nth(4), Some("(none)"));
}
