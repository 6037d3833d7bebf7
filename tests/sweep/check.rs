//! What a sweep's report must agree with: the outcomes that are expected, the stand-in's books, and
//! `dpkg-query`.

use crate::accounts::Account;
use crate::books::{Books, text};
use crate::standin::Standin;
use crate::witness;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Which disk each host is filled from.
const DISKS: [(&str, &str); 14] = [
    ("web", "small.img"),
    ("database", "small.img"),
    ("idle", "small.img"),
    ("web-1", "debian-12.img"),
    ("web-2", "debian-12.img"),
    ("web-3", "small.img"),
    ("joined-by-fstab", "small.img"),
    ("stopped-debian-11", "debian-11.img"),
    ("encrypted-default-key", "small.img"),
    ("encrypted-own-key", "small.img"),
    ("arm", "small.img"),
    ("larger-than-its-image", "small.img"),
    ("in-another-region", "small.img"),
    ("excluded-by-tag", "small.img"),
];

/// Each host has one of the outcomes (`a|b`) that are expected of it. Gives back how many are
/// scanned, skipped and failed.
pub fn outcomes(report: &Value, expected: &[(&str, &str)], stderr: &str) -> [usize; 3] {
    let none = Vec::new();
    let hosts = report["hosts"].as_array().unwrap_or(&none);
    let found: BTreeMap<String, String> = hosts.iter().map(outcome).collect();
    let expected: BTreeMap<_, _> = expected.iter().copied().collect();
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, expected.keys().copied().collect::<Vec<_>>(), "hosts; {stderr}");
    for (name, outcome) in &found {
        let allowed = expected[name.as_str()].split('|').any(|one| one == outcome);
        assert!(allowed, "{name}: {outcome}; {}", details(hosts, name));
    }
    let count = |word: &str| found.values().filter(|text| text.starts_with(word)).count();
    [count("scanned"), count("skipped"), count("failed")]
}

fn outcome(host: &Value) -> (String, String) {
    let gaps = host["report"]["gaps"].as_array().is_some_and(|gaps| !gaps.is_empty());
    let status = text(&host["status"]);
    let outcome = match host["reason"].as_str() {
        Some(reason) => format!("{status}: {reason}"),
        None if gaps => format!("{status} with gaps"),
        None => status,
    };
    (text(&host["name"]), outcome)
}

fn details(hosts: &[Value], name: &str) -> String {
    let host = hosts.iter().find(|host| host["name"] == name);
    host.map_or_else(String::new, |host| format!("{} {}", host["detail"], host["report"]["gaps"]))
}

/// Totals are those of the hosts; calls, dollars and snapshots that are left are the stand-in's.
pub fn receipt(report: &Value, books: &Books) {
    let hosts = report["hosts"].as_array().expect("hosts");
    for status in ["scanned", "skipped", "failed"] {
        let count = hosts.iter().filter(|host| host["status"] == status).count();
        assert_eq!(report["totals"][status], count, "{status}");
    }
    let receipt = &report["receipt"];
    let mut calls: BTreeMap<String, u64> =
        serde_json::from_value(receipt["calls"].clone()).expect("counts");
    calls.retain(|_, count| *count > 0);
    assert_eq!(calls, books.calls(), "calls by action");
    let by_action: BTreeMap<String, f64> =
        serde_json::from_value(receipt["usd_by_action"].clone()).expect("dollars");
    for (action, expected) in books.dollars_by_action() {
        let told = by_action.get(action).copied().unwrap_or_default();
        assert!((told - expected).abs() < 1e-12, "{action}: ${told}, but ${expected}");
    }
    let dollars = receipt["usd"].as_f64().expect("dollars");
    assert!((dollars - books.dollars()).abs() < 1e-9, "${dollars}, but ${}", books.dollars());
    let undeleted: Vec<String> =
        report["undeleted_snapshots"].as_array().expect("ids").iter().map(text).collect();
    let mut left = books.left.clone();
    left.sort();
    assert_eq!(undeleted, left, "snapshots that are left are told");
}

/// Every host that was scanned without gaps has what `dpkg-query` says is on its disk.
pub fn packages(standin: &Standin, report: &Value) {
    let disks: BTreeMap<_, _> = DISKS.into();
    for host in report["hosts"].as_array().expect("hosts") {
        let (name, outcome) = outcome(host);
        if outcome == "scanned" {
            let image = disks.get(name.as_str()).unwrap_or_else(|| panic!("no disk of {name}"));
            let expected = witness::packages(standin, image);
            assert_eq!(witness::reported(&host["report"]), expected, "{name}");
        }
    }
}

/// `cleanup` finds the snapshots by their tags alone; only `--all` takes those whose time is not over.
pub fn cleanup(standin: &Standin, account: &Account, left: usize) {
    standin.set_faults(account, &json!([]));
    let told = |arguments: &[&str]| {
        let output = standin.sidelight(account, arguments).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert_eq!(told(&["cleanup"]), "0 found, 0 deleted\n");
    // Twenty hosts have one of a sweep that may still run.
    let left = left + usize::from(account.text.contains("of-an-earlier-sweep"));
    assert_eq!(told(&["cleanup", "--all", "--dry-run"]).lines().count(), left);
    assert_eq!(told(&["cleanup", "--all"]), format!("{left} found, {left} deleted\n"));
}
