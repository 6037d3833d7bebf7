//! What a sweep writes: `sweep.json`, a report and an SBOM of each host, JSON to standard output.

use crate::accounts::{Account, Other};
use crate::standin::{Standin, standin};
use crate::validator::{check_references, validator};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;

/// A store of the committed advisories.
fn store(standin: &Standin, account: &Account, folder: &Path) -> String {
    let store = folder.join("advisories").display().to_string();
    let facts = Path::new(env!("CARGO_MANIFEST_DIR")).join("disk-fixtures/advisories");
    for feed in ["debian", "kev"] {
        let file = facts.join(format!("{feed}.json")).display().to_string();
        let words = ["feeds", "import", "--advisories", &store, "--feed", feed, &file];
        let output = standin.sidelight(account, &words).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    store
}

fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}

fn sweep(standin: &Standin, account: &Account, words: &[&str]) -> Output {
    let output =
        standin.sidelight(account, &["sweep", "--stopped"]).args(words).output().expect("it runs");
    assert!(output.status.code() != Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn a_folder_holds_the_sweep_and_a_report_and_an_sbom_of_each_host() {
    let Some(standin) = standin() else { return };
    let account = Other::Reports.account();
    let work = tempfile::tempdir().expect("a folder");
    let store = store(standin, &account, work.path());
    let folder = work.path().join("reports");
    let named = folder.display().to_string();
    let words =
        ["--advisories", &store, "--output", &named, "--fail-on", "negligible", "--format", "json"];
    let output = sweep(standin, &account, &words);
    assert_eq!(output.status.code(), Some(1), "findings go over gaps");
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // A folder for each sweep.
    let folder = folder.join(shown["sweep"].as_str().expect("an id"));
    let written = json(&folder.join("sweep.json"));
    assert_eq!(shown, written);
    assert_eq!(written["schema_version"], 1);
    let hosts = written["hosts"].as_array().expect("hosts");
    for (name, expected) in [("instances", 19), ("scanned", 14), ("skipped", 3), ("failed", 2)] {
        assert_eq!(written["totals"][name], expected, "{name}");
    }
    check_totals(&written);
    let scanned = hosts.iter().filter(|host| host["status"] == "scanned");
    let boms: Vec<_> = scanned.map(|host| check_folder(&folder, host)).collect();
    assert_eq!(json(&folder.join("started.json"))["sweep"], written["sweep"]);
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), boms.len() + 2);
    assert!(
        boms.iter().any(|bom| bom["vulnerabilities"].as_array().is_some_and(|it| it.len() > 3))
    );
    check_valid(&boms);
    markup_in_a_tag_stays_text(standin, &account, hosts, &boms);
    keys_are_named(hosts);
}

/// Whoever is to grant it must know which key is meant, whether all of a host needs it or a part.
fn keys_are_named(hosts: &[Value]) {
    let host = |name: &str| hosts.iter().find(|host| host["name"] == name).expect("the host");
    let detail = host("encrypted-without-access")["detail"].as_str().expect("a detail");
    assert!(detail.starts_with("key arn:aws:kms:"), "{detail}");
    let gaps = host("only-data-without-access")["report"]["gaps"].as_array().expect("gaps");
    let encrypted = gaps.iter().find(|gap| gap["reason"] == "encrypted").expect("one");
    assert!(encrypted["detail"].as_str().is_some_and(|it| it.starts_with("key arn:aws:kms:")));
}

/// The totals are those of the hosts' reports.
fn check_totals(sweep: &Value) {
    let hosts = sweep["hosts"].as_array().expect("hosts");
    let assets = || hosts.iter().filter_map(|host| host["report"]["assets"].as_array()).flatten();
    let count =
        |name: &str| assets().filter_map(|it| it[name].as_array()).map(Vec::len).sum::<usize>();
    assert_eq!(sweep["totals"]["packages"], count("packages"));
    let severities = sweep["totals"]["findings"].as_object().expect("counts").values();
    assert_eq!(severities.filter_map(Value::as_u64).sum::<u64>(), count("findings") as u64);
    assert!(count("findings") > 0);
}

/// The folder of a host holds the report that the sweep holds; gives back its SBOM.
fn check_folder(folder: &Path, host: &Value) -> Value {
    let own = folder.join(host["instance_id"].as_str().expect("an id"));
    assert_eq!(json(&own.join("report.json")), host["report"]);
    let bom = json(&own.join("sbom.cdx.json"));
    assert_eq!((&bom["bomFormat"], &bom["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    check_references(&bom);
    bom
}

/// By the official schema: one of the largest and one without packages say enough of all.
fn check_valid(boms: &[Value]) {
    let Some(validator) = validator() else { return };
    let size = |bom: &&Value| bom.to_string().len();
    for bom in [boms.iter().max_by_key(size), boms.iter().min_by_key(size)] {
        let bom = bom.expect("there are some").to_string();
        assert_eq!(validator.errors(bom.as_bytes()), "");
    }
}

fn markup_in_a_tag_stays_text(
    standin: &Standin,
    account: &Account,
    hosts: &[Value],
    boms: &[Value],
) {
    const MARKUP: &str = "<script>alert('team')</script>";
    let host = hosts.iter().find(|host| host["name"] == "web-1").expect("the host");
    assert_eq!(host["report"]["host"]["cloud"]["tags"]["team"], MARKUP);
    let id = standin.id(account, "web-1");
    let bom = boms.iter().find(|bom| bom.to_string().contains(&id)).expect("its SBOM");
    assert!(bom.to_string().contains(MARKUP), "a value of a property, escaped as JSON is");
}

#[test]
fn the_table_tells_hosts_calls_and_dollars() {
    let Some(standin) = standin() else { return };
    let account = Other::Alike.account();
    let output = sweep(standin, &account, &["--no-match"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for expected in ["web", "3 scanned", "ec2:CreateSnapshots", "ebs:GetSnapshotBlock", "$0.0000"] {
        assert!(text.contains(expected), "no {expected} in {text}");
    }
    let line = text.lines().find(|line| line.contains("ebs:GetSnapshotBlock")).expect("a line");
    let count: f64 = line.split_whitespace().nth(1).expect("a count").parse().expect("a number");
    let dollars = line.split('$').nth(1).expect("dollars").trim().parse::<f64>().expect("a number");
    assert!((dollars - count * 0.003 / 1000.0).abs() < 1e-6, "{line}");
}

#[test]
fn a_host_of_a_sweep_reads_as_a_scan_of_it_does() {
    let Some(standin) = standin() else { return };
    let account = Other::Alike.account();
    let output = sweep(standin, &account, &["--no-match", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let hosts = report["hosts"].as_array().expect("hosts");
    assert_eq!(hosts.len(), 3);
    for host in hosts {
        let id = host["instance_id"].as_str().expect("an id");
        let words = ["scan", id, "--no-match", "--format", "json"];
        let scan = standin.sidelight(&account, &words).output().expect("it runs");
        let mut scan: Value = serde_json::from_slice(&scan.stdout).expect("JSON");
        let mut swept = host["report"].clone();
        for one in [&mut scan, &mut swept] {
            // Each has snapshots of its own, and pays for its own calls.
            one["receipt"] = Value::Null;
            one["host"]["cloud"]["snapshots"] = Value::Null;
            for volume in one["host"]["cloud"]["volumes"].as_array_mut().expect("volumes") {
                assert!(volume["snapshot"].is_string());
                volume["snapshot"] = Value::Null;
            }
        }
        assert_eq!(scan, swept, "{id}");
    }
}
