//! The end by a signal is bounded, whatever hangs: what is left is told, and what was done is written.

use crate::accounts::{Account, Other};
use crate::books::Books;
use crate::drill::{Signal, wait_for};
use crate::standin::{Standin, standin};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// Longer than the sweep is told to wait, by far.
pub const HANGING: &str = "[[fault]]\naction = 'DeleteSnapshot'\ndelay_ms = 120000\n";
/// The same for the calls that make them.
pub const UNANSWERED: &str = "[[fault]]\naction = 'CreateSnapshots'\ndelay_ms = 120000\n";

/// Sends SIGTERM once the books show what is waited for; the standard error.
fn stop(
    standin: &Standin,
    account: &Account,
    folder: &Path,
    reached: impl Fn(&Books) -> bool,
) -> String {
    let folder = folder.display().to_string();
    let words = ["sweep", "--no-match", "--stop-timeout", "3", "--output", &folder];
    let mut command = standin.sidelight(account, &words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    wait_for(standin, account, &mut child, reached);
    Signal::Term.send(&child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(143));
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// The one folder of the sweep.
fn written(folder: &Path) -> Vec<String> {
    let sweep = fs::read_dir(folder).expect("the folder").next().expect("one").expect("it").path();
    let names = fs::read_dir(sweep).expect("the sweep").map(|it| it.expect("an entry"));
    names.map(|it| it.file_name().into_string().expect("UTF-8")).collect()
}

#[test]
fn deletes_that_hang_are_not_waited_for_and_are_told() {
    let Some(standin) = standin() else { return };
    let account = Other::Hanging.account();
    let work = tempfile::tempdir().expect("a folder");
    // All was read when the snapshots of both hosts are to be deleted.
    let hosts = ["web", "database"].map(|name| standin.id(&account, name));
    let all_read = |_: &Books| {
        fs::read_dir(work.path()).is_ok_and(|mut it| it.next().is_some())
            && hosts.iter().all(|host| written(work.path()).contains(host))
    };
    let stderr = stop(standin, &account, work.path(), all_read);
    let books = Books::of(standin, &account);
    assert_eq!(books.count("ec2:DeleteSnapshot"), 0, "none has ended: none was waited for");
    assert_eq!(books.left.len(), 3);
    for snapshot in &books.left {
        assert!(stderr.contains(snapshot.as_str()), "{snapshot} is not told: {stderr}");
    }
    let names = written(work.path());
    assert!(names.contains(&"sweep.json".to_owned()), "{names:?}");
    let host = fs::read_dir(work.path()).expect("the folder").next().expect("one").expect("it");
    let report = fs::read(host.path().join(&hosts[0]).join("report.json")).expect("its report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert!(!report["assets"][0]["packages"].as_array().expect("packages").is_empty());
}

#[test]
fn calls_that_make_snapshots_and_are_not_answered_are_told() {
    let Some(standin) = standin() else { return };
    let account = Other::Unanswered.account();
    let work = tempfile::tempdir().expect("a folder");
    // The calls end in the books when they are answered; what comes before them is there.
    let asked = |books: &Books| books.count("ec2:DescribeSnapshots") >= 2;
    let stderr = stop(standin, &account, work.path(), asked);
    assert!(stderr.contains("has not answered: run sidelight cleanup --sweep sweep-"), "{stderr}");
    let id = stderr.split("--sweep ").nth(1).expect("an id").split_whitespace().next().expect("it");
    assert!(work.path().join(id).is_dir(), "the id is that of the sweep: {id}");
}
