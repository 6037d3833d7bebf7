//! The controls over HTTP, and those of the library at run time.

use std::{net::TcpStream, time::Duration};

use ebs_standin::{Effect, ErrorKind, Faults, LogEntry, Rule, Snapshot, Stats};
use serde_json::json;

use crate::client::{Client, ID, image, indexes, serve};

#[test]
fn stats_and_log_are_those_of_the_library() {
    let server = serve(&[1]);
    let client = Client::new(&server);
    client.list("").ok();
    let stats: Stats = serde_json::from_slice(&client.get("/_standin/stats").ok().body).unwrap();
    assert_eq!((&stats, stats.calls), (&server.stats(), 1));
    let log: Vec<LogEntry> = serde_json::from_slice(&client.get("/_standin/log").body).unwrap();
    assert_eq!(log, server.log());
    client.post("/_standin/reset", "").ok();
    assert_eq!((server.stats(), server.log()), (Stats::default(), vec![]));
}

#[test]
fn faults_are_set_as_json() {
    let server = serve(&[1]);
    let client = Client::new(&server);
    let faults = json!({
        "get_latency": { "fixed_ms": 1 },
        "limits": { "account_get": { "per_second": 1000, "burst": 100 } },
        "tokens": { "block_uses": 3 },
        "rules": [{
            "action": "ListSnapshotBlocks",
            "when": { "first": 1 },
            "effect": { "error": "internal_server" },
        }],
    });
    client.post("/_standin/faults", &faults.to_string()).ok();
    assert_eq!(client.list("").status, 500);
    client.list("").ok();
    assert_eq!(server.faults().tokens.page_seconds, 3600);
    let shown: Faults = serde_json::from_slice(&client.get("/_standin/faults").body).unwrap();
    assert_eq!(shown, server.faults());
    for wrong in ["{\"get_latenzy\": {}}", "[", "{\"rules\": [{\"effect\": \"fly\"}]}"] {
        assert_eq!(client.post("/_standin/faults", wrong).status, 400, "{wrong}");
    }
    assert_eq!(shown, server.faults());
    client.post("/_standin/faults", "{}").ok();
    assert_eq!(server.faults(), Faults::default());
}

#[test]
fn tokens_are_ended_over_http() {
    let server = serve(&[1]);
    let client = Client::new(&server);
    for (path, body) in [("expire-tokens", ""), ("skip-time", "{\"seconds\": 604800}")] {
        let token = client.tokens()[&1].clone();
        client.block(1, &token).ok();
        client.post(&format!("/_standin/{path}"), body).ok();
        assert_eq!(client.block(1, &token).status, 400);
    }
}

#[test]
fn snapshots_come_and_go_over_http() {
    let server = serve(&[1]);
    let client = Client::new(&server);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), image(&[3, 4])).unwrap();
    let body = json!({ "id": "snap-0b", "path": file.path(), "lineage": "vol-1", "owner": "1" });
    let added = client.post("/_standin/snapshots", &body.to_string()).ok().json();
    assert_eq!((&added["allocated_blocks"], &added["volume_gib"]), (&2.into(), &1.into()));
    let listed = client.get("/snapshots/snap-0b/blocks").ok().json();
    assert_eq!(indexes(&listed["Blocks"]), [3, 4]);
    assert_eq!(client.post("/_standin/snapshots", &body.to_string()).status, 409);
    assert_eq!(client.get("/_standin/snapshots").json().as_array().unwrap().len(), 2);
    let account = json!({ "access_key": "OTHER", "account": "2" });
    client.post("/_standin/accounts", &account.to_string()).ok();
    let other = Client::new(&server).key("OTHER");
    assert_eq!(other.get("/snapshots/snap-0b/blocks").status, 403);
    client.delete("/_standin/snapshots/snap-0b").ok();
    assert_eq!(client.get("/snapshots/snap-0b/blocks").status, 404);
    assert_eq!(client.delete("/_standin/snapshots/snap-0b").status, 404);
}

#[test]
fn states_of_snapshots_are_given_as_json() {
    let server = serve(&[]);
    let client = Client::new(&server);
    let mut codes = Vec::new();
    for (n, (name, value)) in
        [("status", "pending"), ("access", "kms-denied"), ("access", "denied"), ("status", "no")]
            .into_iter()
            .enumerate()
    {
        let id = format!("snap-0{n}");
        let body = json!({ "id": id, "path": "/dev/null", name: value });
        let added = client.post("/_standin/snapshots", &body.to_string()).status;
        codes.push((added, client.get(&format!("/snapshots/{id}/blocks")).status));
    }
    assert_eq!(codes, [(200, 400), (200, 403), (200, 403), (400, 404)]);
}

#[test]
fn a_pending_snapshot_is_completed_and_closed_over_http() {
    let server = serve(&[]);
    let client = Client::new(&server);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), image(&[3])).unwrap();
    let body = json!({ "id": "snap-0b", "path": file.path(), "status": "pending" });
    client.post("/_standin/snapshots", &body.to_string()).ok();
    assert_eq!(client.get("/snapshots/snap-0b/blocks").status, 400);
    let large = json!({ "id": "snap-0d", "path": file.path(), "volume_gib": 30 });
    assert_eq!(
        client.post("/_standin/snapshots", &large.to_string()).ok().json()["volume_gib"],
        30
    );
    assert_eq!(client.get("/snapshots/snap-0d/blocks").ok().json()["VolumeSize"], 30);
    client.post("/_standin/snapshots/snap-0b", "{\"status\": \"completed\"}").ok();
    assert_eq!(indexes(&client.get("/snapshots/snap-0b/blocks").ok().json()["Blocks"]), [3]);
    client.post("/_standin/snapshots/snap-0b", "{\"access\": \"kms-denied\"}").ok();
    assert_eq!(client.get("/snapshots/snap-0b/blocks").status, 403);
    let shown = &client.get("/_standin/snapshots").json()[1];
    assert_eq!((&shown["status"], &shown["access"]), (&"completed".into(), &"kms-denied".into()));
    for (path, body, status) in [
        ("snap-0c", "{}", 404),
        ("snap-0b", "{\"status\": \"gone\"}", 400),
        ("snap-0b", "{\"path\": \"/dev/null\"}", 400),
    ] {
        let answer = client.post(&format!("/_standin/snapshots/{path}"), body);
        assert_eq!(answer.status, status, "{path} {body}");
    }
}

#[test]
fn the_library_changes_a_running_server() {
    let server = serve(&[1]);
    let client = Client::new(&server);
    server.add_snapshot(Snapshot::bytes("snap-0b", image(&[5]))).unwrap();
    client.get("/snapshots/snap-0b/blocks").ok();
    assert!(server.add_snapshot(Snapshot::bytes(ID, [])).is_err());
    assert!(server.remove_snapshot("snap-0b"));
    assert!(!server.remove_snapshot("snap-0b"));
    assert_eq!(client.get("/snapshots/snap-0b/blocks").status, 404);
    let denied = Effect::Error(ErrorKind::UnauthorizedAccount);
    server.set_faults(Faults::default().rule(Rule::any(denied)));
    assert_eq!(client.list("").status, 403);
}

#[test]
fn dropping_the_server_stops_it() {
    let server = serve(&[1]);
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect_timeout(&address, Duration::from_secs(5)).is_err());
}

#[test]
fn unknown_controls_are_told() {
    let server = serve(&[]);
    let client = Client::new(&server);
    assert_eq!(client.get("/_standin/statz").status, 404);
    assert_eq!(client.post("/_standin/statz", "").status, 404);
    assert_eq!(client.delete("/_standin/reset").status, 404);
    assert_eq!(server.stats().calls, 0);
}
