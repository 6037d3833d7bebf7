//! The permissions that everything together needs are those that the policies grant.

use crate::accounts::{Account, Other};
use crate::standin::{Standin, standin};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Calls that AWS makes for us: the stand-in cannot see them.
const UNSEEN: [&str; 2] = ["kms:Decrypt", "kms:DescribeKey"];
/// The duties of the roles in a scanned account.
const DUTIES: [&str; 4] = ["discovery", "create", "read", "delete"];

/// What a scan of an image is tried on.
pub const IMAGE: &str =
    "[[ami]]\nname = 'golden'\nvolume = [{ device = '/dev/xvda', image = 'small.img' }]\n";

/// What the doctor is to find out.
pub const UNPERMITTED: &str =
    "[[fault]]\naction = 'CreateSnapshots'\nerror = 'UnauthorizedOperation'\n";

#[test]
fn the_policies_grant_what_is_needed_and_no_more() {
    let Some(standin) = standin() else { return };
    let account = Other::Permissions.account();
    perform_everything(standin, &account);
    let needed = needed(standin, &account);
    println!("needed: {}", needed.iter().cloned().collect::<Vec<_>>().join(" "));
    assert!(needed.contains("ec2:CreateSnapshots") && needed.contains("ec2:CreateTags"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/iam/actions.json");
    let text = fs::read_to_string(&path).expect("the list of what is granted");
    let granted = granted(&serde_json::from_str(&text).expect("JSON"));
    assert_eq!(needed, granted);
}

/// Every command that asks AWS for anything.
fn perform_everything(standin: &Standin, account: &Account) {
    let volume = standin.id(account, "web:/dev/xvda");
    let image = standin.id(account, "golden");
    for words in [
        &["sweep", "--stopped", "--no-match", "--include", "team=data"][..],
        &["scan", &volume, "--no-match"],
        &["scan", &image, "--no-match"],
        &["doctor", "--make-snapshot"],
        &["cleanup", "--all"],
    ] {
        let output = standin.sidelight(account, words).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {stderr}");
    }
}

fn needed(standin: &Standin, account: &Account) -> BTreeSet<String> {
    let calls = standin.control("calls");
    let principal = format!("arn:aws:iam::{}:user/standin", account.id);
    let seen: BTreeSet<String> =
        serde_json::from_value(calls["iam_actions"][&principal].clone()).expect("actions");
    seen.into_iter().chain(UNSEEN.map(str::to_owned)).collect()
}

fn granted(file: &Value) -> BTreeSet<String> {
    let actions = file["actions"].as_array().expect("actions").iter();
    let ours = actions
        .filter(|it| it["account"] == "target" && DUTIES.iter().any(|duty| it["duty"] == *duty));
    ours.map(|it| it["action"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn doctor_tells_each_permission_that_is_missing() {
    let Some(standin) = standin() else { return };
    let account = Other::Doctor.account();
    let doctor = |words: &[&str]| {
        let output = standin.sidelight(&account, words).output().expect("it runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let line = |action: &str| {
            let found = text.lines().find(|line| line.split_whitespace().next() == Some(action));
            found.unwrap_or_else(|| panic!("no {action} in {text}")).to_owned()
        };
        let actions = ["ec2:CreateSnapshots", "ec2:DeleteSnapshot", "ebs:GetSnapshotBlock"];
        (output.status.code(), actions.map(line))
    };
    let (code, [create, delete, get]) = doctor(&["doctor"]);
    assert_eq!(code, Some(3), "what has no dry run is not tried");
    assert!(create.contains("denied") && create.contains("UnauthorizedOperation"), "{create}");
    assert!(delete.contains("not tried") && get.contains("not tried"), "{delete}\n{get}");
    standin.set_faults(&account, &serde_json::json!([]));
    let (code, lines) = doctor(&["doctor", "--make-snapshot"]);
    assert!(code == Some(0) && lines.iter().all(|line| line.contains("allowed")), "{lines:?}");
    assert_eq!(crate::books::Books::of(standin, &account).left, [""; 0]);
}
