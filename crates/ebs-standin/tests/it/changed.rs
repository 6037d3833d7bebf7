//! `ListChangedBlocks`.

use ebs_standin::{BLOCK_SIZE, Faults, Pages, Snapshot, Standin};
use serde_json::Value;

use crate::client::{Client, entries, escape, image, index};

const FIRST: &str = "snap-0a";
const SECOND: &str = "snap-0b";
const OTHER: &str = "snap-0c";

/// The second has block 9 more and block 4 less than the first, and another block 2.
fn serve() -> Standin {
    let mut second = image(&[1, 2, 9]);
    second[2 * BLOCK_SIZE + 5] ^= 1;
    Standin::builder()
        .add_snapshot(Snapshot::bytes(FIRST, image(&[1, 2, 4])).lineage("vol-1"))
        .add_snapshot(Snapshot::bytes(SECOND, second).lineage("vol-1"))
        .add_snapshot(Snapshot::bytes(OTHER, image(&[1])))
        .start()
        .unwrap()
}

fn changes(json: &Value) -> Vec<(u64, bool, bool)> {
    let has = |entry: &Value, name| entry.get(name).is_some();
    entries(&json["ChangedBlocks"])
        .map(|e| (index(e), has(e, "FirstBlockToken"), has(e, "SecondBlockToken")))
        .collect()
}

#[test]
fn changes_are_by_allocation_and_by_content() {
    let server = serve();
    let client = Client::new(&server);
    let path = format!("/snapshots/{SECOND}/changedblocks?firstSnapshotId={FIRST}");
    let json = client.get(&path).ok().json();
    assert_eq!(changes(&json), [(2, true, true), (4, true, false), (9, false, true)]);
    assert_eq!((&json["VolumeSize"], &json["BlockSize"]), (&1.into(), &524_288.into()));
    let from_three = client.get(&format!("{path}&startingBlockIndex=3")).ok().json();
    assert_eq!(changes(&from_three), [(4, true, false), (9, false, true)]);
    let same = format!("/snapshots/{OTHER}/changedblocks?firstSnapshotId={OTHER}");
    assert_eq!(changes(&client.get(&same).ok().json()), []);
}

#[test]
fn both_tokens_read_their_own_snapshot() {
    let server = serve();
    let client = Client::new(&server);
    let path = format!("/snapshots/{SECOND}/changedblocks?firstSnapshotId={FIRST}");
    let change = client.get(&path).ok().json()["ChangedBlocks"][0].clone();
    let read = |id, token: &str| {
        let token = escape(change[token].as_str().unwrap());
        client.get(&format!("/snapshots/{id}/blocks/2?blockToken={token}"))
    };
    let (first, second) =
        (read(FIRST, "FirstBlockToken").ok().body, read(SECOND, "SecondBlockToken").ok().body);
    assert_eq!(first.iter().zip(&second).filter(|(a, b)| a != b).count(), 1);
    let mixed = read(FIRST, "SecondBlockToken").error();
    assert_eq!(mixed, "400 ValidationException/INVALID_BLOCK_TOKEN");
}

#[test]
fn without_a_first_snapshot_everything_is_a_change() {
    let server = serve();
    let json = Client::new(&server).get(&format!("/snapshots/{SECOND}/changedblocks")).ok().json();
    assert_eq!(changes(&json), [(1, false, true), (2, false, true), (9, false, true)]);
}

#[test]
fn changes_are_paged() {
    let server = serve();
    let pages = Pages { short: Some(1), empty_every: Some(3), ..Pages::default() };
    server.set_faults(Faults { pages, ..Faults::default() });
    let client = Client::new(&server);
    let path = format!("/snapshots/{SECOND}/changedblocks?firstSnapshotId={FIRST}");
    let mut seen = Vec::new();
    let mut json = client.get(&path).ok().json();
    while let Some(token) = json["NextToken"].as_str() {
        seen.push(changes(&json).len());
        json = client.get(&format!("{path}&pageToken={}", escape(token))).ok().json();
    }
    seen.push(changes(&json).len());
    assert_eq!(seen, [1, 1, 0, 1]);
}

#[test]
fn snapshots_of_other_volumes_are_unrelated() {
    let server = serve();
    let client = Client::new(&server);
    let error = |first| {
        client.get(&format!("/snapshots/{SECOND}/changedblocks?firstSnapshotId={first}")).error()
    };
    assert_eq!(error(OTHER), "400 ValidationException/UNRELATED_SNAPSHOTS");
    assert_eq!(error("snap-0d"), "404 ResourceNotFoundException/SNAPSHOT_NOT_FOUND");
    assert_eq!(error("vol-1"), "400 ValidationException/INVALID_SNAPSHOT_ID");
}

#[test]
fn a_page_token_is_of_one_pair_of_snapshots() {
    let server = serve();
    let pages = Pages { short: Some(1), ..Pages::default() };
    server.set_faults(Faults { pages, ..Faults::default() });
    let client = Client::new(&server);
    let path = format!("/snapshots/{SECOND}/changedblocks");
    let pair = client.get(&format!("{path}?firstSnapshotId={FIRST}")).ok().json();
    let token = escape(pair["NextToken"].as_str().unwrap());
    let wrong = "400 ValidationException/INVALID_PAGE_TOKEN";
    assert_eq!(client.get(&format!("{path}?pageToken={token}")).error(), wrong);
    let listing = format!("/snapshots/{SECOND}/blocks?pageToken={token}");
    assert_eq!(client.get(&listing).error(), wrong);
}
