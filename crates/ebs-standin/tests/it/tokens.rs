//! Tokens: bound, checked and mortal.

use std::time::Duration;

use ebs_standin::{Faults, Pages, Snapshot, Standin, TokenLife};

use crate::client::{Client, ID, escape, image, serve_with};

const WRONG_BLOCK: &str = "400 ValidationException/INVALID_BLOCK_TOKEN";
const WRONG_PAGE: &str = "400 ValidationException/INVALID_PAGE_TOKEN";

fn short_pages() -> Faults {
    Faults { pages: Pages { short: Some(1), ..Pages::default() }, ..Faults::default() }
}

/// The query of the second page.
fn second_page(client: &Client) -> String {
    let json = client.list("").ok().json();
    format!("?pageToken={}", escape(json["NextToken"].as_str().unwrap()))
}

#[test]
fn a_token_is_of_one_snapshot_and_one_purpose() {
    let other = "snap-0b";
    let server = Standin::builder()
        .add_snapshot(Snapshot::bytes(ID, image(&[1, 2])))
        .add_snapshot(Snapshot::bytes(other, image(&[1, 2])))
        .faults(short_pages())
        .start()
        .unwrap();
    let client = Client::new(&server);
    let token = escape(&client.tokens()[&1]);
    let of_other = client.get(&format!("/snapshots/{other}/blocks/1?blockToken={token}"));
    assert_eq!(of_other.error(), WRONG_BLOCK);
    assert_eq!(client.list(&format!("?pageToken={token}")).error(), WRONG_PAGE);
    let page = second_page(&client);
    assert_eq!(client.get(&format!("/snapshots/{other}/blocks{page}")).error(), WRONG_PAGE);
    assert_eq!(client.list("?pageToken=AAAA").error(), WRONG_PAGE);
    client.list(&page).ok();
}

#[test]
fn page_tokens_end_before_block_tokens() {
    let server = serve_with(&[1, 2], short_pages());
    let client = Client::new(&server);
    let (tokens, page) = (client.tokens(), second_page(&client));
    server.skip_time(Duration::from_secs(3590));
    client.list(&page).ok();
    server.skip_time(Duration::from_secs(20));
    assert_eq!(client.list(&page).error(), WRONG_PAGE);
    client.block(1, &tokens[&1]).ok();
    server.skip_time(Duration::from_hours(7 * 24));
    assert_eq!(client.block(1, &tokens[&1]).error(), WRONG_BLOCK);
    client.block(1, &client.tokens()[&1]).ok();
}

#[test]
fn lives_can_be_set_and_are_told() {
    let tokens = TokenLife { block_seconds: 0, page_seconds: 0, block_uses: None };
    let server = serve_with(&[1, 2], Faults { tokens, ..short_pages() });
    let client = Client::new(&server);
    assert_eq!(client.block(1, &client.tokens()[&1]).error(), WRONG_BLOCK);
    assert_eq!(client.list(&second_page(&client)).error(), WRONG_PAGE);
    let expiry = |seconds| {
        let tokens = TokenLife { block_seconds: seconds, ..TokenLife::default() };
        server.set_faults(Faults { tokens, ..Faults::default() });
        client.list("").ok().json()["ExpiryTime"].as_u64().unwrap()
    };
    assert!(expiry(2000) >= expiry(1000) + 900);
}

#[test]
fn all_tokens_end_at_a_command() {
    let server = serve_with(&[1, 2], short_pages());
    let client = Client::new(&server);
    let (tokens, page) = (client.tokens(), second_page(&client));
    server.expire_tokens();
    assert_eq!(client.block(1, &tokens[&1]).error(), WRONG_BLOCK);
    assert_eq!(client.list(&page).error(), WRONG_PAGE);
    client.block(1, &client.tokens()[&1]).ok();
}

#[test]
fn a_token_can_be_used_up() {
    let tokens = TokenLife { block_uses: Some(2), ..TokenLife::default() };
    let server = serve_with(&[1, 2], Faults { tokens, ..Faults::default() });
    let client = Client::new(&server);
    let tokens = client.tokens();
    client.block(1, &tokens[&1]).ok();
    client.block(1, &tokens[&1]).ok();
    assert_eq!(client.block(1, &tokens[&1]).error(), WRONG_BLOCK);
    client.block(2, &tokens[&2]).ok();
    client.block(1, &client.tokens()[&1]).ok();
}
