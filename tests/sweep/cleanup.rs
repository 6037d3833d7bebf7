//! What a killed sweep left is found by its tags; sweeps that run side by side leave each other be.

use crate::accounts::{Account, Other};
use crate::books::{Books, text};
use crate::drill::{Signal, wait_for};
use crate::standin::{Standin, standin};
use serde_json::json;
use std::process::Stdio;

/// Snapshots stay on their way until a test has had its look.
pub const SLOW: &str = "[snapshots]\nseconds = 3600\n";
/// The first answer to a call that makes one snapshot is lost.
pub const LOST: &str =
    "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nfirst = 1\ndrop = 'after'\n";

fn cleanup(standin: &Standin, account: &Account, words: &[&str]) -> (Option<i32>, String) {
    let output = standin.sidelight(account, &["cleanup"]).args(words).output().expect("it runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn leftovers_of_one_sweep_are_deleted_by_its_id() {
    let Some(standin) = standin() else { return };
    let account = Other::Killed.account();
    for made in [2, 4] {
        // Parallel by one, so that the host that waits is the only one with snapshots.
        let words = ["sweep", "--no-match", "--parallel", "1", "--include", "team=data"];
        let mut sweep = standin.sidelight(&account, &words).spawn().expect("it runs");
        wait_for(standin, &account, &mut sweep, |books| books.left.len() == made);
        Signal::Kill.send(&sweep);
        sweep.wait().expect("it ends");
    }
    let (code, listed) = cleanup(standin, &account, &["--all", "--dry-run"]);
    let sweeps: Vec<_> = listed.lines().filter_map(|line| line.split("  ").nth(2)).collect();
    assert_eq!((code, sweeps.len()), (Some(0), 4), "{listed}");
    let first = sweeps[0];
    let other = sweeps.iter().find(|sweep| **sweep != first).expect("two sweeps");
    let gone = (Some(0), "2 found, 2 deleted\n".to_owned());
    assert_eq!(cleanup(standin, &account, &["--sweep", first]), gone);
    assert_eq!(cleanup(standin, &account, &["--sweep", first]).1, "0 found, 0 deleted\n");
    standin.set_faults(
        &account,
        &json!([{ "action": "DeleteSnapshot", "error": "UnauthorizedOperation" }]),
    );
    let denied = (Some(3), "2 found, 0 deleted\n".to_owned());
    assert_eq!(cleanup(standin, &account, &["--sweep", other]), denied);
    standin.set_faults(&account, &json!([]));
    assert_eq!(cleanup(standin, &account, &["--sweep", other]), gone);
    assert_eq!(Books::of(standin, &account).left, [""; 0]);
}

#[test]
fn two_sweeps_of_one_account_do_not_touch_each_others_snapshots() {
    let Some(standin) = standin() else { return };
    let account = Other::Together.account();
    let sweep = || {
        let words = ["sweep", "--no-match", "--format", "json"];
        let mut command = standin.sidelight(&account, &words);
        command.stdout(Stdio::piped()).spawn().expect("it runs")
    };
    let sweeps = [sweep(), sweep()];
    let mut ids = Vec::new();
    for sweep in sweeps {
        let output = sweep.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(report["totals"]["scanned"], 2);
        ids.push(text(&report["sweep"]));
    }
    assert_ne!(ids[0], ids[1]);
    let books = Books::of(standin, &account);
    // One more is made by the call whose answer is lost, and is its sweep's to find.
    assert_eq!((books.deleted(), books.left.len()), (7, 0));
}
