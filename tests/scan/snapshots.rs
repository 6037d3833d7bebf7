//! Scans through the EBS direct API stand-in: the same answer as from the image, in few calls,
//! with faults on the way.

use crate::support::{disks, packages, scan, sidelight, tool};
use ebs_standin::{Action, Effect, ErrorKind, Faults, Rule, Standin, When};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const ID: &str = "snap-0123456789abcdef0";

fn run(server: &Standin, id: &str) -> Output {
    run_at(&server.url(), id)
}

fn run_at(url: &str, id: &str) -> Output {
    run_arguments(url, &["scan", "--no-match", "--format", "json", id])
}

fn run_arguments(url: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidelight"))
        .args(arguments)
        .env("AWS_ENDPOINT_URL_EBS", url)
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
    let only = ["scan", "--no-match", "--only", "os", "--format", "json", ID];
    let output = run_arguments(&server.url(), &only);
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

/// Folders are chains of blocks; those of one level are asked for at once. The disks were filled by
/// the kernel, which keeps folders together.
#[test]
fn all_names_of_snapshots_are_those_of_their_images_and_many_blocks_are_asked_for_at_once() {
    let Some(folder) = disks() else { return };
    let images = ["one", "two", "three"].map(|name| folder.join(format!("lvm-host/{name}.img")));
    let [one, two, three] = images.each_ref().map(|image| image.to_str().expect("UTF-8"));
    let from_images = sidelight(&["ls", "-R", one, two, three, "/"]);
    let ids = [1, 2, 3].map(|index| format!("snap-0123456789abcde{index}0"));
    let mut builder = Standin::builder().faults(Faults::default().latency_ms(10));
    for (id, image) in ids.iter().zip(&images) {
        builder = builder.snapshot(id, image);
    }
    let server = builder.start().expect("started");
    let output = run_arguments(&server.url(), &["ls", "-R", &ids.join(","), "/"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.len() > 100_000 && output.stdout == from_images.stdout);
    let stats = server.stats();
    assert!(stats.max_in_flight >= 8, "{stats:?}");
    assert!(stats.blocks <= stats.distinct_blocks * 11 / 10, "{stats:?}");
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

#[test]
fn a_snapshot_that_is_not_there_is_a_gap_beside_one_that_is() {
    const UNKNOWN: &str = "snap-00000000000000000";
    let work = tempfile::tempdir().expect("a folder");
    let root = work.path().join("root");
    std::fs::create_dir(&root).expect("made");
    crate::directory::root(&root);
    let image = work.path().join("disk.img");
    File::create(&image).expect("made").set_len(1 << 30).expect("grown");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    tool("mkfs.ext4", &["-q", "-F", "-d", &path(&root), &path(&image)]);
    let server = Standin::builder().snapshot(ID, &image).start().expect("started");
    for targets in [format!("{UNKNOWN},{ID}"), format!("{ID},{UNKNOWN}")] {
        let output = run(&server, &targets);
        let found = report(&output);
        assert_eq!(output.status.code(), Some(3), "{targets}");
        assert_eq!(crate::directory::names(&found), ["good"]);
        let gaps = found["gaps"].as_array().expect("gaps");
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert_eq!((&gaps[0]["place"], &gaps[0]["reason"]), (&UNKNOWN.into(), &"missing".into()));
        assert_eq!(found["host"]["cloud"]["snapshots"], serde_json::json!([ID]));
    }
    let output = run(&server, &format!("{UNKNOWN},snap-00000000000000001"));
    assert_eq!(output.status.code(), Some(2));
}

/// Where fstab wants a disk, it may be the one that could not be opened.
#[test]
fn a_snapshot_that_cannot_be_opened_stands_in_the_coverage() {
    const OTHER: &str = "snap-0123456789abcdef1";
    let work = tempfile::tempdir().expect("a folder");
    let root = work.path().join("root");
    std::fs::create_dir(&root).expect("made");
    crate::directory::root(&root);
    let fstab = "LABEL=disk /srv ext4 defaults,nofail 0 0\n";
    std::fs::write(root.join("etc/fstab"), fstab).expect("written");
    let image = work.path().join("disk.img");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    tool("mke2fs", &["-q", "-t", "ext4", "-d", &path(&root), &path(&image), "40M"]);
    let server = Standin::builder().snapshot(ID, &image).start().expect("started");
    let found = report(&run(&server, &format!("{OTHER},{ID}")));
    let part = found["coverage"]["parts"].as_array().expect("parts").last().expect("a part");
    assert_eq!((&part["name"], &part["state"]), (&OTHER.into(), &"gap".into()), "{part}");
    let gaps = found["gaps"].as_array().expect("gaps");
    let place = |place: &str| gaps.iter().find(|gap| gap["place"] == place).expect(place);
    assert_eq!(part["detail"], place(OTHER)["detail"]);
    let expected = "no disk of this scan holds it, but one of its disks could not be opened";
    let told = place("/srv")["detail"].as_str().expect("text");
    assert!(told.ends_with(expected), "{told}");
    let alone = report(&run(&server, ID));
    let told = alone["gaps"][0]["detail"].as_str().expect("text");
    assert!(told.ends_with("no disk of this scan holds it"), "{alone}");
}

/// Answers listings with one block, and calls for that block with a GiB; counts what it wrote.
fn endless(listener: &TcpListener, sent: &AtomicU64) {
    const PAGE: &str = r#"{"Blocks":[{"BlockIndex":0,"BlockToken":"AAAA"}],"VolumeSize":1,"BlockSize":524288,"ExpiryTime":4000000000.0}"#;
    while let Ok((mut peer, _)) = listener.accept() {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && peer.read_exact(&mut byte).is_ok() {
            head.push(byte[0]);
        }
        let answer = if String::from_utf8_lossy(&head).contains("/blocks/0?") {
            let sum = "B4VNL+6Mz1ey2fF3GxLYSpVYiKCZcbmVDYcUBJIWX0s=";
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\nConnection: close\r\nx-amz-Data-Length: 524288\r\nx-amz-Checksum: {sum}\r\nx-amz-Checksum-Algorithm: SHA256\r\n\r\n"
            )
        } else {
            let length = PAGE.len();
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{PAGE}"
            )
        };
        let mut alive = peer.write_all(answer.as_bytes()).is_ok();
        while alive && answer.contains("1073741824") && sent.load(Ordering::SeqCst) < 4 << 30 {
            alive = peer.write_all(&[0; 16_384]).is_ok();
            sent.fetch_add(16_384, Ordering::SeqCst);
        }
    }
}

#[test]
fn a_body_longer_than_a_block_is_not_collected() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let sent = Arc::new(AtomicU64::new(0));
    let counted = sent.clone();
    std::thread::spawn(move || endless(&listener, &counted));
    let output = run_at(&url, ID);
    let found = report(&output);
    assert_eq!(output.status.code(), Some(3));
    let gaps = found["gaps"].to_string();
    assert!(gaps.contains("more than the 524288 bytes of a block came"), "{gaps}");
    // What the sockets hold is sent in vain, for each attempt.
    assert!(sent.load(Ordering::SeqCst) < 256 << 20, "{sent:?}");
}
