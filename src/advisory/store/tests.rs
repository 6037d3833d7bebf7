//! What is written comes back; what is damaged is refused without a panic.

use super::*;
use crate::advisory::feeds::{Record, Release};
use crate::model::{AffectedRange, Severity, Status};
use std::fs;

fn advisory(package: &str, id: &str) -> Advisory {
    Advisory {
        id: id.to_owned(),
        aliases: vec!["DSA-1".to_owned()],
        distro: "debian".to_owned(),
        release: "bookworm".to_owned(),
        package: package.to_owned(),
        affected: AffectedRange::Before("1:2-3".to_owned()),
        severity: Severity::High,
        fix: Status::NoAdvisory,
    }
}

fn known(id: &str) -> KnownExploited {
    KnownExploited {
        id: id.to_owned(),
        date_added: "2025-01-01".to_owned(),
        due_date: "2025-02-01".to_owned(),
        ransomware: true,
    }
}

fn info(name: &str) -> FeedInfo {
    let release = Release { distro: "debian".to_owned(), name: "bookworm".to_owned() };
    FeedInfo { name: name.to_owned(), releases: vec![release], ..FeedInfo::default() }
}

fn section(name: &str, records: Vec<Record>) -> Section {
    let mut builder = SectionBuilder::default();
    for record in records {
        builder.add(record);
    }
    builder.finish(info(name)).unwrap()
}

fn debian() -> Section {
    let release = Release { distro: "debian".to_owned(), name: "bookworm".to_owned() };
    let records = ["CVE-1", "CVE-2"].map(|id| Record::Advisory(advisory("zlib", id)));
    let listed = Record::Listed { release, package: "quiet".to_owned() };
    section("debian", records.into_iter().chain([listed]).collect())
}

fn written(folder: &Path) -> PathBuf {
    let path = folder.join("new/folder/advisories.store");
    let mut writer = StoreWriter::default();
    writer.add(section("kev", vec![Record::KnownExploited(known("CVE-2"))]));
    writer.add(debian());
    writer.write(&path).unwrap();
    path
}

#[test]
fn what_is_written_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&written(folder.path())).unwrap();
    let named = |id| ("debian".to_owned(), advisory("zlib", id));
    let found = store.advisories("debian", "bookworm", "zlib").unwrap();
    assert_eq!(found, [named("CVE-1"), named("CVE-2")]);
    assert!(store.advisories("debian", "bookworm", "none").unwrap().is_empty());
    assert!(store.advisories("debian", "bookworm", "quiet").unwrap().is_empty());
    assert!(store.lists("debian", "bookworm", "quiet"));
    assert!(!store.lists("debian", "bookworm", "none"));
    assert!(store.tracks("debian", "bookworm") && !store.tracks("debian", "sid"));
    assert!(!store.tracks("ubuntu", "bookworm"));
    assert_eq!(store.known_exploited("CVE-2").unwrap(), Some(known("CVE-2")));
    assert_eq!(store.known_exploited("CVE-1").unwrap(), None);
    assert_eq!(store.feeds(), [info("debian"), info("kev")]);
}

#[test]
fn a_new_feed_leaves_the_others_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    for _ in 0..2 {
        let old = Store::open(&path).unwrap();
        let mut writer = StoreWriter::default();
        writer.keep_others(&old, "kev");
        writer.add(section("kev", vec![Record::KnownExploited(known("CVE-7"))]));
        writer.write(&path).unwrap();
        // The old file is still whole for those who have it open.
        assert_eq!(old.advisories("debian", "bookworm", "zlib").unwrap().len(), 2);
    }
    let store = Store::open(&path).unwrap();
    assert_eq!(store.advisories("debian", "bookworm", "zlib").unwrap().len(), 2);
    assert!(store.known_exploited("CVE-2").unwrap().is_none());
    assert!(store.known_exploited("CVE-7").unwrap().is_some());
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temp file is left");
}

/// Looks all up; the error of whatever fails.
fn read_all(path: &Path) -> Result<(), StoreError> {
    let store = Store::open(path)?;
    store.advisories("debian", "bookworm", "zlib")?;
    store.advisories("debian", "bookworm", "quiet")?;
    store.known_exploited("CVE-2").map(drop)
}

#[test]
fn each_damaged_byte_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let good = fs::read(&path).unwrap();
    read_all(&path).unwrap();
    for at in 0..good.len() {
        for change in [1, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= change;
            fs::write(&path, &bad).unwrap();
            let error = read_all(&path).expect_err(&format!("byte {at}"));
            assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn each_cut_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        let error = read_all(&path).unwrap_err();
        let expected = if length < 8 { "not an advisory store" } else { "damaged" };
        assert!(error.to_string().contains(expected), "{length}: {error}");
    }
}

#[test]
fn other_files_and_newer_ones_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let mut newer = fs::read(&path).unwrap();
    newer[8] = 2;
    fs::write(&path, &newer).unwrap();
    assert!(matches!(read_all(&path), Err(StoreError::Newer { found: 2, .. })));
    for text in ["", "{}", "SQLite format 3\0 and more, much more, so that a header would fit"] {
        fs::write(&path, text).unwrap();
        assert!(matches!(read_all(&path), Err(StoreError::Foreign(_))), "{text}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Io { .. })));
    assert!(Store::open_existing(&path).unwrap().is_none());
}

/// A header whose sum is right and whose numbers lie.
#[test]
fn numbers_are_checked_against_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    for (offset, index_length, data_length) in
        [(u64::MAX, 1, 1), (0, u64::MAX, 1), (0, 1 << 27, 1), (0, 0, u64::MAX), (1 << 40, 0, 0)]
    {
        let index_sha256 = [0; 32];
        let entry =
            format::Entry { info: info("x"), index_sha256, offset, index_length, data_length };
        let header = postcard::to_stdvec(&format::Header { feeds: vec![entry] }).unwrap();
        let length = u32::try_from(header.len()).unwrap();
        fs::write(&path, format::head(&header, length)).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::Damaged { .. })));
        fs::write(&path, format::head(&header, u32::MAX)).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::Damaged { .. })));
    }
}
