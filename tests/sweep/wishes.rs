//! What the owners of instances, volumes and images do not want is not done; tags are what they are, to
//! the letter.

use crate::accounts::{Account, Other};
use crate::books::Books;
use crate::standin::{Standin, standin};
use serde_json::Value;

/// Hosts whose owners say something.
pub const HOSTS: &str = "
[[ami]]
name = 'private'
tags = { 'sidelight:scan' = 'never' }
volume = [{ device = '/dev/xvda', image = 'small.img' }]
[[instance]]
name = 'opted-out'
tags = { 'sidelight:scan' = 'NEVER' }
volume = [{ device = '/dev/xvda', image = 'small.img' }]
[[instance]]
name = 'odd'
tags = { '\u{00e9}quipe' = 'Zo\u{00eb} \u{2603} \u{202e}x' }
volume = [{ device = '/dev/xvda', image = 'small.img' }]
[[instance]]
name = 'nearly'
tags = { '\u{00e9}quipe' = 'Zo\u{00eb} \u{2603} x' }
volume = [{ device = '/dev/xvda', image = 'small.img' }]
";

#[test]
fn what_owners_say_holds_for_whatever_is_named() {
    let Some(standin) = standin() else { return };
    let account = Other::Wishes.account();
    for name in ["private", "opted-out", "opted-out:/dev/xvda"] {
        let id = standin.id(&account, name);
        let words = ["scan", &id, "--no-match"];
        let output = standin.sidelight(&account, &words).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
        assert!(stderr.contains("says never") || stderr.contains("opted_out"), "{name}: {stderr}");
    }
    let books = Books::of(standin, &account);
    assert_eq!(books.made(standin, &account), 0);
    assert_eq!(books.count("ebs:GetSnapshotBlock"), 0, "not a block of the image was read");

    let words = ["--include", "\u{e9}quipe=Zo\u{eb} \u{2603} \u{202e}x", "--format", "json"];
    let output = standin
        .sidelight(&account, &["sweep", "--no-match"])
        .args(words)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let hosts = report["hosts"].as_array().expect("hosts").iter();
    let scanned: Vec<_> = hosts.filter(|host| host["status"] == "scanned").collect();
    assert_eq!(scanned.len(), 1);
    assert_eq!(scanned[0]["name"], "odd");
    a_store_that_is_not_there_is_a_gap_of_every_host(standin, &account);
}

fn a_store_that_is_not_there_is_a_gap_of_every_host(standin: &Standin, account: &Account) {
    let words = ["sweep", "--advisories", "/no/such/store", "--format", "json"];
    let output = standin.sidelight(account, &words).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("/no/such/store"), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["totals"]["scanned"], 2);
    for host in report["hosts"].as_array().expect("hosts") {
        if host["status"] == "scanned" {
            let gaps = host["report"]["gaps"].to_string();
            assert!(gaps.contains("advisor"), "{gaps}");
            assert!(!host["report"]["assets"][0]["packages"].as_array().expect("some").is_empty());
        }
    }
}
