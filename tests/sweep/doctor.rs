//! What the doctor finds: permissions that are missing, keys that are denied; and that it leaves nothing.

use crate::accounts::{Account, Other};
use crate::books::Books;
use crate::standin::{Standin, standin};

/// What the doctor is to find out.
pub const UNPERMITTED: &str =
    "[[fault]]\naction = 'CreateSnapshots'\nerror = 'UnauthorizedOperation'\n";

/// The answer to every second call for a snapshot is lost: the first is the dry run.
pub const LOST: &str = "[[fault]]\naction = 'CreateSnapshot'\nevery = 2\ndrop = 'after'\n";

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

fn told(standin: &Standin, account: &Account, words: &[&str]) -> (Option<i32>, String) {
    let output = standin.sidelight(account, words).output().expect("it runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn a_trial_whose_answer_is_lost_leaves_nothing() {
    let Some(standin) = standin() else { return };
    let account = Other::LostTrial.account();
    let (code, text) = told(standin, &account, &["doctor", "--make-snapshot"]);
    let books = Books::of(standin, &account);
    assert!(books.log.iter().any(|call| call.result == "dropped"), "{text}");
    assert_eq!(books.left, [""; 0], "{code:?} {text}");
}

#[test]
fn each_key_is_tried() {
    let Some(standin) = standin() else { return };
    let account = Other::Keys.account();
    let (code, text) = told(standin, &account, &["doctor", "--make-snapshot"]);
    assert_eq!(code, Some(3), "{text}");
    let lines = |verdict: &str| {
        let keys = text.lines().filter(|line| line.trim_start().starts_with("kms:Decrypt"));
        keys.filter(|line| line.contains(verdict)).count()
    };
    // Those of `app` and of EBS itself; `vault` is denied and `retired` is disabled.
    assert_eq!((lines("allowed"), lines("denied")), (2, 2), "{text}");
    assert_eq!(Books::of(standin, &account).left, [""; 0]);
    // A listing that is denied is the reason for all that could not be tried.
    let fault =
        serde_json::json!([{ "action": "DescribeVolumes", "error": "UnauthorizedOperation" }]);
    standin.set_faults(&account, &fault);
    let (code, text) = told(standin, &account, &["doctor"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(!text.contains("no instance to try"), "{text}");
}
