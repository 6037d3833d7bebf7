//! Bad files leave the old data; good ones replace them. Real slices are read when they are there.

use super::*;
use crate::advisory::feeds::{self, debian::Debian, kev::Kev};
use std::io::Cursor;
use std::path::PathBuf;
use std::process::Command;

fn tracker(count: usize) -> String {
    let entries: Vec<_> = (0..count)
        .map(|n| format!(r#""CVE-{n}":{{"releases":{{"bookworm":{{"status":"open"}}}}}}"#))
        .collect();
    format!(r#"{{"zlib":{{{}}}}}"#, entries.join(","))
}

fn take(path: &Path, text: &str, shrink: Shrink) -> Result<Imported, ImportError> {
    let origin = Origin { source: "test".to_owned(), ..Origin::default() };
    import(path, &Debian, origin, shrink, &mut text.as_bytes())
}

fn with_old(count: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("advisories.store");
    take(&path, &tracker(count), Shrink::Refuse).unwrap();
    (folder, path)
}

#[test]
fn a_feed_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("advisories.store");
    let origin = Origin {
        source: "https://example.org".to_owned(),
        etag: Some("\"1\"".to_owned()),
        last_modified: Some("Tue, 15 Nov 1994 12:45:26 GMT".to_owned()),
        date: Some("1990-01-01T00:00:00Z".to_owned()),
    };
    let text = r#"{"a":{"CVE-1":{"releases":{"sid":{"status":"open"}}},"CVE-2":5}}"#;
    let done =
        import(&path, &Debian, origin.clone(), Shrink::Refuse, &mut text.as_bytes()).unwrap();
    assert_eq!((done.info.records, done.info.skipped, done.skipped.len()), (1, 1, 1));
    assert_eq!(done.info.date, "1994-11-15T12:45:26Z");
    assert_eq!(done.info.sha256, hex(&Sha256::digest(text)));
    assert_eq!((&done.info.source, &done.info.etag), (&origin.source, &origin.etag));
    assert_eq!(Store::open(&path).unwrap().feeds(), [done.info]);
}

#[test]
fn a_bad_file_leaves_the_old_data() {
    let (_folder, path) = with_old(10);
    let before = fs::read(&path).unwrap();
    let whole = tracker(10);
    let check = |text: &str, expected: &str| {
        let error = take(&path, text, Shrink::Refuse).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    };
    check("", "cut off");
    check(&whole[..whole.len() - 20], "cut off");
    check(&whole[..whole.len() - 1], "cut off");
    check("<html>busy</html>", "not JSON");
    check(&format!("{whole}{whole}"), "not JSON");
    check("[]", "not the expected content");
    check("{}", "no record");
    check(r#"{"a":5,"b":6}"#, "no record (2 entries");
    check(&tracker(7), "7 records, where the stored one has 10");
}

#[test]
fn up_to_a_fifth_may_go_and_more_on_demand() {
    let (_folder, path) = with_old(10);
    assert_eq!(take(&path, &tracker(8), Shrink::Refuse).unwrap().info.records, 8);
    assert_eq!(take(&path, &tracker(2), Shrink::Accept).unwrap().info.records, 2);
}

#[test]
fn a_damaged_store_is_not_overwritten() {
    let (_folder, path) = with_old(1);
    fs::write(&path, "something else").unwrap();
    assert!(matches!(take(&path, &tracker(1), Shrink::Accept), Err(ImportError::Store(_))));
    assert_eq!(fs::read(&path).unwrap(), b"something else");
}

#[test]
fn the_size_is_limited() {
    let mut input = Cursor::new([b' '; 100]);
    let mut limited = Hashing { input: &mut input, sum: Sha256::new(), left: 99 };
    let error = Debian.parse(&mut limited, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("limit"), "{error}");
}

fn unpacked() -> Option<tempfile::TempDir> {
    let tar = test_material::shared()?.join("data/advisories/raw-feeds.tar.zst");
    let folder = tempfile::tempdir().unwrap();
    let mut unpack = Command::new("tar");
    unpack.arg("--zstd").arg("-xf").arg(tar).arg("-C").arg(folder.path());
    assert!(unpack.status().unwrap().success());
    Some(folder)
}

#[test]
fn real_slices_are_read_whole() {
    let Some(folder) = unpacked() else { return };
    let raw = folder.path().join("vuln/raw-feeds");
    let files: [(&dyn AdvisoryFeed, &str); 5] = [
        (&Debian, "osv.dev/vulnfeeds/test_data/debian/debian_security_tracker_mock.json"),
        (&Debian, "vunnel/debian/test-fixtures/input/debian.json"),
        (&Debian, "vuls-data-update/fetch/debian/tracker/api/testdata/fixtures/advisory.json"),
        (&Kev, "claircore/enricher/kev/testdata/known_exploited_vulnerabilities.json"),
        (
            &Kev,
            "vuls-data-update/fetch/cisa/kev/testdata/fixtures/known_exploited_vulnerabilities.json",
        ),
    ];
    for (feed, name) in files {
        let path = folder.path().join("advisories.store");
        let mut input = File::open(raw.join(name)).unwrap();
        let origin = Origin::default();
        let done = import(&path, feed, origin, Shrink::Accept, &mut input).unwrap();
        eprintln!("{name}: {} records of {:?}", done.info.records, done.info.releases);
        // Vunnel's slice has one entry that is broken on purpose: a list in place of releases.
        let broken = u64::from(name.starts_with("vunnel/"));
        assert_eq!(done.info.skipped, broken, "{name}: {:?}", done.skipped);
        let store = Store::open(&path).unwrap();
        assert!(store.feeds().contains(&done.info));
        witness(feed.name(), &raw.join(name), &store, done.info.records);
    }
    assert!(feeds::by_name("kev").is_some() && feeds::by_name("nvd").is_none());
}

/// Counts and looks up by way of a plain JSON tree.
fn witness(feed: &str, file: &Path, store: &Store, records: u64) {
    let tree: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut expected = 0;
    if feed == "kev" {
        for entry in tree["vulnerabilities"].as_array().unwrap() {
            expected += 1;
            let known = store.known_exploited(entry["cveID"].as_str().unwrap()).unwrap().unwrap();
            assert_eq!(known.date_added, entry["dateAdded"].as_str().unwrap());
        }
    } else {
        for (package, entries) in tree.as_object().unwrap() {
            for (id, entry) in entries.as_object().unwrap() {
                for (release, state) in entry["releases"].as_object().into_iter().flatten() {
                    let found = store.advisories("debian", release, package).unwrap();
                    let stated = state["status"] != "undetermined";
                    assert_eq!(found.iter().any(|(_, advisory)| advisory.id == *id), stated);
                    assert!(store.tracks("debian", release));
                    expected += u64::from(stated);
                }
            }
        }
    }
    assert_eq!(records, expected);
}
