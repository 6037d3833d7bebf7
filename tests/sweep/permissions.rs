//! The permissions that everything together needs are those that the policies grant.

use crate::accounts::{Account, Other};
use crate::standin::{Standin, standin};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Calls that AWS makes for us: the stand-in cannot see them.
const UNSEEN: [&str; 2] = ["kms:Decrypt", "kms:DescribeKey"];
/// The duties of the roles in a scanned account.
pub const DUTIES: [&str; 4] = ["discovery", "create", "read", "delete"];

/// What a scan of an image is tried on.
pub const IMAGE: &str =
    "[[ami]]\nname = 'golden'\nvolume = [{ device = '/dev/xvda', image = 'small.img' }]\n";

#[test]
fn the_policies_grant_what_is_needed_and_no_more() {
    let Some(standin) = standin() else { return };
    let account = Other::Permissions.account();
    perform_everything(standin, &account);
    let needed = needed(standin, &account);
    println!("needed: {}", needed.iter().cloned().collect::<Vec<_>>().join(" "));
    assert!(needed.contains("ec2:CreateSnapshots") && needed.contains("ec2:CreateTags"));
    let granted = granted(&list());
    assert_eq!(needed, granted);
}

/// Every command that asks AWS for anything.
fn perform_everything(standin: &Standin, account: &Account) {
    perform(standin, account, |words| standin.sidelight(account, words));
}

/// Every command that asks AWS for anything, as `command` makes it.
pub fn perform(standin: &Standin, account: &Account, command: impl Fn(&[&str]) -> Command) {
    let volume = standin.id(account, "web:/dev/xvda");
    let image = standin.id(account, "golden");
    for words in [
        &["sweep", "--stopped", "--no-match", "--include", "team=data"][..],
        &["scan", &volume, "--no-match"],
        &["scan", &image, "--no-match"],
        &["doctor", "--make-snapshot"],
        &["cleanup", "--all"],
    ] {
        let output = command(words).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {stderr}");
    }
}

fn needed(standin: &Standin, account: &Account) -> BTreeSet<String> {
    let seen = recorded(standin, &format!("arn:aws:iam::{}:user/standin", account.id));
    seen.into_iter().chain(UNSEEN.map(str::to_owned)).collect()
}

/// The actions that a principal was seen to need.
pub fn recorded(standin: &Standin, principal: &str) -> BTreeSet<String> {
    let calls = standin.control("calls");
    serde_json::from_value(calls["iam_actions"][principal].clone()).expect("actions")
}

/// The actions that a duty is granted, but for those that others make on its behalf.
pub fn granted_to(duty: &str) -> BTreeSet<String> {
    let file = list();
    let actions = file["actions"].as_array().expect("actions").iter();
    let ours = actions.filter(|it| it["duty"] == duty);
    // Tags while creating are recorded as what they take.
    let ours = ours.filter(|it| it["via"].is_null() || it["action"] == "ec2:CreateTags");
    ours.map(|it| it["action"].as_str().expect("text").to_owned()).collect()
}

fn list() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/iam/actions.json");
    let text = fs::read_to_string(&path).expect("the list of what is granted");
    serde_json::from_str(&text).expect("JSON")
}

fn granted(file: &Value) -> BTreeSet<String> {
    let actions = file["actions"].as_array().expect("actions").iter();
    let ours = actions
        .filter(|it| it["account"] == "target" && DUTIES.iter().any(|duty| it["duty"] == *duty));
    ours.map(|it| it["action"].as_str().expect("text").to_owned()).collect()
}
