//! `GetSnapshotBlock`.

use base64::{Engine, engine::general_purpose::STANDARD};
use ebs_standin::{BLOCK_SIZE, Snapshot, Standin};
use sha2::{Digest, Sha256};

use crate::client::{Client, ID, fill, serve};

#[test]
fn a_block_comes_whole_with_its_checksum() {
    let server = serve(&[4, 6]);
    let client = Client::new(&server);
    for (index, token) in client.tokens() {
        let reply = client.block(index, &token).ok();
        assert_eq!(reply.body, vec![fill(index); BLOCK_SIZE]);
        assert_eq!(reply.headers["x-amz-data-length"], "524288");
        assert_eq!(reply.headers["x-amz-checksum"], STANDARD.encode(Sha256::digest(&reply.body)));
        assert_eq!(reply.headers["x-amz-checksum-algorithm"], "SHA256");
    }
}

#[test]
fn a_last_part_is_padded_with_zeroes() {
    let snapshot = Snapshot::bytes(ID, b"short".to_vec());
    let server = Standin::builder().add_snapshot(snapshot).start().unwrap();
    let client = Client::new(&server);
    let body = client.block(0, &client.tokens()[&0]).ok().body;
    assert_eq!((&body[..5], body.len()), (&b"short"[..], BLOCK_SIZE));
    assert!(body[5..].iter().all(|byte| *byte == 0));
}

#[test]
fn a_block_that_is_not_allocated_has_no_token() {
    let server = serve(&[4]);
    let client = Client::new(&server);
    let token = &client.tokens()[&4];
    let wrong_token = "400 ValidationException/INVALID_BLOCK_TOKEN";
    assert_eq!(client.block(3, token).error(), wrong_token);
    assert_eq!(client.block(2047, token).error(), wrong_token);
    assert_eq!(client.block(2048, token).error(), "400 ValidationException/INVALID_BLOCK");
    let path = format!("/snapshots/{ID}/blocks/four?blockToken=AA");
    assert_eq!(client.get(&path).error(), "400 ValidationException/INVALID_BLOCK");
    assert_eq!(client.get(&format!("/snapshots/{ID}/blocks/4")).error(), wrong_token);
}
