//! `sidelight feeds update` over real https, from a server on loopback with certificates of its own:
//! who is trusted, what is refused, and that the old data stay.

#![cfg(feature = "fetch")]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// An authority that nobody knows.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("signed"))
    }

    /// Its certificate as a file, for `SSL_CERT_FILE`.
    fn file(&self, folder: &Path) -> PathBuf {
        let path = folder.join("authority.pem");
        std::fs::write(&path, self.0.pem()).expect("written");
        path
    }

    fn server(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.0).expect("signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("known versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.expect("the key is the certificate's"))
    }
}

/// Gives one answer to each connection, then the heads of the requests, lower case.
fn serve(config: Arc<ServerConfig>, answers: Vec<Vec<u8>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}/feed", listener.local_addr().expect("bound"));
    let server = thread::spawn(move || {
        let connections = answers.into_iter().zip(listener.incoming());
        let heads = connections.map(|(answer, stream)| {
            let tls = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            reply(StreamOwned::new(tls, stream.expect("accepted")), &answer).unwrap_or_default()
        });
        heads.collect()
    });
    (url, server)
}

/// The connection ends without a farewell, as it does when a server dies.
fn reply(stream: StreamOwned<ServerConnection, TcpStream>, answer: &[u8]) -> io::Result<String> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    reader.get_mut().write_all(answer)?;
    reader.get_mut().flush()?;
    Ok(head.to_lowercase())
}

fn answer(head: &str, length: usize, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

fn ok(body: &str) -> Vec<u8> {
    answer("200 OK\r\netag: \"one\"", body.len(), body)
}

/// A tracker's file with as many records.
fn tracker(records: u32) -> String {
    let issue =
        |number| format!(r#""CVE-2024-{number}":{{"releases":{{"sid":{{"status":"open"}}}}}}"#);
    let issues: Vec<_> = (1000..1000 + records).map(issue).collect();
    format!(r#"{{"curl":{{{}}}}}"#, issues.join(","))
}

/// Runs `sidelight feeds` on a store in `folder`, trusting `roots`.
fn feeds(folder: &Path, roots: Option<&Path>, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidelight"));
    command.arg("feeds").args(arguments).arg("--advisories").arg(folder.join("store"));
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    if let Some(roots) = roots {
        command.env("SSL_CERT_FILE", roots);
    }
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    let text = [stdout, stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
    (status.code(), text)
}

fn update(folder: &Path, roots: Option<&Path>, url: &str) -> (Option<i32>, String) {
    feeds(folder, roots, &["update", "--feed", "debian", "--url", url])
}

fn status(folder: &Path) -> String {
    feeds(folder, None, &["status", "--format", "json"]).1
}

fn refused((code, text): (Option<i32>, String), why: &str) {
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains(why), "{why}: {text}");
}

#[test]
fn the_authority_in_ssl_cert_file_is_trusted_and_what_is_unchanged_is_not_sent_again() {
    let (authority, folder) = (Authority::new("ours"), tempfile::tempdir().expect("a folder"));
    let (folder, roots) = (folder.path(), authority.file(folder.path()));
    let answers = vec![ok(&tracker(5)), answer("304 Not Modified", 0, "")];
    let (url, server) = serve(authority.server("127.0.0.1"), answers);
    let (code, text) = update(folder, Some(&roots), &url);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("5 records"), "{text}");
    let stored = status(folder);
    let (code, text) = update(folder, Some(&roots), &url);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("unchanged since"), "{text}");
    assert_eq!(status(folder), stored);
    let heads = server.join().expect("served");
    assert!(!heads[0].contains("if-none-match"), "{heads:?}");
    assert!(heads[1].contains("if-none-match: \"one\""), "{heads:?}");
}

#[test]
fn a_certificate_of_somebody_else_is_refused() {
    let (authority, folder) = (Authority::new("ours"), tempfile::tempdir().expect("a folder"));
    let folder = folder.path();
    let (url, _server) = serve(authority.server("127.0.0.1"), vec![ok(&tracker(5)); 3]);
    let why = "the certificate is not from an authority that this machine trusts";
    refused(update(folder, None, &url), why);
    for name in ["theirs", "ours"] {
        let roots = Authority::new(name).file(folder);
        refused(update(folder, Some(&roots), &url), why);
    }
    assert!(!folder.join("store").exists());
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let (authority, folder) = (Authority::new("ours"), tempfile::tempdir().expect("a folder"));
    let roots = authority.file(folder.path());
    let (url, _server) = serve(authority.server("elsewhere.example"), vec![ok(&tracker(5))]);
    refused(update(folder.path(), Some(&roots), &url), "not valid for name");
}

#[test]
fn authorities_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing.pem");
    // Nothing listens there, and nothing is asked.
    let answer = update(folder.path(), Some(&missing), "https://127.0.0.1:9/feed");
    refused(answer, "missing.pem");
}

#[test]
fn a_redirect_to_http_is_not_followed() {
    let (authority, folder) = (Authority::new("ours"), tempfile::tempdir().expect("a folder"));
    let roots = authority.file(folder.path());
    let plain = TcpListener::bind("127.0.0.1:0").expect("a port");
    plain.set_nonblocking(true).expect("set");
    let target = format!("http://{}/feed", plain.local_addr().expect("bound"));
    let head = format!("302 Found\r\nlocation: {target}");
    let (url, _server) = serve(authority.server("127.0.0.1"), vec![answer(&head, 0, "")]);
    refused(update(folder.path(), Some(&roots), &url), "not followed from https to http://");
    let asked = plain.accept().map_err(|error| error.kind());
    assert!(matches!(asked, Err(io::ErrorKind::WouldBlock)), "{asked:?}");
    assert!(!folder.path().join("store").exists());
}

#[test]
fn the_old_data_stay_when_the_new_are_cut_off_too_large_shrunk_or_empty() {
    let (authority, folder) = (Authority::new("ours"), tempfile::tempdir().expect("a folder"));
    let (folder, roots) = (folder.path(), authority.file(folder.path()));
    let new = tracker(10);
    let bad = [
        (answer("200 OK", new.len(), &new[..new.len() / 2]), "Peer disconnected"),
        (answer("200 OK", (1 << 30) + 1, &new), "larger than 1024 MiB, the limit"),
        (ok(&tracker(7)), "7 records, where the stored one has 10"),
        (ok("{}"), "it holds no record"),
        (ok(&new[..new.len() - 1]), "cut off"),
    ];
    let answers = [ok(&new)].into_iter().chain(bad.iter().map(|(answer, _)| answer.clone()));
    let (url, _server) = serve(authority.server("127.0.0.1"), answers.collect());
    assert_eq!(update(folder, Some(&roots), &url).0, Some(0));
    let stored = status(folder);
    assert!(stored.contains(r#""records": 10"#), "{stored}");
    for (_, why) in bad {
        refused(update(folder, Some(&roots), &url), why);
        assert_eq!(status(folder), stored, "{why}");
    }
}

/// What a scan of a folder says of the end of its system, with what `folder` stores.
fn end_of_life(folder: &Path, system: &str, store: bool) -> serde_json::Value {
    let root = folder.join("root");
    std::fs::create_dir_all(root.join("etc")).expect("made");
    std::fs::write(root.join("etc/os-release"), system).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidelight"));
    command.args(["scan", "--format", "json"]).arg(format!("dir:{}", root.display()));
    if store {
        command.arg("--advisories").arg(folder.join("store"));
    } else {
        command.arg("--no-match");
    }
    let output = command.output().expect("the program runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(report["feeds"].as_array().is_none_or(Vec::is_empty), "{report}");
    report["host"]["end_of_life"].clone()
}

#[test]
fn newer_ends_of_life_from_the_feed_win_over_those_built_in() {
    let (authority, folder) = (Authority::new("ours"), tempfile::tempdir().expect("a folder"));
    let (folder, roots) = (folder.path(), authority.file(folder.path()));
    let products = |generated: &str| {
        format!(
            r#"{{"schema_version":"1.2.0","generated_at":"{generated}","total":1,"result":[
            {{"name":"debian","labels":{{"eoas":null,"eol":"Security","eoes":"LTS"}},"releases":[
            {{"name":"12","isEol":false,"eolFrom":"2096-07-12","isEoes":false,"eoesFrom":"2098-07-01"}},
            {{"name":"99","isEol":true,"eolFrom":"2020-01-01"}}]}}]}}"#
        )
    };
    let (twelve, later) = ("ID=debian\nVERSION_ID=12\n", "ID=debian\nVERSION_ID=99\n");
    let built_in = end_of_life(folder, twelve, false);
    assert_eq!(
        (&built_in["date"], &built_in["source"]),
        (&"2026-07-11".into(), &"distro-info".into())
    );
    let answers = ["2020-01-01T00:00:00Z", "2026-11-01T00:00:00Z"].map(|at| ok(&products(at)));
    let (url, _server) = serve(authority.server("127.0.0.1"), answers.to_vec());
    let update = || feeds(folder, Some(&roots), &["update", "--feed", "endoflife", "--url", &url]);
    let (code, text) = update();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("endoflife: 2 records of 2020-01-01"), "{text}");
    assert_eq!(end_of_life(folder, twelve, true), built_in);
    assert_eq!(end_of_life(folder, later, true)["support"], "ended");
    let (code, text) = update();
    assert_eq!(code, Some(0), "{text}");
    let found = end_of_life(folder, twelve, true);
    assert_eq!((&found["date"], &found["support"]), (&"2096-07-12".into(), &"full".into()));
    assert_eq!((&found["source"], &found["source_date"]), (&url.into(), &"2026-11-01".into()));
    assert_eq!(
        (&found["extended"]["name"], found["days_left"].as_i64() > Some(25_000)),
        (&"LTS".into(), true)
    );
}
