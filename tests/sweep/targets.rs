//! `scan i-…`, `vol-…`, `ami-…`: the right packages, what the cloud knows of the host, and nothing
//! left.

use crate::accounts::{Account, Other};
use crate::books::Books;
use crate::standin::{Standin, standin};
use crate::witness;
use serde_json::{Value, json};

fn scan(standin: &Standin, account: &Account, name: &str) -> (Option<i32>, Value, String) {
    let id = standin.id(account, name);
    let words = ["scan", &id, "--format", "json", "--no-match"];
    let output = standin.sidelight(account, &words).output().expect("it runs");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), report, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The packages are those of the disk, and no snapshot is left; gives back the cloud's context.
#[track_caller]
fn check(standin: &Standin, account: &Account, name: &str, image: &str) -> Value {
    let (code, report, stderr) = scan(standin, account, name);
    assert_eq!(code, Some(0), "{name}: {stderr}");
    assert_eq!(witness::reported(&report), witness::packages(standin, image), "{name}");
    assert_eq!(Books::of(standin, account).left, [""; 0], "{name}");
    report["host"]["cloud"].clone()
}

#[test]
fn instances_volumes_and_images_are_scanned() {
    let Some(standin) = standin() else { return };
    let account = Other::Targets.account();
    let cloud = check(standin, &account, "web-1", "debian-12.img");
    let expected = json!({
        "account": account.id,
        "account_alias": "shop",
        "region": "eu-west-1",
        "instance_id": standin.id(&account, "web-1"),
        "instance_name": "web-1",
        "private_ips": ["10.20.1.11", "2001:db8:20:1::11"],
        "public_ips": ["198.51.100.11"],
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(cloud[name], *value, "{name}");
    }
    assert_eq!(cloud["security_groups"][0]["name"], "web");
    let volume = &cloud["volumes"][0];
    assert_eq!(volume["id"], standin.id(&account, "web-1:/dev/xvda"));
    assert_eq!(volume["device"], "/dev/xvda");
    assert!(volume["snapshot"].as_str().is_some_and(|id| id.starts_with("snap-")));

    check(standin, &account, "joined-by-fstab", "small.img");
    check(standin, &account, "stopped-debian-11", "debian-11.img");
    let cloud = check(standin, &account, "web-2:/dev/xvda", "debian-12.img");
    assert_eq!(cloud["instance_id"], standin.id(&account, "web-2"));
    assert_eq!(cloud["volumes"][0]["id"], standin.id(&account, "web-2:/dev/xvda"));
    let made = Books::of(standin, &account).made(standin, &account);
    let cloud = check(standin, &account, "golden-debian-12", "debian-12.img");
    assert_eq!(cloud["image_id"], standin.id(&account, "golden-debian-12"));
    check(standin, &account, "golden-with-data", "small.img");
    let after = Books::of(standin, &account);
    assert_eq!((made, after.made(standin, &account)), (5, 5), "an image has snapshots already");
    assert_eq!(after.deleted(), 5);
    what_cannot_be_scanned_is_told(standin, &account);
}

/// In the same account, whose books show that nothing more was made.
fn what_cannot_be_scanned_is_told(standin: &Standin, account: &Account) {
    let made = Books::of(standin, account).made(standin, account);
    for (name, expected) in [
        ("opted-out", "is not scanned: opted_out"),
        ("instance-store-only", "is not scanned: instance_store"),
        ("terminated", "is not scanned: not_running"),
    ] {
        let (code, report, stderr) = scan(standin, account, name);
        assert_eq!((code, report), (Some(2), Value::Null), "{name}: {stderr}");
        assert!(stderr.contains(expected), "{name}: {stderr}");
    }
    assert_eq!(Books::of(standin, account).made(standin, account), made);
    for name in ["encrypted-without-access", "encrypted-key-disabled"] {
        let (code, _, stderr) = scan(standin, account, name);
        assert_eq!(code, Some(2), "{name}: {stderr}");
        assert!(stderr.contains("kms:Decrypt"), "{name}: {stderr}");
    }
    for id in ["i-0123456789abcdef0", "vol-0123456789abcdef0", "ami-0123456789abcdef0"] {
        let words = ["scan", id, "--no-match"];
        let output = standin.sidelight(account, &words).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{id}: {stderr}");
        assert!(stderr.contains(id) && stderr.contains("NotFound"), "{id}: {stderr}");
    }
    assert_eq!(Books::of(standin, account).left, [""; 0]);
}
