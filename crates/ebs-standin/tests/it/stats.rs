//! Counts and the log.

use ebs_standin::{Action, BLOCK_SIZE};

use crate::client::{Client, ID, KEY, serve};

#[test]
fn every_call_is_counted() {
    let server = serve(&[1, 2]);
    let mut client = Client::new(&server);
    let tokens = client.tokens();
    client.block(1, &tokens[&1]).ok();
    client.block(1, &tokens[&1]).ok();
    client.block(2, &tokens[&2]).ok();
    client.block(2, &tokens[&1]);
    client.authorization = None;
    client.list("");
    client.get("/elsewhere");
    let stats = server.stats();
    assert_eq!((stats.calls, stats.calls_of(Action::GetSnapshotBlock)), (7, 4));
    assert_eq!(stats.calls_of(Action::ListSnapshotBlocks), 2);
    assert_eq!(stats.actions["unknown"].calls, 1);
    assert_eq!((stats.results("ok"), stats.statuses[&200], stats.statuses[&403]), (4, 4, 2));
    assert_eq!(stats.results("ValidationException/INVALID_BLOCK_TOKEN"), 1);
    assert_eq!((stats.blocks, stats.distinct_blocks), (3, 2));
    let by = |caller: &str| stats.callers[caller].values().sum::<u64>();
    assert_eq!((stats.callers.len(), by(KEY), by("unsigned")), (2, 5, 2));
    assert_eq!(stats.callers[KEY]["GetSnapshotBlock"], 4);
    assert_eq!(stats.bytes, 3 * BLOCK_SIZE as u64);
    assert_eq!(stats.snapshots[ID].distinct_blocks, 2);
    assert_eq!((stats.in_flight, stats.max_in_flight), (0, 1));
}

#[test]
fn the_log_tells_the_chain_of_calls() {
    let server = serve(&[1, 2]);
    let client = Client::new(&server);
    let tokens = client.tokens();
    client.block(2, &tokens[&2]).ok();
    client.list("?startingBlockIndex=2").ok();
    let log = server.take_log();
    let calls: Vec<_> = log.iter().map(|call| (call.action.unwrap(), call.index)).collect();
    let listed = Action::ListSnapshotBlocks;
    assert_eq!(calls, [(listed, None), (Action::GetSnapshotBlock, Some(2)), (listed, Some(2))]);
    assert!(log.iter().all(|call| call.snapshot.as_deref() == Some(ID) && call.result == "ok"));
    assert!(log.iter().all(|call| call.start_us <= call.end_us));
    assert!(log.windows(2).all(|pair| pair[0].end_us <= pair[1].start_us));
    assert_eq!(server.log(), []);
    assert_eq!(server.stats().calls, 3);
}

#[test]
fn counts_can_be_reset() {
    let server = serve(&[1]);
    let client = Client::new(&server);
    client.block(1, &client.tokens()[&1]).ok();
    server.reset_stats();
    assert_eq!(server.stats(), ebs_standin::Stats::default());
    assert_eq!(server.log(), []);
    client.block(1, &client.tokens()[&1]).ok();
    assert_eq!(server.stats().distinct_blocks, 1);
}
