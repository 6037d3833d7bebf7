//! Faults of single calls, and latency.

use base64::{Engine, engine::general_purpose::STANDARD};
use ebs_standin::{
    Action, BLOCK_SIZE, Effect, ErrorKind, Faults, Latency, Rule, Snapshot, Standin, When,
};
use sha2::{Digest, Sha256};

use crate::client::{Client, ID, Reply, fill, serve, serve_with, wait_until};

const GET: Action = Action::GetSnapshotBlock;
const FAILED: Effect = Effect::Error(ErrorKind::InternalServer);

fn is_sound(reply: &Reply) -> bool {
    STANDARD.encode(Sha256::digest(&reply.body)) == reply.headers["x-amz-checksum"]
}

/// A server with one rule, and which of six reads of blocks 1, 2, 1, 2, 1, 2 fail.
fn failures(rule: Rule) -> Vec<bool> {
    let server = serve_with(&[1, 2], Faults::default().rule(rule));
    let client = Client::new(&server);
    let tokens = client.tokens();
    let status = |index| client.block(index, &tokens[&index]).status;
    [1, 2, 1, 2, 1, 2].map(|index| status(index) == 500).to_vec()
}

/// A server that does `effect` to the second read, and that read.
fn second_read(effect: Effect) -> (Standin, Result<Reply, ureq::Error>) {
    let rule = Rule::on(GET, effect).when(When::Every(2));
    let server = serve_with(&[1], Faults::default().rule(rule));
    let client = Client::new(&server);
    let token = client.tokens()[&1].clone();
    let first = client.block(1, &token).ok();
    assert!(is_sound(&first));
    let second = client.try_block(1, &token);
    assert!(is_sound(&client.block(1, &token).ok()));
    (server, second)
}

#[test]
fn rules_choose_calls_by_count() {
    let of = |when| failures(Rule::on(GET, FAILED).when(when));
    let bits = |text: &str| text.chars().map(|c| c == 'x').collect::<Vec<_>>();
    assert_eq!(of(When::Always), bits("xxxxxx"));
    assert_eq!(of(When::First(3)), bits("xxx..."));
    assert_eq!(of(When::After(4)), bits("....xx"));
    assert_eq!(of(When::Every(3)), bits("..x..x"));
    assert_eq!(of(When::FirstPerBlock(1)), bits("xx...."));
    assert_eq!(of(When::FirstPerBlock(2)), bits("xxxx.."));
    let of_block_two = Rule::on(GET, FAILED).blocks([2]).when(When::First(2));
    assert_eq!(failures(of_block_two), bits(".x.x.."));
    assert_eq!(failures(Rule::on(GET, FAILED).snapshot("snap-0b")), bits("......"));
}

#[test]
fn a_rule_finds_later_snapshots_of_its_volume() {
    let server = serve_with(&[1], Faults::default().rule(Rule::any(FAILED).lineage("vol-1")));
    let client = Client::new(&server);
    client.list("").ok();
    for (id, lineage, status) in [("snap-0b", "vol-1", 500), ("snap-0c", "vol-2", 200)] {
        server.add_snapshot(Snapshot::bytes(id, [1]).lineage(lineage)).unwrap();
        assert_eq!(client.get(&format!("/snapshots/{id}/blocks")).status, status, "{id}");
    }
}

#[test]
fn the_first_rule_that_fires_takes_the_call() {
    let throttled = Effect::Error(ErrorKind::AccountThrottled);
    let faults = Faults::default()
        .rule(Rule::on(GET, FAILED).when(When::First(1)))
        .rule(Rule::on(GET, throttled).when(When::First(1)));
    let server = serve_with(&[1], faults);
    let client = Client::new(&server);
    let token = client.tokens()[&1].clone();
    let statuses = [(); 3].map(|()| client.block(1, &token).status);
    assert_eq!(statuses, [500, 400, 200]);
}

#[test]
fn a_block_can_be_corrupt() {
    let (server, reply) = second_read(Effect::CorruptBody);
    let reply = reply.unwrap().ok();
    assert!(!is_sound(&reply));
    let wrong = reply.body.iter().filter(|byte| **byte != fill(1)).count();
    assert_eq!((wrong, reply.body.len()), (1, BLOCK_SIZE));
    assert_eq!(server.stats().blocks, 3);
}

#[test]
fn a_block_can_be_short_or_say_so() {
    let reply = second_read(Effect::ShortBody).1.unwrap().ok();
    assert_eq!((reply.body.len(), &reply.headers["x-amz-data-length"][..]), (262_144, "262144"));
    let reply = second_read(Effect::WrongDataLength).1.unwrap().ok();
    assert_eq!((reply.body.len(), &reply.headers["x-amz-data-length"][..]), (524_288, "524287"));
}

#[test]
fn the_checksum_can_be_missing() {
    let reply = second_read(Effect::OmitChecksum).1.unwrap().ok();
    assert!(!reply.headers.keys().any(|name| name.contains("checksum")));
}

#[test]
fn an_answer_can_break_off_or_be_none() {
    assert!(second_read(Effect::TruncateBody).1.is_err());
    let (server, reply) = second_read(Effect::DropConnection);
    assert!(reply.is_err());
    assert_eq!(server.stats().results("dropped"), 1);
    assert_eq!(server.stats().statuses[&0], 1);
}

#[test]
fn a_listing_can_break_off() {
    let rule = Rule::on(Action::ListSnapshotBlocks, Effect::TruncateBody).when(When::First(1));
    let server = serve_with(&[1], Faults::default().rule(rule));
    let client = Client::new(&server);
    assert!(client.try_get(&format!("/snapshots/{ID}/blocks")).is_err());
    client.list("").ok();
}

/// Many calls wait at once, and end when the server does.
#[test]
fn answers_can_stall() {
    for effect in [Effect::Stall, Effect::StallBody] {
        let server = serve(&[1]);
        let token = Client::new(&server).tokens()[&1].clone();
        server.set_faults(Faults::default().rule(Rule::on(GET, effect)));
        let waiting: Vec<_> = (0..40)
            .map(|_| {
                let (url, token) = (server.url(), token.clone());
                std::thread::spawn(move || Client::at(&url).try_block(1, &token))
            })
            .collect();
        wait_until(|| server.stats().in_flight == 40);
        assert_eq!(server.stats().max_in_flight, 40);
        drop(server);
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap().is_err()));
    }
}

#[test]
fn latency_is_set_by_call() {
    let faults = Faults {
        seed: 7,
        list_latency: Latency { fixed_ms: 30, jitter_ms: 0 },
        get_latency: Latency { fixed_ms: 10, jitter_ms: 5 },
        ..Faults::default()
    };
    let slow = Rule::on(GET, Effect::Delay(60)).when(When::Every(2));
    let server = serve_with(&[1], faults.rule(slow));
    let client = Client::new(&server);
    let token = client.tokens()[&1].clone();
    client.block(1, &token).ok();
    client.block(1, &token).ok();
    let took: Vec<_> = server.log().iter().map(|call| call.end_us - call.start_us).collect();
    for (took, least) in took.iter().zip([30_000, 10_000, 70_000]) {
        assert!(*took >= least, "{took} {least}");
    }
}
