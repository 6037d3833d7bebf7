//! Directories as roots: hostile trees, and the exit codes.

use crate::support::{scan, sidelight};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const STATUS: &str =
    "Package: good\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n\n";

/// A root with one package, as the program takes it.
pub fn root(work: &Path) -> PathBuf {
    fs::create_dir_all(work.join("etc")).expect("made");
    fs::create_dir_all(work.join("var/lib/dpkg")).expect("made");
    fs::write(work.join("etc/os-release"), "ID=debian\nVERSION_ID=12\n").expect("written");
    fs::write(work.join("var/lib/dpkg/status"), STATUS).expect("written");
    PathBuf::from(format!("dir:{}", work.display()))
}

/// Names of the packages.
pub fn names(report: &serde_json::Value) -> Vec<&str> {
    let packages = report["assets"][0]["packages"].as_array().expect("packages");
    packages.iter().filter_map(|package| package["name"].as_str()).collect()
}

#[test]
fn a_sound_tree_has_no_gaps() {
    let work = tempfile::tempdir().expect("a folder");
    let (code, report) = scan(&[&root(work.path())]);
    assert_eq!((code, names(&report)), (0, vec!["good"]));
    assert_eq!(
        report["assets"][0]["packages"][0]["purl"],
        "pkg:deb/debian/good@1.0-1?arch=amd64&distro=debian-12"
    );
}

#[test]
fn a_link_cannot_leave_the_root() {
    let (work, outside) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let target = root(work.path());
    fs::write(outside.path().join("hostname"), "stolen\n").expect("written");
    let up = "../".repeat(20);
    symlink(outside.path().join("hostname"), work.path().join("etc/hostname")).expect("linked");
    symlink(
        format!("{up}{}/hostname", outside.path().display()),
        work.path().join("etc/machine-id"),
    )
    .expect("linked");
    let (_, report) = scan(&[&target]);
    assert_eq!(report["host"]["hostname"], serde_json::Value::Null);
    assert_eq!(report["host"]["machine_id"], serde_json::Value::Null);
}

#[test]
fn links_in_a_circle_and_pipes_end_as_gaps_or_nothing() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    symlink("hostname", work.path().join("etc/hostname")).expect("linked");
    let fifo = work.path().join("etc/machine-id");
    assert!(
        std::process::Command::new("mkfifo").arg(fifo).status().expect("mkfifo runs").success()
    );
    let (code, report) = scan(&[&target]);
    assert_eq!((code, names(&report)), (3, vec!["good"]));
    assert_eq!(report["gaps"][0]["place"], "/etc/hostname");
}

#[test]
fn a_status_file_of_four_gibibytes_is_a_limit_and_not_a_memory() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let status = fs::File::options()
        .append(true)
        .open(work.path().join("var/lib/dpkg/status"))
        .expect("opened");
    status.set_len(4 << 30).expect("grown");
    let (code, report) = scan(&[&target]);
    assert_eq!((code, names(&report)), (3, vec!["good"]));
    assert!(report["receipt"]["peak_memory_bytes"].as_u64().expect("a number") < 100 << 20);
}

#[test]
fn names_that_are_not_utf8_are_read() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let odd = |start: &[u8], end: &[u8]| OsString::from_vec([start, b"\xff\x1b[2J", end].concat());
    let folder = work.path().join("var/lib/dpkg/status.d");
    fs::create_dir(&folder).expect("made");
    fs::write(folder.join(odd(b"", b"")), "Package: odd\nVersion: 2\n").expect("written");
    fs::create_dir_all(work.path().join("etc/netplan")).expect("made");
    let netplan = "network:\n  ethernets:\n    e:\n      addresses: [10.7.7.7/24]\n";
    fs::write(work.path().join("etc/netplan").join(odd(b"", b".yaml")), netplan).expect("written");
    let (code, report) = scan(&[&target]);
    assert_eq!((code, names(&report)), (0, vec!["good", "odd"]));
    assert_eq!(report["host"]["ips"], serde_json::json!(["10.7.7.7"]));
    let evidence = &report["assets"][0]["packages"][1]["evidence"][0];
    assert_eq!(*evidence, r"/var/lib/dpkg/status.d/\xff\x1b[2J");
}

#[test]
fn no_package_database_is_a_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    fs::remove_file(work.path().join("var/lib/dpkg/status")).expect("removed");
    let (code, report) = scan(&[&target]);
    assert_eq!((code, &report["gaps"][0]["reason"]), (3, &"missing".into()));
}

#[test]
fn what_cannot_run_says_why_and_exits_with_2() {
    for (arguments, word) in [
        (vec!["scan", "/no/such/disk"], "No such file"),
        (vec!["scan", "snap-xyz"], "neither a file nor a snapshot id"),
        (vec!["scan", "dir:/no/such/folder"], "No such file"),
        (vec!["scan", "/tmp"], "write dir:PATH"),
        (vec!["scan"], "required"),
        (vec!["scan", "x", "--format", "yaml"], "possible values"),
    ] {
        let output = sidelight(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(word), "{arguments:?}: {stderr}");
    }
}

#[test]
fn the_sbom_is_valid_and_says_what_was_not_read() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    symlink("hostname", work.path().join("etc/hostname")).expect("linked");
    let output = sidelight(&["scan", target.to_str().expect("UTF-8"), "--format", "cyclonedx"]);
    let bom =
        cyclonedx_bom::prelude::Bom::parse_from_json(output.stdout.as_slice()).expect("a BOM");
    let validation = cyclonedx_bom::prelude::Validate::validate(&bom);
    assert!(validation.passed(), "{validation:?}");
    // The operating system and the package.
    assert_eq!(bom.components.expect("components").0.len(), 2);
    let properties = bom.metadata.and_then(|metadata| metadata.properties).expect("properties");
    assert!(properties.0.iter().any(|property| property.name == "sidelight:gap"));
}

/// A store of the tracker's file in which one of two entries is nonsense, and of the list of
/// exploited ones with `exploited`.
fn store(work: &Path, exploited: &str) -> String {
    let path = |name: &str| work.join(name).to_str().expect("UTF-8").to_owned();
    let tracker = r#"{"good": {
        "CVE-2024-0001": {"scope": "local", "releases": {"bookworm": {"status": "open",
            "repositories": {"bookworm": "1.0-1"}, "urgency": "not yet assigned"}}},
        "CVE-2024-0002": {"releases": 5}}}"#;
    let kev = format!(
        r#"{{"vulnerabilities": [{{"cveID": "{exploited}", "dateAdded": "2024-01-01",
        "dueDate": "2024-02-01"}}]}}"#
    );
    for (feed, text) in [("debian", tracker), ("kev", kev.as_str())] {
        fs::write(path(feed), text).expect("written");
        let into = path("store");
        let arguments = ["feeds", "import", "--feed", feed, &path(feed), "--advisories", &into];
        let output = sidelight(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    path("store")
}

#[test]
fn entries_of_a_feed_that_were_not_understood_are_a_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let store = store(work.path(), "CVE-2000-0001");
    let target = target.to_str().expect("UTF-8");
    let output = sidelight(&["scan", target, "--format", "json", "--advisories", &store]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&report["feeds"][0]["name"], &report["feeds"][0]["skipped"]),
        (&"debian".into(), &1.into())
    );
    assert_eq!(report["feeds"][1]["skipped"], 0);
    let gap = serde_json::json!({"place": "feed debian", "reason": "corrupt",
        "detail": "1 of its entries were not understood, so not matched"});
    assert_eq!((output.status.code(), &report["gaps"]), (Some(3), &serde_json::json!([gap])));
}

#[test]
fn what_is_known_to_be_exploited_reaches_every_threshold() {
    for (exploited, threshold, code) in [
        ("CVE-2000-0001", "unknown", 1),
        ("CVE-2000-0001", "low", 3),
        ("CVE-2024-0001", "low", 1),
        ("CVE-2024-0001", "critical", 1),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        let target = root(work.path());
        let store = store(work.path(), exploited);
        let target = target.to_str().expect("UTF-8");
        let output = sidelight(&["scan", target, "--advisories", &store, "--fail-on", threshold]);
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{exploited}, {threshold}: {shown}");
    }
}
