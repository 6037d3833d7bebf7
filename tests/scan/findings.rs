//! Findings for real Debian roots equal those of `scripts/witness/debian-findings`, which knows the
//! tracker's rules and `dpkg --compare-versions` but nothing of Sidelight.

use crate::support::{disks, sidelight};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Slices of the tracker's JSON as it was served.
const SLICES: [&str; 3] = [
    "vuln/raw-feeds/vunnel/debian/test-fixtures/input/debian.json",
    "vuln/raw-feeds/osv.dev/vulnfeeds/test_data/debian/debian_security_tracker_mock.json",
    "vuln/raw-feeds/vuls-data-update/fetch/debian/tracker/api/testdata/fixtures/advisory.json",
];
const OS_RELEASES: &str = "vuln/raw-feeds/claircore/debian/testdata/dist";
const LISTS: &str = "vuln/debian-tracker-2023-04-02";
const HOSTS: &str = "fixtures/hostlists-vulsio";
const TRIXIE: &str = "fixtures/dpkg/debootstrap-trixie/usr/lib/os-release";

/// What a scan reads, and what dpkg says is installed there.
struct Root {
    target: String,
    packages: PathBuf,
    codename: &'static str,
}

/// A file of the tracker's JSON, imported.
struct Tracker {
    json: PathBuf,
    store: PathBuf,
}

impl Tracker {
    fn name(&self) -> std::borrow::Cow<'_, str> {
        self.json.file_name().expect("a file").to_string_lossy()
    }
}

#[test]
fn findings_of_real_disks_equal_the_witness() {
    let (Some(disks), Some(work)) = (disks(), unpacked()) else { return };
    let root = |name: &str, codename| Root {
        target: format!("{}/{name}.img", disks.display()),
        packages: disks.join(format!("{name}.img.packages")),
        codename,
    };
    let trackers = trackers(work.path());
    let [eleven, twelve] = [root("debian-11", "bullseye"), root("debian-12", "bookworm")];
    agree(&eleven, &trackers);
    // Debian leaves CVE-2016-1585 of apparmor open in bookworm.
    assert_ne!(agree(&twelve, &trackers)[1], 0, "the slice with apparmor gave nothing");
}

#[test]
fn findings_of_hosts_that_lag_behind_equal_the_witness() {
    let Some(work) = unpacked() else { return };
    let trackers = trackers(work.path());
    for (number, codename, in_the_lists) in [
        (9, "stretch", true),
        (10, "buster", true),
        (11, "bullseye", true),
        // The lists are older than these releases.
        (12, "bookworm", false),
        (13, "trixie", false),
    ] {
        let folder = host(work.path(), number);
        let counts = agree(&folder_root(&folder, codename), &trackers);
        assert_eq!(counts[SLICES.len()] > 100, in_the_lists, "{codename}: {counts:?}");
    }
}

/// Scans the root with each tracker and compares; the number of findings of each.
fn agree(root: &Root, trackers: &[Tracker]) -> Vec<usize> {
    let counts = trackers.iter().map(|tracker| {
        let (found, expected) = (findings(root, tracker), witness(root, tracker));
        let place = format!("{} with {}", root.target, tracker.name());
        let difference: Vec<_> = found.symmetric_difference(&expected).collect();
        assert!(difference.is_empty(), "{place}: {difference:#?}");
        eprintln!("{place}: {} findings, as the witness says", found.len());
        found.len()
    });
    counts.collect()
}

/// Package, installed version, id, fixed version and state of each finding, as the witness writes it.
fn findings(root: &Root, tracker: &Tracker) -> BTreeSet<String> {
    let store = text(&tracker.store);
    let output = sidelight(&["scan", &root.target, "--format", "json", "--advisories", store]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(2), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("valid JSON");
    let assets = report["assets"].as_array().expect("assets");
    let rows = assets.iter().flat_map(|asset| asset["findings"].as_array().expect("findings"));
    let field = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let fields = ["package", "installed", "id", "fixed", "status"];
    rows.map(|row| fields.map(|name| field(row, name)).join("\t")).collect()
}

fn witness(root: &Root, tracker: &Tracker) -> BTreeSet<String> {
    let arguments = [text(&tracker.json), text(&root.packages), root.codename];
    let lines = run(script("debian-findings").args(arguments));
    lines.lines().map(str::to_owned).collect()
}

/// The slices, then the file made from both advisory lists.
fn trackers(work: &Path) -> Vec<Tracker> {
    let whole = work.join("lists.json");
    let lists = ["DSA/list", "DLA/list"].map(|name| work.join(LISTS).join(name));
    fs::write(&whole, run(script("tracker-from-lists").args(lists))).expect("written");
    let files = SLICES.iter().map(|name| work.join(name)).chain([whole]);
    files.enumerate().map(|(number, json)| imported(work, number, json)).collect()
}

fn imported(work: &Path, number: usize, json: PathBuf) -> Tracker {
    let store = work.join(format!("{number}.store"));
    let output = sidelight(&[
        "feeds",
        "import",
        "--feed",
        "debian",
        text(&json),
        "--advisories",
        text(&store),
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Tracker { json, store }
}

/// A root folder with the package list of a host of the `hostlists-vulsio` set.
fn host(work: &Path, number: u32) -> PathBuf {
    let list = fs::read(work.join(HOSTS).join(format!("debian_{number}.json"))).expect("the list");
    let list: Value = serde_json::from_slice(&list).expect("valid JSON");
    let folder = work.join(format!("host-{number}"));
    fs::create_dir_all(folder.join("etc")).expect("made");
    fs::create_dir_all(folder.join("var/lib/dpkg")).expect("made");
    fs::write(folder.join("var/lib/dpkg/status"), status(&list)).expect("written");
    let from = match number {
        13 => work.join(TRIXIE),
        _ => work.join(OS_RELEASES).join(number.to_string()).join("etc/os-release"),
    };
    fs::copy(from, folder.join("etc/os-release")).expect("copied");
    folder
}

/// dpkg's status of the packages in a host list, which says nothing of their architectures.
fn status(list: &Value) -> String {
    let field = |value: &Value| value.as_str().expect("text").to_owned();
    let sources = list["SrcPackages"].as_object().expect("sources");
    let stanzas = sources.values().flat_map(|source| {
        let names = source["binaryNames"].as_array().expect("names");
        names.iter().map(move |name| {
            let (name, from) = (field(name), field(&source["name"]));
            let (of, version) = (field(&source["version"]), &list["packages"][&name]["version"]);
            format!(
                "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n\
                 Source: {from} ({of})\nMaintainer: none\nDescription: none\n",
                field(version)
            )
        })
    });
    stanzas.collect::<Vec<_>>().join("\n")
}

/// A folder as a root, with the package list that dpkg reads from it.
fn folder_root(folder: &Path, codename: &'static str) -> Root {
    const FORMAT: &str = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t\
        ${source:Package}\t${source:Version}\n";
    let admin = format!("--admindir={}", folder.join("var/lib/dpkg").display());
    let listed = run(Command::new("dpkg-query").args([&admin, "-W", "-f", FORMAT]));
    let installed = listed.lines().filter_map(|line| line.strip_prefix("installed\t"));
    let packages = folder.with_extension("packages");
    fs::write(&packages, installed.collect::<Vec<_>>().join("\n") + "\n").expect("written");
    Root { target: format!("dir:{}", folder.display()), packages, codename }
}

/// The shared data that these tests use, unpacked.
fn unpacked() -> Option<tempfile::TempDir> {
    let shared = test_material::shared()?;
    let work = tempfile::tempdir().expect("a folder");
    let slices = [&SLICES[..], &[OS_RELEASES]].concat();
    for (archive, members) in [
        ("advisories/raw-feeds", slices.as_slice()),
        ("advisories/debian-tracker", &[LISTS]),
        ("fixtures", &[HOSTS, TRIXIE]),
    ] {
        let archive = shared.join(format!("data/{archive}.tar.zst"));
        let into = Command::new("tar")
            .args(["--zstd", "-xf", text(&archive), "-C", text(work.path())])
            .args(members)
            .status();
        assert!(into.expect("tar runs").success(), "{}", archive.display());
    }
    Some(work)
}

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/witness").join(name))
}

/// What the command prints, if it succeeds.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("the command runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}
