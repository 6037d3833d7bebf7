//! Twenty hosts with all that a sweep meets; and many alike, at the same time.

use crate::accounts::Other;
use crate::books::Books;
use crate::drill::{Drill, Hosts, Left, Signal};
use crate::drills::DRILL;
use crate::standin::standin;
use serde_json::Value;
use std::fmt::Write;

/// Measured: 114 MiB, unoptimised, with 12 MiB of blocks for the one host that is read at a time; 122 with 16.
/// Eight that are read at once came to 485. 28 MiB are pages of the program itself.
const MOST_MEMORY_MIB: u64 = 130;

/// A sweep of all of them that is told to end.
const STOPPED: Drill = Drill {
    name: "",
    hosts: Hosts::Twenty,
    command: &["sweep", "--stopped"],
    outcomes: &[
        ("web-1", ANY),
        ("web-2", ANY),
        ("web-3", ANY),
        ("joined-by-fstab", ANY),
        ("stopped-debian-11", ANY),
        ("encrypted-default-key", ANY),
        ("encrypted-own-key", ANY),
        ("encrypted-without-access", "failed: interrupted|failed: key_denied"),
        ("encrypted-key-disabled", "failed: interrupted|failed: key_denied"),
        ("only-data-without-access", ANY),
        ("instance-store-only", "skipped: instance_store"),
        ("no-filesystem", ANY),
        ("blank-volume", ANY),
        ("opted-out", "skipped: opted_out"),
        ("excluded-by-tag", ANY),
        ("terminated", "skipped: not_running"),
        ("arm", ANY),
        ("windows", ANY),
        ("larger-than-its-image", ANY),
    ],
    ..DRILL
};
const ANY: &str = "scanned|scanned with gaps|failed: interrupted";

/// Drills over all of them.
pub const DRILLS: &[Drill] = &[
    Drill {
        name: "Ctrl-C in a sweep of twenty",
        signal: Some((Signal::Int, "ec2:CreateSnapshots", 3)),
        exit: 130,
        ..STOPPED
    },
    Drill {
        name: "SIGTERM in a sweep of twenty",
        signal: Some((Signal::Term, "ebs:GetSnapshotBlock", 5)),
        exit: 143,
        ..STOPPED
    },
    Drill {
        name: "kill -9 in a sweep of twenty",
        signal: Some((Signal::Kill, "ec2:CreateSnapshots", 4)),
        outcomes: &[],
        exit: 137,
        left: Left::Some,
        ..STOPPED
    },
    Drill {
        name: "twenty hosts, one of them in another region",
        hosts: Hosts::Twenty,
        command: &["sweep", "--stopped", "--exclude", "env=sandbox"],
        outcomes: &[
            ("web-1", "scanned"),
            ("web-2", "scanned"),
            ("web-3", "scanned"),
            ("joined-by-fstab", "scanned"),
            ("stopped-debian-11", "scanned"),
            ("encrypted-default-key", "scanned"),
            ("encrypted-own-key", "scanned"),
            ("encrypted-without-access", "failed: key_denied"),
            ("encrypted-key-disabled", "failed: key_denied"),
            ("only-data-without-access", "scanned with gaps"),
            ("instance-store-only", "skipped: instance_store"),
            ("no-filesystem", "scanned with gaps"),
            ("blank-volume", "scanned with gaps"),
            ("opted-out", "skipped: opted_out"),
            ("excluded-by-tag", "skipped: excluded"),
            ("terminated", "skipped: not_running"),
            ("arm", "scanned"),
            ("windows", "scanned with gaps"),
            ("larger-than-its-image", "scanned"),
        ],
        exit: 3,
        ..DRILL
    },
    Drill {
        name: "the one in another region",
        hosts: Hosts::Twenty,
        command: &["sweep", "--region", "us-east-1"],
        outcomes: &[("in-another-region", "scanned")],
        ..DRILL
    },
    Drill {
        name: "only those with one of two tags",
        hosts: Hosts::Twenty,
        command: &["sweep", "--include", "team=data", "--include", "env=sandbox"],
        outcomes: &[
            ("web-1", "skipped: not_included"),
            ("web-2", "skipped: not_included"),
            ("web-3", "skipped: not_included"),
            ("joined-by-fstab", "scanned"),
            ("stopped-debian-11", "skipped: stopped"),
            ("encrypted-default-key", "skipped: not_included"),
            ("encrypted-own-key", "skipped: not_included"),
            ("encrypted-without-access", "skipped: not_included"),
            ("encrypted-key-disabled", "skipped: not_included"),
            ("only-data-without-access", "skipped: not_included"),
            ("instance-store-only", "skipped: not_included"),
            ("no-filesystem", "skipped: not_included"),
            ("blank-volume", "skipped: not_included"),
            ("opted-out", "skipped: opted_out"),
            ("excluded-by-tag", "scanned"),
            ("terminated", "skipped: not_included"),
            ("arm", "skipped: not_included"),
            ("windows", "skipped: not_included"),
            ("larger-than-its-image", "skipped: not_included"),
        ],
        ..DRILL
    },
];

/// Twenty real Debian 12 hosts, whose snapshots take two seconds.
pub fn alike() -> String {
    let mut text = "[snapshots]\nseconds = 2\n".to_owned();
    for number in 1..=20 {
        write!(
            text,
            "[[instance]]\nname = 'host-{number:02}'\nvolume = [{{ device = '/dev/xvda', image = 'debian-12.img' }}]\n"
        )
        .expect("a string takes it");
    }
    text
}

#[test]
fn hosts_are_scanned_side_by_side_in_bounded_memory() {
    let Some(standin) = standin() else { return };
    let account = Other::Parallel.account();
    let words = ["sweep", "--parallel", "8", "--format", "json", "--no-match"];
    let output = standin.sidelight(&account, &words).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["totals"]["scanned"], 20);
    let peak = report["receipt"]["peak_memory_bytes"].as_u64().expect("bytes") >> 20;
    let books = Books::of(standin, &account);
    let most = most_alive(&books);
    println!("20 hosts, 8 at a time: peak memory {peak} MiB, at most {most} snapshots at once");
    assert!(peak < MOST_MEMORY_MIB, "peak memory {peak} MiB");
    assert!((4..=8).contains(&most), "at most {most} snapshots at once");
}

/// The most snapshots that were there at the same time, each of the hosts having one volume.
fn most_alive(books: &Books) -> usize {
    let (mut alive, mut most) = (0_usize, 0);
    for call in books.log.iter().filter(|call| call.result == "ok") {
        match call.action.as_str() {
            "ec2:CreateSnapshots" => alive += 1,
            "ec2:DeleteSnapshot" => alive -= 1,
            _ => {}
        }
        most = most.max(alive);
    }
    most
}
