//! Databases of real hosts and of other scanners' tests, from the shared data.

use crate::listing::{by_rpm, has_rpm, listing, open, run};
use rpmdb_reader::{Files, Header, Package};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Unpacks an archive of the shared data.
fn unpack(archive: &str, pattern: &str) -> Option<TempDir> {
    let archive = test_material::shared()?.join("data").join(archive);
    let folder = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--zstd", "--wildcards", "-xf"]).arg(archive).arg("-C").arg(folder.path());
    run(tar.arg(pattern));
    Some(folder)
}

/// All files of a name below a folder.
fn find(folder: &Path, name: &str) -> Vec<PathBuf> {
    let output = run(Command::new("find").arg(folder).args(["-type", "f", "-name", name]));
    let mut files: Vec<PathBuf> =
        String::from_utf8(output).unwrap().lines().map(PathBuf::from).collect();
    files.sort();
    files
}

/// Name, epoch, version, release, architecture, source, module and vendor, as in `expected.tsv`.
fn row(package: &Package) -> String {
    let none = || "(none)".to_owned();
    let texts = [
        package.name.clone(),
        package.epoch.unwrap_or(0).to_string(),
        package.version.clone(),
        package.release.clone(),
        package.arch.clone().unwrap_or_else(none),
        package.source_rpm.clone().unwrap_or_else(none),
        package.module.clone().unwrap_or_else(none),
        package.vendor.clone().unwrap_or_else(none),
    ];
    texts.join("\t")
}

#[test]
fn twelve_hosts_have_what_is_expected() {
    let Some(folder) = unpack("fixtures.tar.zst", "*rpmdb/reconstructed/*") else { return };
    let (mut hosts, mut packages) = (0, 0);
    for expected in find(folder.path(), "expected.tsv") {
        let names = ["Packages", "rpmdb.sqlite"].map(|name| expected.with_file_name(name));
        let database = open(names.iter().find(|path| path.exists()).unwrap()).unwrap();
        assert!(database.problems().is_empty());
        let parse = |header: Result<rpmdb_reader::Blob, _>| {
            let package = Package::parse(&header.unwrap().bytes, Files::Left).unwrap();
            assert!(package.problems.is_empty(), "{:?}", package.problems);
            row(&package)
        };
        let mut found: Vec<String> = database.headers().map(parse).collect();
        let expected = fs::read_to_string(&expected).unwrap();
        let mut expected: Vec<&str> = expected.lines().collect();
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected);
        (hosts, packages) = (hosts + 1, packages + found.len());
    }
    assert_eq!((hosts, packages), (12, 5687));
}

/// All fields and files, of all that this machine's rpm reads.
#[test]
fn rpm_says_the_same_of_every_database() {
    let Some(folder) = unpack("fixtures.tar.zst", "*rpmdb/*") else { return };
    if !has_rpm() {
        return;
    }
    for archive in find(folder.path(), "*.tar.xz") {
        run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(archive.parent().unwrap()));
    }
    let (mut databases, mut packages) = (0, 0);
    for path in [find(folder.path(), "Packages"), find(folder.path(), "rpmdb.sqlite")].concat() {
        if fs::metadata(&path).unwrap().len() == 0 {
            continue;
        }
        let alone = tempfile::tempdir().unwrap();
        fs::copy(&path, alone.path().join(path.file_name().unwrap())).unwrap();
        let listing = listing(&path);
        assert_eq!(listing.packages, by_rpm(alone.path()), "{}", path.display());
        assert_eq!(listing.problems, [""; 0], "{}", path.display());
        (databases, packages) = (databases + 1, packages + listing.packages.len());
    }
    assert_eq!((databases, packages), (18, 6037));
}

/// Digests hold in all that rpm itself made of real packages.
#[test]
fn digests_of_genuine_headers_hold() {
    let Some(folder) = unpack("fixtures.tar.zst", "*rpmdb/*") else { return };
    let (mut held, mut without) = (0, 0);
    let names = ["Packages.db", "rpmdb.sqlite", "Packages"];
    for path in names.iter().flat_map(|name| find(folder.path(), name)) {
        for header in open(&path).unwrap().headers() {
            match Header::parse(&header.unwrap().bytes).unwrap().digest_holds() {
                Some(holds) => held += i32::from(holds),
                None => without += 1,
            }
        }
    }
    assert_eq!((held, without), (5860, 0));
}

#[test]
fn three_kinds_with_the_same_packages() {
    let Some(folder) = unpack("rpmdb/rpm-backends.tar.zst", "*") else { return };
    let names = ["Packages", "Packages.db", "rpmdb.sqlite"];
    let of = |name: &str| listing(&find(folder.path(), name)[0]);
    let listings = names.map(of);
    for listing in &listings {
        assert_eq!((listing.packages.len(), listing.problems.len()), (5, 0));
        // All but the time of installation.
        let fields = |package: &String| -> Vec<String> {
            let fields = package.split('\t').enumerate();
            fields.filter(|(at, _)| *at != 10).map(|(_, field)| field.to_owned()).collect()
        };
        let all = |packages: &[String]| packages.iter().map(fields).collect::<Vec<_>>();
        assert_eq!(all(&listing.packages), all(&listings[0].packages));
    }
}

#[test]
fn what_is_no_package_database_is_refused() {
    let Some(folder) = unpack("fixtures.tar.zst", "*rpmdb/*") else { return };
    let cases = [
        ("no_packages.sqlite", "no table of packages"),
        ("matching-dnf-history.sqlite", "no table of packages"),
        ("empty.sqlite", "empty file"),
        ("invalid", "not supported: package database of an unknown kind"),
    ];
    for (name, words) in cases {
        let error = open(&find(folder.path(), name)[0]).err().unwrap().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
    let none = listing(&find(folder.path(), "rpm4_empty")[0]);
    assert_eq!((none.packages.len(), none.problems.len()), (0, 0));
}

/// rpm 4.20 says what is in the two of SUSE, which this machine's rpm cannot read: the hashes are
/// of its answer to `query` in the words of `listing`.
#[test]
fn ndb_of_suse() {
    let Some(folder) = unpack("fixtures.tar.zst", "*rpmdb/*") else { return };
    let mut found = Vec::new();
    for path in find(folder.path(), "Packages.db") {
        let listing = listing(&path);
        assert_eq!(listing.problems, [""; 0]);
        found.push((listing.packages.len(), hash(&listing.packages.join("\n"))));
    }
    let expected = [
        (35, "5387ddd65eed69272fd7ec219688647368f476b9c59d8ed11021504054d841d7"),
        (3, "43edc9ae25412090dbbbf11d604cba4e952e06ab9314cf0b13787796567a29a7"),
    ];
    assert_eq!(found, expected.map(|(packages, hash)| (packages, hash.to_owned())));
}

fn hash(text: &str) -> String {
    use sha2::Digest;
    use std::fmt::Write;
    let mut digits = String::new();
    for byte in sha2::Sha256::digest(text) {
        write!(digits, "{byte:02x}").unwrap();
    }
    digits
}
