//! Scans through the EBS direct API stand-in: the same answer as from the image, in few calls,
//! with faults on the way.

use crate::support::{disks, packages, scan};
use ebs_standin::{Action, Effect, ErrorKind, Faults, Rule, Standin, When};
use serde_json::Value;
use std::process::{Command, Output};

const ID: &str = "snap-0123456789abcdef0";

fn run(server: &Standin, id: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidelight"))
        .args(["scan", "--no-match", "--format", "json", id])
        .env("AWS_ENDPOINT_URL_EBS", server.url())
        .envs([
            ("AWS_ACCESS_KEY_ID", "AKIATEST"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_REGION", "us-east-1"),
        ])
        .output()
        .expect("the program runs")
}

fn report(output: &Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
}

#[test]
fn a_snapshot_gives_what_its_image_gives() {
    let Some(folder) = disks() else { return };
    let image = folder.join("debian-12.img");
    let (_, from_image) = scan(&[&image]);
    let server = Standin::builder().snapshot(ID, &image).start().expect("the stand-in starts");
    let output = run(&server, ID);
    let found = report(&output);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(packages(&found), packages(&from_image));
    let cloud = &found["host"]["cloud"];
    assert_eq!(cloud["snapshots"], serde_json::json!([ID]));
    assert_eq!(cloud["region"], "us-east-1");
    let (receipt, stats) = (&found["receipt"], server.stats());
    assert_eq!(receipt["api_calls"], stats.calls);
    assert_eq!(
        receipt["blocks_allocated"],
        server.allocated_blocks(ID).map_or(0, |blocks| blocks.len())
    );
    assert!(stats.calls_of(Action::GetSnapshotBlock) <= 20, "{stats:?}");
    assert!(receipt["usd"].as_f64().is_some_and(|usd| usd > 0.0 && usd < 0.001));
}

#[test]
fn faults_on_the_way_change_nothing_but_the_receipt() {
    let Some(folder) = disks() else { return };
    let image = folder.join("debian-11.img");
    let (_, from_image) = scan(&[&image]);
    for effect in [
        Effect::Error(ErrorKind::ResourceLevelThrottle),
        Effect::Error(ErrorKind::AccountThrottled),
        Effect::Error(ErrorKind::InternalServer),
        Effect::Error(ErrorKind::InvalidBlockToken),
        Effect::CorruptBody,
        Effect::DropConnection,
    ] {
        let rule = Rule::on(Action::GetSnapshotBlock, effect).when(When::First(3));
        let faults = Faults::default().rule(rule);
        let server =
            Standin::builder().snapshot(ID, &image).faults(faults).start().expect("started");
        let found = report(&run(&server, ID));
        assert_eq!(packages(&found), packages(&from_image), "{effect:?}");
        assert_eq!(found["gaps"], serde_json::json!([]), "{effect:?}");
        // A refused token is mended by listing again, which is no repetition of a failed call.
        let listed_again = server.stats().calls_of(Action::ListSnapshotBlocks) > 1;
        assert!(found["receipt"]["retries"].as_u64() >= Some(1) || listed_again, "{effect:?}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let image = vec![7; 1 << 20];
    let bytes = ebs_standin::Snapshot::bytes(ID, image);
    let server = Standin::builder().add_snapshot(bytes).start().expect("started");
    let unknown = run(&server, "snap-00000000000000000");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("snap-00000000000000000"));
    let always = Rule::on(Action::GetSnapshotBlock, Effect::CorruptBody);
    server.set_faults(Faults::default().rule(always));
    let damaged = run(&server, ID);
    assert_eq!(damaged.status.code(), Some(3));
    assert_eq!(report(&damaged)["gaps"][1]["reason"], "unreadable");
}
