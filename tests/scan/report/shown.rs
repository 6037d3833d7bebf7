//! Snapshots of all that a person reads.

use super::sample::{self, finding, package, written};
use sidelight::model::{Gap, GapReason, ScanReport, Severity};
use sidelight::report::{Colour, Options, Screen, Vulnerabilities};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn table(report: &ScanReport, width: Option<u16>, colour: Colour) -> String {
    let options = Options { screen: Screen { width, colour }, ..Options::default() };
    String::from_utf8(written(report, "table", options)).expect("UTF-8")
}

#[test]
fn the_table_in_a_file() {
    check("table_file", &table(&sample::report(), None, Colour::No));
}

#[test]
fn the_table_on_narrow_and_wide_terminals() {
    check("table_80", &table(&sample::report(), Some(80), Colour::No));
    check("table_140", &table(&sample::report(), Some(140), Colour::No));
    let coloured = table(&sample::report(), Some(80), Colour::Yes);
    check("table_80_colour", &coloured.replace('\x1b', "ESC"));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut report = sample::report();
    let long = "1:2.36.9~really4.5.6+dfsg-3ubuntu0.22.04.10+b1";
    let packages = [package(&"x".repeat(90), long, "x", long), package("y", long, "y", long)];
    report.assets[0].findings = packages.iter().map(|p| finding("CVE-2024-10001", p)).collect();
    report.gaps.push(Gap::new("/a/".repeat(50), GapReason::Corrupt, "bad ".repeat(50)));
    for width in [80, 140] {
        let table = table(&report, Some(width), Colour::No);
        let widest = table.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest <= usize::from(width), "{widest} in {width}:\n{table}");
    }
}

#[test]
fn no_finding_is_told_from_not_matched() {
    let mut report = sample::report();
    report.assets.truncate(1);
    report.assets[0].findings.clear();
    check("table_partly_matched", &table(&report, Some(80), Colour::No));
    report.gaps.clear();
    check("table_no_findings", &table(&report, Some(80), Colour::No));
    report.feeds.clear();
    check("table_no_match", &table(&report, Some(80), Colour::No));
    report.gaps.push(Gap::new("advisories", GapReason::NoVendorData, "no advisory store"));
    check("table_no_store", &table(&report, Some(80), Colour::No));
}

#[test]
fn without_the_list_of_exploited_ones_none_is_said_to_be_absent() {
    let mut report = sample::report();
    report.feeds.retain(|feed| feed.name != "kev");
    report.assets.iter_mut().flat_map(|a| &mut a.findings).for_each(|f| f.kev = false);
    let table = table(&report, None, Colour::No);
    assert!(table.contains("exploited ones not known (no feed kev)"), "{table}");
    assert!(!table.contains("0 known exploited"), "{table}");
    let options = Options { vulnerabilities: Vulnerabilities::Include, ..Options::default() };
    let bom = String::from_utf8(written(&report, "cyclonedx", options)).expect("UTF-8");
    assert!(!bom.contains("sidelight:kev"));
}

#[test]
fn packages_of_one_name_are_told_apart() {
    let mut report = sample::report();
    let amd64 = package("libc6", "2.36-9", "glibc", "2.36-9");
    let mut i386 = amd64.clone();
    "i386".clone_into(&mut i386.arch);
    i386.purl = i386.purl.replace("amd64", "i386");
    report.assets[0].findings = [&amd64, &i386].map(|p| finding("CVE-2024-2961", p)).into();
    report.assets[0].packages = vec![amd64, i386];
    let table = table(&report, None, Colour::No);
    assert!(
        table.contains("\nlibc6:amd64  2.36-9") && table.contains("\nlibc6:i386   2.36-9"),
        "{table}"
    );
}

#[test]
fn nothing_from_a_disk_or_a_feed_moves_the_terminal() {
    let mut report = sample::report();
    let evil = "\x1b]0;x\x07\x1b[2Jevil\r\n\u{202e}\u{9b}31m";
    report.host.hostname = Some(evil.to_owned());
    report.host.os.pretty_name = evil.to_owned();
    report.host.ips = vec![evil.to_owned()];
    report.host.kernels = vec![evil.to_owned()];
    report.host.mounts[0].path = evil.to_owned();
    report.feeds[0].date = evil.to_owned();
    report.gaps = vec![Gap::new(evil, GapReason::Corrupt, evil)];
    for asset in &mut report.assets {
        (asset.name, asset.id) = (evil.to_owned(), evil.to_owned());
        let package = package(evil, evil, evil, evil);
        let mut finding = finding(evil, &package);
        (finding.fixed, finding.severity) = (Some(evil.to_owned()), Severity::High);
        asset.findings = vec![finding];
        asset.packages = vec![package];
    }
    for width in [None, Some(80)] {
        let table = table(&report, width, Colour::No);
        let bad = table.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
        assert_eq!(bad, None, "{table:?}");
    }
}

#[test]
fn documents_for_programs() {
    let report = sample::report();
    let text = |format, vulnerabilities| {
        let options = Options { vulnerabilities, ..Options::default() };
        let text = String::from_utf8(written(&report, format, options)).expect("UTF-8");
        // The serial number is made from the document, which has our version in it.
        let lines = text.lines().filter(|line| !line.contains("\"serialNumber\""));
        let text = lines.collect::<Vec<_>>().join("\n");
        text.replace(&format!("\"version\": \"{VERSION}\""), "\"version\": \"VERSION\"")
    };
    check("json", &text("json", Vulnerabilities::Omit));
    check("cyclonedx", &text("cyclonedx", Vulnerabilities::Omit));
    check("cyclonedx_vulnerabilities", &text("cyclonedx", Vulnerabilities::Include));
}

/// With every feature: a build without them has fewer commands.
#[cfg(feature = "cloud")]
#[test]
fn help_of_each_command() {
    for (name, command) in [
        ("help", vec![]),
        ("help_scan", vec!["scan"]),
        ("help_sbom", vec!["sbom"]),
        ("help_disks", vec!["disks"]),
        ("help_ls", vec!["ls"]),
        ("help_cat", vec!["cat"]),
        ("help_sweep", vec!["sweep"]),
        ("help_cleanup", vec!["cleanup"]),
        ("help_doctor", vec!["doctor"]),
        ("help_feeds", vec!["feeds"]),
        ("help_feeds_update", vec!["feeds", "update"]),
        ("help_feeds_import", vec!["feeds", "import"]),
        ("help_feeds_status", vec!["feeds", "status"]),
    ] {
        let output = crate::support::sidelight(&[command, vec!["--help"]].concat());
        assert_eq!(output.status.code(), Some(0));
        check(name, &String::from_utf8(output.stdout).expect("UTF-8"));
    }
}

/// In a folder of its own, so that no path of this machine is in a message.
#[test]
fn errors_that_a_user_will_meet() {
    let work = tempfile::tempdir().expect("a folder");
    std::fs::write(work.path().join("broken.store"), "rubbish").expect("written");
    std::fs::write(work.path().join("broken.qcow2"), b"QFI\xfb\0\0\0\x09").expect("written");
    std::fs::write(work.path().join("disk.img"), [0; 4096]).expect("written");
    std::fs::create_dir(work.path().join("folder")).expect("made");
    let mut all = Vec::new();
    for line in [
        "scan",
        "scan missing.img",
        "scan folder",
        "scan broken.qcow2",
        "scan dir:missing",
        "scan disk.img dir:folder",
        "scan snap-123",
        "scan disk.img --format yaml",
        "scan disk.img --fail-on awful",
        "scan disk.img --fail-on high --no-match",
        "scan disk.img --advisories missing.store",
        "scan disk.img --advisories broken.store",
        "scan disk.img --bom-vulnerabilities",
        "scan dir:folder --read-set reads.json",
        "scan disk.img --output missing/report.txt",
        "scan disk.img --output folder",
        "scan disk.img --output disk.img/report",
        "scan disk.img --no-match --output /dev/full",
        "scan disk.img -v --quiet",
        "feeds import --feed debian missing.json --advisories store",
        "feeds import --feed rumours broken.store --advisories store",
        "feeds import --feed debian broken.store --advisories store",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sidelight"));
        command.args(line.split(' ')).current_dir(work.path()).env("HOME", work.path());
        let output = command.env_remove("XDG_DATA_HOME").output().expect("the program runs");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{line}: {stderr}");
        all.push(format!("$ sidelight {line}\n{stderr}"));
    }
    check("errors", &all.join("\n"));
}
