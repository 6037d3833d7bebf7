//! Fetches from a server in the test's own process.

use super::*;
use flate2::{Compression, write::GzEncoder};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

/// Serves one answer and gives back the request's head.
fn serve(answer: Vec<u8>, pause: Duration) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/feed", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        thread::sleep(pause);
        let _ = stream.write_all(&answer);
        head.join("\n").to_lowercase()
    });
    (url, server)
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn get(url: &str, stored: Option<&FeedInfo>, size: u64) -> Result<Fetched, FetchError> {
    let folder = tempfile::tempdir().unwrap();
    fetch_within(url, stored, folder.path(), &AtomicU64::new(0), Duration::from_secs(2), size)
}

fn body(fetched: Fetched) -> (String, Origin) {
    let Fetched::File(mut file, origin) = fetched else { panic!("unchanged") };
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    (text, origin)
}

fn stored(source: &str) -> FeedInfo {
    FeedInfo {
        source: source.to_owned(),
        etag: Some("\"tag\"".to_owned()),
        last_modified: Some("Tue, 15 Nov 1994 12:45:26 GMT".to_owned()),
        ..FeedInfo::default()
    }
}

#[test]
fn a_packed_body_arrives_unpacked_with_its_origin() {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(b"{\"a\":1}").unwrap();
    let head = "200 OK\r\ncontent-encoding: gzip\r\netag: \"x\"\r\nlast-modified: then";
    let (url, server) = serve(answer(head, &packer.finish().unwrap()), Duration::ZERO);
    let (text, origin) = body(get(&url, None, 1000).unwrap());
    assert_eq!(text, "{\"a\":1}");
    assert_eq!(
        (origin.etag.as_deref(), origin.last_modified.as_deref()),
        (Some("\"x\""), Some("then"))
    );
    assert_eq!(origin.source, url);
    assert!(!server.join().unwrap().contains("if-"));
}

#[test]
fn what_is_stored_from_the_same_url_is_asked_about() {
    let (url, server) = serve(answer("304 Not Modified", b""), Duration::ZERO);
    assert!(matches!(get(&url, Some(&stored(&url)), 10), Ok(Fetched::Unchanged)));
    let head = server.join().unwrap();
    assert!(head.contains("if-none-match: \"tag\""), "{head}");
    assert!(head.contains("if-modified-since: tue, 15 nov 1994"), "{head}");
    let (url, server) = serve(answer("304 Not Modified", b""), Duration::ZERO);
    let elsewhere = stored("http://elsewhere");
    let error = get(&url, Some(&elsewhere), 10).unwrap_err();
    assert!(matches!(error, FetchError::Status { status: 304, .. }));
    assert!(!server.join().unwrap().contains("if-"));
}

#[test]
fn errors_of_the_server_are_told() {
    let (url, _server) = serve(answer("503 Busy", b"{}"), Duration::ZERO);
    assert!(matches!(get(&url, None, 10), Err(FetchError::Status { status: 503, .. })));
}

#[test]
fn size_and_time_are_limited() {
    let (url, _server) = serve(answer("200 OK", &[b' '; 100]), Duration::ZERO);
    assert!(matches!(get(&url, None, 99), Err(FetchError::TooLarge { limit: 99, .. })));
    let (url, _server) = serve(Vec::new(), Duration::from_secs(4));
    assert!(matches!(get(&url, None, 99), Err(FetchError::Http { .. })));
}

#[test]
fn a_small_body_that_unpacks_to_a_large_one_is_refused() {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&vec![b' '; 100_000]).unwrap();
    let small = packer.finish().unwrap();
    assert!(small.len() < 1000);
    let (url, _server) = serve(answer("200 OK\r\ncontent-encoding: gzip", &small), Duration::ZERO);
    assert!(matches!(get(&url, None, 1000), Err(FetchError::TooLarge { limit: 1000, .. })));
}

#[test]
fn a_body_that_breaks_off_is_an_error() {
    let mut cut = answer("200 OK", b"0123456789");
    cut.truncate(cut.len() - 5);
    let (url, _server) = serve(cut, Duration::ZERO);
    assert!(get(&url, None, 99).is_err());
}
