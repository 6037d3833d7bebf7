//! SPDX documents, validated with the tools of its makers, and CycloneDX 1.6.

use super::sample::{self, package, written};
use super::validator::{check_references, validator};
use crate::support::{disks, sidelight};
use serde_json::{Value, json};
use sidelight::model::{PackageState, ScanReport};
use sidelight::report::Options;

fn document(report: &ScanReport, format: &str) -> Value {
    serde_json::from_slice(&written(report, format, Options::default())).expect("JSON")
}

fn assert_valid(document: &Value) {
    if let Some(validator) = validator() {
        assert_eq!(validator.errors(document.to_string().as_bytes()), "");
    }
}

/// Names that break what is put together by hand, and packages of every kind.
fn odd() -> ScanReport {
    let mut report = sample::report();
    let names = ["a\tb", "<&>\"'\\", "\u{202e}evil", "../..", "é%2F?#"];
    report.assets[0].packages.extend(names.map(|name| package(name, name, name, name)));
    report.assets[0].packages[0].state = PackageState::Locked;
    report.assets[0].packages[1].owner = Some("python3-requests".to_owned());
    report
}

#[test]
fn the_validator_takes_a_sound_spdx_document_and_refuses_a_broken_one() {
    let Some(validator) = validator() else { return };
    let mut document = document(&sample::report(), "spdx");
    assert_valid(&document);
    document["packages"][0]["SPDXID"] = json!("no id");
    assert_ne!(validator.errors(document.to_string().as_bytes()), "");
}

#[test]
fn spdx_says_where_a_package_is_from_and_what_was_not_read() {
    let report = odd();
    let document = document(&report, "spdx");
    assert_valid(&document);
    let packages = document["packages"].as_array().expect("packages");
    let count: usize = report.assets.iter().map(|asset| asset.packages.len() + 1).sum();
    assert_eq!(packages.len(), count);
    let told = packages[1]["sourceInfo"].as_str().expect("text");
    assert!(told.starts_with("found in /var/lib/dpkg/status; named by a lockfile"), "{told}");
    let told = packages[2]["sourceInfo"].as_str().expect("text");
    assert!(told.ends_with("belongs to the package of the system python3-requests"), "{told}");
    let comment = document["comment"].as_str().expect("text");
    assert!(comment.contains("data.img: unsupported: xfs is recognised and not read"), "{comment}");
}

#[test]
fn cyclonedx_1_6_says_how_a_package_was_found() {
    let document = document(&odd(), "cyclonedx-1.6");
    assert_valid(&document);
    check_references(&document);
    let components = document["components"].as_array().expect("components");
    let identity = components.iter().find_map(|it| it["evidence"]["identity"].get(0)).expect("one");
    assert_eq!(identity["methods"][0]["technique"], "manifest-analysis");
    assert_eq!(identity["methods"][0]["value"], "/var/lib/dpkg/status");
}

#[test]
fn a_real_disk_gives_valid_documents_with_all_packages() {
    let Some(folder) = disks() else { return };
    let image = folder.join("debian-12.img");
    let image = image.to_str().expect("UTF-8");
    let count = |report: &Value, path: &str, what: &str| {
        let all = report.pointer(path).and_then(Value::as_array).expect("a list");
        all.iter().filter(|it| it.to_string().contains(what)).count()
    };
    let expected = count(&sbom(image, "cyclonedx"), "/components", "pkg:deb/");
    assert!(expected > 300);
    for (format, path) in [("cyclonedx-1.6", "/components"), ("spdx", "/packages")] {
        let document = sbom(image, format);
        assert_valid(&document);
        assert_eq!(count(&document, path, "pkg:deb/"), expected, "{format}");
    }
}

fn sbom(image: &str, format: &str) -> Value {
    let output = sidelight(&["sbom", "--only", "os", "--format", format, image]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
