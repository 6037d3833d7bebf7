//! Sweeps that are told to end, or are ended, at several points.

use crate::accounts::Other;
use crate::books::Books;
use crate::drill::{Drill, Left, Signal, wait_for};
use crate::drills::DRILL;
use crate::standin::standin;
use std::process::Stdio;

/// Snapshots stay pending until the signal comes.
pub const SLOW: &str = "[snapshots]\nseconds = 3600\n";
/// Reading takes long.
const SLOW_BLOCKS: &str = "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'web'\ndelay_ms = 1500\n[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'database'\ndelay_ms = 1500\n";
/// What a create call makes is not told to a process that was killed meanwhile.
const SLOW_CREATE: &str =
    "[snapshots]\nseconds = 3600\n[[fault]]\naction = 'CreateSnapshots'\ndelay_ms = 700\n";

const INTERRUPTED: &[(&str, &str)] = &[
    ("web", "failed: interrupted"),
    ("database", "failed: interrupted"),
    ("idle", "skipped: stopped"),
];
const SOME_INTERRUPTED: &[(&str, &str)] = &[
    ("web", "failed: interrupted|scanned"),
    ("database", "failed: interrupted|scanned"),
    ("idle", "skipped: stopped"),
];

const INTERRUPT: Drill = Drill { outcomes: INTERRUPTED, exit: 130, ..DRILL };
const KILL: Drill = Drill { outcomes: &[], exit: 137, left: Left::Some, ..DRILL };

/// The drills.
pub const DRILLS: &[Drill] = &[
    Drill {
        name: "Ctrl-C while instances are listed",
        faults: "[snapshots]\nseconds = 3600\n[[fault]]\naction = 'DescribeVolumes'\ndelay_ms = 700\n",
        signal: Some((Signal::Int, "ec2:DescribeInstances", 1)),
        ..INTERRUPT
    },
    Drill {
        name: "Ctrl-C after the first snapshots were made",
        faults: SLOW,
        signal: Some((Signal::Int, "ec2:CreateSnapshots", 1)),
        ..INTERRUPT
    },
    Drill {
        name: "Ctrl-C after all snapshots were made",
        faults: SLOW,
        signal: Some((Signal::Int, "ec2:CreateSnapshots", 2)),
        ..INTERRUPT
    },
    Drill {
        name: "Ctrl-C while snapshots are asked for",
        faults: SLOW_CREATE,
        signal: Some((Signal::Int, "ec2:DescribeSnapshots", 2)),
        ..INTERRUPT
    },
    Drill {
        name: "Ctrl-C while blocks are read",
        faults: SLOW_BLOCKS,
        signal: Some((Signal::Int, "ebs:GetSnapshotBlock", 1)),
        outcomes: SOME_INTERRUPTED,
        ..INTERRUPT
    },
    Drill {
        name: "Ctrl-C once the root was read, but not what it mounts",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'database:/dev/xvdf'\nafter = 2\ndelay_ms = 3000\n",
        command: &["sweep", "--include", "team=data"],
        signal: Some((Signal::Int, "ebs:GetSnapshotBlock", 5)),
        outcomes: &[
            ("web", "skipped: not_included"),
            ("database", "failed: interrupted"),
            ("idle", "skipped: not_included"),
        ],
        ..INTERRUPT
    },
    Drill {
        name: "Ctrl-C while snapshots are deleted",
        faults: "[[fault]]\naction = 'DeleteSnapshot'\nafter = 1\ndelay_ms = 3000\n",
        signal: Some((Signal::Int, "ec2:DeleteSnapshot", 1)),
        outcomes: SOME_INTERRUPTED,
        ..INTERRUPT
    },
    Drill {
        name: "SIGTERM after all snapshots were made",
        faults: SLOW,
        signal: Some((Signal::Term, "ec2:CreateSnapshots", 2)),
        exit: 143,
        ..INTERRUPT
    },
    Drill {
        name: "SIGTERM while blocks are read",
        faults: SLOW_BLOCKS,
        signal: Some((Signal::Term, "ebs:GetSnapshotBlock", 2)),
        outcomes: SOME_INTERRUPTED,
        exit: 143,
        ..INTERRUPT
    },
    Drill {
        name: "kill -9 while the first snapshots are asked for",
        faults: SLOW_CREATE,
        signal: Some((Signal::Kill, "ec2:DescribeSnapshots", 2)),
        ..KILL
    },
    Drill {
        name: "kill -9 after the first snapshots were made",
        faults: SLOW,
        signal: Some((Signal::Kill, "ec2:CreateSnapshots", 1)),
        ..KILL
    },
    Drill {
        name: "kill -9 after all snapshots were made",
        faults: SLOW,
        signal: Some((Signal::Kill, "ec2:CreateSnapshots", 2)),
        left: Left::Exactly(3),
        ..KILL
    },
    Drill {
        name: "kill -9 while blocks are read",
        faults: SLOW_BLOCKS,
        signal: Some((Signal::Kill, "ebs:GetSnapshotBlock", 1)),
        ..KILL
    },
    Drill {
        name: "Ctrl-C while one instance is scanned",
        faults: SLOW,
        command: &["scan", "@web"],
        signal: Some((Signal::Int, "ec2:CreateSnapshots", 1)),
        outcomes: &[],
        ..INTERRUPT
    },
];

/// Deleting takes so long that nobody waits for it.
pub const IMPATIENT: &str =
    "[snapshots]\nseconds = 3600\n[[fault]]\naction = 'DeleteSnapshot'\ndelay_ms = 15000\n";

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let Some(standin) = standin() else { return };
    let account = Other::Impatient.account();
    let mut command = standin.sidelight(&account, &["sweep", "--no-match", "--format", "json"]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    wait_for(standin, &account, &mut child, |books| books.count("ec2:CreateSnapshots") == 2);
    Signal::Int.send(&child);
    let mut stderr = std::io::BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("once more to end at once") {
        line.clear();
        let read = std::io::BufRead::read_line(&mut stderr, &mut line).expect("text");
        assert!(read > 0, "it ended without a word");
    }
    Signal::Int.send(&child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.is_empty(), "no report that waited for what was left");
    let books = Books::of(standin, &account);
    assert_eq!((books.count("ec2:DeleteSnapshot"), books.left.len()), (0, 3));
}

/// Ctrl-C ends the reader of a pipe too: nobody hears that the sweep ends, and it ends all the same.
#[test]
fn ctrl_c_with_a_closed_standard_error_leaves_nothing() {
    let Some(standin) = standin() else { return };
    let account = Other::Unheard.account();
    let mut command = standin.sidelight(&account, &["sweep", "--no-match"]);
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    drop(child.stderr.take());
    wait_for(standin, &account, &mut child, |books| books.count("ec2:CreateSnapshots") == 2);
    Signal::Int.send(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(Books::of(standin, &account).left, [""; 0]);
}
