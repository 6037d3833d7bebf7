//! The binary: starts, serves, and stops with its counts.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

use ebs_standin::Stats;
use rustix::process::{Pid, Signal, kill_process};

use crate::client::{Client, ID, image};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebs-standin"));
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The process, and the URL that its first line gives.
fn start(args: &[&str]) -> (Child, String) {
    let mut child = command(args).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.strip_prefix("listening on ").unwrap().trim_end().to_owned();
    (child, url)
}

fn failure(args: &[&str]) -> String {
    let output = command(args).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, ready) = (folder.path().join("disk.img"), folder.path().join("ready"));
    std::fs::write(&disk, image(&[2])).unwrap();
    let snapshot = format!("{ID}={}", disk.display());
    let other = format!("snap-0b={}", disk.display());
    let lineage = format!("{ID},snap-0b");
    let (mut child, url) = start(&[
        "--snapshot",
        &snapshot,
        "--snapshot",
        &other,
        "--lineage",
        &lineage,
        "--status",
        "snap-0b=completed",
        "--latency-ms",
        "1",
        "--snapshot-rate",
        "0:1",
        "--ready-file",
        ready.to_str().unwrap(),
        "--stats",
    ]);
    assert_eq!(std::fs::read_to_string(&ready).unwrap(), format!("{url}\n"));
    let client = Client::at(&url);
    let token = client.tokens()[&2].clone();
    client.block(2, &token).ok();
    assert_eq!(client.block(2, &token).status, 400, "the rate is used up");
    client.get(&format!("/snapshots/snap-0b/changedblocks?firstSnapshotId={ID}")).ok();
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(child.wait().unwrap().success());
    let stats: Stats = serde_json::from_str(&stderr).unwrap();
    assert_eq!((stats.calls, stats.distinct_blocks), (4, 1));
}

#[test]
fn it_stops_with_the_process_that_holds_its_standard_input() {
    let mut child = command(&["--stop-with-stdin"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(child.try_wait().unwrap().is_none(), "it runs while its input is open");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn wrong_settings_are_told() {
    let missing = failure(&["--snapshot", "snap-0a=/nowhere/disk.img"]);
    assert!(missing.contains("cannot read image /nowhere/disk.img: No such file"), "{missing}");
    let unknown = failure(&["--status", "snap-0a=pending"]);
    assert!(unknown.contains("--status names snap-0a, which no --snapshot does"), "{unknown}");
    let value = failure(&["--snapshot", "snap-0a=/dev/null", "--access", "snap-0a=some"]);
    assert!(value.contains("--access does not take \"some\""), "{value}");
    assert!(failure(&["--account-rate", "fast"]).contains("not a rate"));
    assert!(failure(&["--snapshot", "disk.img"]).contains("not of the form NAME=VALUE"));
}

#[test]
fn help_shows_what_to_export() {
    let help = String::from_utf8(command(&["--help"]).output().unwrap().stdout).unwrap();
    for name in ["AWS_ENDPOINT_URL_EBS", "AWS_ACCESS_KEY_ID", "AWS_REGION", "/_standin/stats"] {
        assert!(help.contains(name), "{name}");
    }
}
