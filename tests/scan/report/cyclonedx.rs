//! CycloneDX documents, validated with the official schema.

use super::sample::{self, package, written};
use super::validator::{check_references, validator};
use crate::support::{disks, sidelight};
use serde_json::{Value, json};
use sidelight::model::ScanReport;
use sidelight::report::{Colour, Options, Screen, Vulnerabilities};
use std::fs;

const WITH_FINDINGS: Options = Options {
    vulnerabilities: Vulnerabilities::Include,
    screen: Screen { width: None, colour: Colour::No },
};

fn bom(report: &ScanReport, options: Options) -> Value {
    let text = written(report, "cyclonedx", options);
    let bom = serde_json::from_slice(&text).expect("JSON");
    check_references(&bom);
    bom
}

fn vulnerability<'a>(bom: &'a Value, id: &str) -> &'a Value {
    let all = bom["vulnerabilities"].as_array().expect("vulnerabilities");
    all.iter().find(|vulnerability| vulnerability["id"] == id).expect("the vulnerability")
}

fn assert_valid(bom: &Value) {
    if let Some(validator) = validator() {
        assert_eq!(validator.errors(bom.to_string().as_bytes()), "");
    }
}

#[test]
fn the_validator_takes_a_sound_document_and_refuses_a_broken_one() {
    let Some(validator) = validator() else { return };
    let mut bom = bom(&sample::report(), WITH_FINDINGS);
    assert_valid(&bom);
    bom["vulnerabilities"][0]["analysis"]["responses"] = json!(["update"]);
    let errors = validator.errors(bom.to_string().as_bytes());
    assert!(errors.contains("'responses' was unexpected"), "{errors}");
}

#[test]
fn findings_are_vulnerabilities_of_all_that_they_are_on() {
    let bom = bom(&sample::report(), WITH_FINDINGS);
    let libc = "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64&distro=debian-12";
    let both = vulnerability(&bom, "CVE-2024-2961")["affects"].as_array().expect("targets");
    let references: Vec<_> = both.iter().map(|target| target["ref"].as_str()).collect();
    let inside = format!("container:9f86d081884c:{libc}");
    let twice = format!("{inside}#2");
    assert_eq!(references, [Some(inside.as_str()), Some(twice.as_str()), Some(libc)]);
    assert_eq!(
        both[2]["versions"],
        json!([
            { "version": "2.36-9+deb12u1", "status": "affected" },
            { "range": "vers:deb/>=2.36-9%2Bdeb12u1%2Bdeb12u9", "status": "unaffected" },
        ])
    );
}

#[test]
fn no_range_is_given_where_source_and_package_count_differently() {
    let bom = bom(&sample::report(), WITH_FINDINGS);
    let versions = &vulnerability(&bom, "CVE-2023-4039")["affects"][0]["versions"];
    assert_eq!(*versions, json!([{ "version": "4:12.2.0-3", "status": "affected" }]));
}

#[test]
fn what_the_vendor_says_is_a_response_and_never_an_analysis() {
    let bom = bom(&sample::report(), WITH_FINDINGS);
    for (id, response) in [
        ("CVE-2023-4911", json!(["update"])),
        ("CVE-2024-0001", json!(["will_not_fix"])),
        ("CVE-2023-51767", Value::Null),
        ("CVE-2007-2768", Value::Null),
    ] {
        let analysis = &vulnerability(&bom, id)["analysis"];
        assert_eq!((&analysis["response"], &analysis["state"]), (&response, &Value::Null), "{id}");
    }
}

#[test]
fn a_cvss_vector_is_a_rating_of_its_method() {
    let bom = bom(&sample::report(), WITH_FINDINGS);
    let ratings = &vulnerability(&bom, "CVE-2023-38408")["ratings"];
    assert_eq!(
        (&ratings[0]["severity"], &ratings[0]["method"]),
        (&json!("critical"), &json!("other"))
    );
    assert_eq!(ratings[1]["method"], "CVSSv31");
    assert_eq!(ratings[1]["vector"], "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
}

#[test]
fn without_a_match_there_is_no_list_of_vulnerabilities() {
    let mut report = sample::report();
    assert_eq!(bom(&report, Options::default())["vulnerabilities"], Value::Null);
    report.assets.iter_mut().for_each(|asset| asset.findings.clear());
    assert_eq!(bom(&report, WITH_FINDINGS)["vulnerabilities"], json!([]));
    report.feeds.clear();
    assert_eq!(bom(&report, WITH_FINDINGS)["vulnerabilities"], Value::Null);
    assert_valid(&bom(&report, WITH_FINDINGS));
}

#[test]
fn a_list_with_gaps_is_incomplete() {
    let mut report = sample::report();
    let expected = json!([{ "aggregate": "incomplete", "assemblies": ["host"] }]);
    assert_eq!(bom(&report, Options::default())["compositions"], expected);
    report.gaps.clear();
    assert_eq!(bom(&report, Options::default())["compositions"], Value::Null);
}

#[test]
fn the_serial_number_follows_the_content() {
    let mut report = sample::report();
    let number = |report: &ScanReport| bom(report, Options::default())["serialNumber"].clone();
    let before = number(&report);
    report.receipt.seconds = 9.0;
    assert_eq!(number(&report), before);
    report.assets[0].packages[0].version.push('1');
    assert_ne!(number(&report), before);
}

#[test]
fn odd_names_are_kept_and_the_document_stays_valid() {
    let mut report = sample::report();
    let odd =
        ["", " ", "a\tb\nc", "\u{202e}evil", "<&>\"'\\", "../..", "x#2", "urn:cdx:x", "é%2F?#"];
    let packages = odd.map(|name| package(name, name, name, name));
    let long = "9".repeat(5000);
    let mut lost = package("lost", "1", "lost", "1");
    lost.purl = "not a purl".to_owned();
    let findings = [&lost, &package("long", &long, "long", &long), &packages[4]]
        .map(|package| sample::finding("CVE-2024-0002 <&>", package));
    let asset = &mut report.assets[0];
    asset.packages = packages.into();
    asset.packages.extend([lost, package("long", &long, "long", &long)]);
    asset.findings = findings.into();
    let bom = bom(&report, WITH_FINDINGS);
    assert_valid(&bom);
    let components = bom["components"].as_array().expect("components");
    let by_name = |name: &str| components.iter().find(|c| c["name"] == name).expect("there");
    assert_eq!(by_name("lost")["purl"], Value::Null);
    assert_eq!(by_name("lost")["properties"][2]["name"], "sidelight:invalid_purl");
    assert_eq!(by_name("<&>\"'\\")["version"], "<&>\"'\\");
}

#[test]
fn a_finding_whose_package_is_not_listed_is_named() {
    let mut report = sample::report();
    report.assets[1].packages.clear();
    report.assets[0].findings.clear();
    let bom = bom(&report, WITH_FINDINGS);
    let properties = bom["vulnerabilities"][0]["properties"].as_array().expect("properties");
    assert!(properties.iter().any(|property| property["name"] == "sidelight:affected_purl"));
}

#[test]
fn a_hostile_package_database_gives_a_valid_document() {
    let work = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(work.path().join("etc")).expect("made");
    fs::create_dir_all(work.path().join("var/lib/dpkg")).expect("made");
    let release = "ID=\"de bi/an\\x1b\"\nVERSION_ID='?#&'\nPRETTY_NAME=\"\u{1b}[31m\"\n";
    fs::write(work.path().join("etc/os-release"), release).expect("written");
    let mut status = Vec::new();
    for name in [&b"a/../b"[..], b"\x1b]0;x\x07", b"\xff\xfe", b"@?#&=%", b"same", b"same"] {
        status.extend(b"Package: ");
        status.extend(name);
        status.extend(b"\nStatus: install ok installed\nVersion: 1:2~\xe2\x80\xae%\nSource: s (");
        status.extend(status.len().to_string().bytes());
        status.extend(b")\n\n");
    }
    fs::write(work.path().join("var/lib/dpkg/status"), status).expect("written");
    let target = format!("dir:{}", work.path().display());
    let output = sidelight(&["scan", &target, "--no-match", "--format", "cyclonedx"]);
    let bom: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_valid(&bom);
    check_references(&bom);
    assert_eq!(bom["components"].as_array().map(Vec::len), Some(7), "{bom:#}");
}

#[test]
fn a_real_disk_gives_a_valid_document() {
    let Some(folder) = disks() else { return };
    let image = folder.join("debian-12.img");
    let image = image.to_str().expect("UTF-8");
    let output = sidelight(&["scan", image, "--only", "os", "--no-match", "--format", "cyclonedx"]);
    let bom: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_valid(&bom);
    check_references(&bom);
    let witness = fs::read_to_string(folder.join("debian-12.img.packages")).expect("the witness");
    let components = bom["components"].as_array().expect("components").len();
    assert_eq!(components, witness.lines().count() + 1);
}

#[test]
fn vulnerabilities_are_asked_for_of_a_bill_of_materials_only() {
    let output = sidelight(&["scan", "dir:/", "--format", "json", "--bom-vulnerabilities"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("--format cyclonedx"), "{stderr}");
}
