//! Throttling. Buckets with a rate of zero hold their burst and no more, so that no clock
//! decides; the refilling is tested beside the bucket.

use ebs_standin::{Effect, Faults, Limits, Rate, Rule, Snapshot, Standin};

use crate::client::{Client, ID, KEY, escape, image, serve_with, wait_until};

const ACCOUNT: &str = "400 RequestThrottledException/ACCOUNT_THROTTLED";
const SNAPSHOT: &str = "400 RequestThrottledException/RESOURCE_LEVEL_THROTTLE";

fn limited(limits: Limits) -> Faults {
    Faults { limits, ..Faults::default() }
}

fn burst(calls: f64) -> Rate {
    Rate::new(0.0, calls)
}

#[test]
fn an_account_has_a_bucket_of_its_own() {
    let limits = Limits { account_get: Some(burst(2.0)), ..Limits::default() };
    let server = serve_with(&[1], limited(limits));
    server.add_account("SECOND-KEY", "111122223333");
    server.add_account("THIRD-KEY", "111122223333");
    let client = Client::new(&server);
    let token = client.tokens()[&1].clone();
    client.block(1, &token).ok();
    client.block(1, &token).ok();
    assert_eq!(client.block(1, &token).error(), ACCOUNT);
    client.list("").ok();
    let (second, third) =
        (Client::new(&server).key("SECOND-KEY"), Client::new(&server).key("THIRD-KEY"));
    second.block(1, &token).ok();
    third.block(1, &token).ok();
    assert_eq!(second.block(1, &token).error(), ACCOUNT, "both keys are of one account");
}

#[test]
fn each_list_call_has_a_bucket() {
    let limits = Limits { account_list: Some(burst(1.0)), ..Limits::default() };
    let server = serve_with(&[1], limited(limits));
    let client = Client::new(&server);
    let changed = format!("/snapshots/{ID}/changedblocks");
    client.list("").ok();
    client.get(&changed).ok();
    assert_eq!(client.list("").error(), ACCOUNT);
    assert_eq!(client.get(&changed).error(), ACCOUNT);
    server.set_faults(limited(limits));
    client.list("").ok();
}

#[test]
fn a_snapshot_has_a_bucket_for_all_accounts() {
    let limits = Limits { snapshot_get: Some(burst(2.0)), ..Limits::default() };
    let other = "snap-0b";
    let server = Standin::builder()
        .add_snapshot(Snapshot::bytes(ID, image(&[1])))
        .add_snapshot(Snapshot::bytes(other, image(&[1])))
        .faults(limited(limits))
        .start()
        .unwrap();
    let client = Client::new(&server);
    let token = client.tokens()[&1].clone();
    client.block(1, &token).ok();
    Client::new(&server).key("OTHER").block(1, &token).ok();
    assert_eq!(client.block(1, &token).error(), SNAPSHOT);
    let path = format!("/snapshots/{other}/blocks");
    let listing = client.get(&path).ok().json();
    let token = escape(listing["Blocks"][0]["BlockToken"].as_str().unwrap());
    client.get(&format!("{path}/1?blockToken={token}")).ok();
    assert_eq!(server.stats().results("RequestThrottledException/RESOURCE_LEVEL_THROTTLE"), 1);
}

#[test]
fn calls_in_flight_are_limited() {
    let limits = Limits { in_flight: Some(1), ..Limits::default() };
    let stalled = Rule::any(Effect::Stall).snapshot(ID).blocks([1]);
    let server = serve_with(&[1, 2], limited(limits).rule(stalled));
    let url = server.url();
    let waiting = std::thread::spawn(move || Client::at(&url).key(KEY).try_block(1, "AA"));
    wait_until(|| server.stats().in_flight == 1);
    let refused = Client::new(&server).block(2, "AA").error();
    assert_eq!(refused, "400 ConcurrentLimitExceededException");
    drop(server);
    assert!(waiting.join().unwrap().is_err());
}
