//! `ListSnapshotBlocks`.

use ebs_standin::{Faults, Pages, Standin};
use serde_json::Value;

use crate::client::{Client, ID, escape, indexes, serve, serve_with};

/// The pages' indexes, to the last page or to the n-th.
fn pages(client: &Client, query: &str, most: usize) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    let mut token = None::<String>;
    while pages.len() < most {
        let next = token.map_or(query.to_owned(), |token| {
            format!("?maxResults=100&pageToken={}", escape(&token))
        });
        let page = client.list(&next).ok().json();
        pages.push(indexes(&page["Blocks"]));
        match &page["NextToken"] {
            Value::String(next) => token = Some(next.clone()),
            _ => break,
        }
    }
    pages
}

#[test]
fn only_blocks_that_hold_something_are_listed() {
    let server = serve(&[0, 3, 7, 120]);
    let reply = Client::new(&server).list("").ok();
    assert_eq!(reply.headers["content-type"], "application/json");
    let json = reply.json();
    assert_eq!(indexes(&json["Blocks"]), [0, 3, 7, 120]);
    assert_eq!((&json["VolumeSize"], &json["BlockSize"]), (&1.into(), &524_288.into()));
    assert!(json["ExpiryTime"].is_u64());
    assert!(json.get("NextToken").is_none());
    assert_eq!(server.allocated_blocks(ID).unwrap(), [0, 3, 7, 120]);
}

#[test]
fn a_file_is_served_with_its_holes() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len((2 << 30) + 5).unwrap();
    std::os::unix::fs::FileExt::write_all_at(file.as_file(), b"end", 2 << 30).unwrap();
    let server = Standin::builder().snapshot(ID, file.path()).start().unwrap();
    let json = Client::new(&server).list("").ok().json();
    assert_eq!((indexes(&json["Blocks"]), &json["VolumeSize"]), (vec![4096], &3.into()));
}

#[test]
fn pages_follow_each_other_without_gap_or_double() {
    let all: Vec<u64> = (0..250).filter(|n| n % 10 != 3).collect();
    let server = serve(&all);
    let pages = pages(&Client::new(&server), "?maxResults=100", 10);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 25]);
    assert_eq!(pages.concat(), all);
}

#[test]
fn a_listing_starts_at_the_index_or_the_next() {
    let server = serve(&[2, 5, 9]);
    let client = Client::new(&server);
    for (start, expected) in [(0, vec![2, 5, 9]), (5, vec![5, 9]), (6, vec![9]), (10, vec![])] {
        let json = client.list(&format!("?startingBlockIndex={start}")).ok().json();
        assert_eq!(indexes(&json["Blocks"]), expected);
    }
}

#[test]
fn pages_may_be_shorter_than_asked() {
    let shape = Pages { short: Some(2), ..Pages::default() };
    let server = serve_with(&[1, 2, 3, 4, 5], Faults { pages: shape, ..Faults::default() });
    let pages = pages(&Client::new(&server), "", 10);
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
}

#[test]
fn pages_may_be_empty_and_yet_go_on() {
    let shape = Pages { short: Some(2), empty_every: Some(2), empty_last: true };
    let server = serve_with(&[1, 2, 3, 4], Faults { pages: shape, ..Faults::default() });
    let pages_of = |most| pages(&Client::new(&server), "", most);
    assert_eq!(pages_of(10), [vec![1, 2], vec![], vec![3, 4], vec![], vec![]]);
    let shape = Pages { empty_every: Some(1), ..Pages::default() };
    server.set_faults(Faults { pages: shape, ..Faults::default() });
    assert_eq!(pages_of(5).concat(), [0; 0], "this listing never ends");
}

#[test]
fn parameters_are_checked() {
    let server = serve(&[1]);
    let client = Client::new(&server);
    let refused = "400 ValidationException/INVALID_PARAMETER_VALUE";
    for query in ["maxResults=99", "maxResults=10001", "maxResults=x", "startingBlockIndex=-1"] {
        assert_eq!(client.list(&format!("?{query}")).error(), refused, "{query}");
    }
    for query in ["maxResults=100", "maxResults=10000"] {
        client.list(&format!("?{query}")).ok();
    }
}

#[test]
fn a_page_token_and_a_start_exclude_each_other() {
    let shape = Pages { short: Some(1), ..Pages::default() };
    let server = serve_with(&[1, 2], Faults { pages: shape, ..Faults::default() });
    let client = Client::new(&server);
    let token = client.list("").json()["NextToken"].as_str().map(escape).unwrap();
    let reply = client.list(&format!("?pageToken={token}&startingBlockIndex=1"));
    assert_eq!(reply.error(), "400 ValidationException/INVALID_PARAMETER_VALUE");
    client.list(&format!("?pageToken={token}")).ok();
}
