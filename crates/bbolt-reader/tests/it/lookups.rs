//! Entries that are asked for by their key.

use crate::listing::open;
use crate::witness::made;
use bbolt_reader::{Bucket, Entry};

/// All entries of a bucket and of those in it are found by their keys; keys beside them are not.
fn check(bucket: &Bucket) -> usize {
    let mut checked = 0;
    for entry in bucket.entries() {
        let entry = entry.unwrap();
        let (key, beside) = (entry.key(), [entry.key(), b"\0"].concat());
        assert_eq!(bucket.get(&beside).unwrap(), None);
        assert!(bucket.bucket(&key[..key.len() - 1]).unwrap().is_none());
        match &entry {
            Entry::Value { key, value } => {
                assert_eq!(bucket.get(key).unwrap().as_ref(), Some(value));
                assert!(bucket.bucket(key).unwrap().is_none());
            }
            Entry::Bucket { key, bucket: inner } => {
                assert_eq!(bucket.get(key).unwrap(), None);
                let found = bucket.bucket(key).unwrap().unwrap();
                assert_eq!(found.sequence(), inner.sequence());
                checked += check(&found);
            }
        }
        checked += 1;
    }
    checked
}

#[test]
fn every_entry_is_found_and_none_beside() {
    for (kind, page_size, entries) in
        [("many", 1024, 11419), ("many", 4096, 11419), ("large", 4096, 72), ("random", 1024, 2376)]
    {
        let Some(made) = made(kind, page_size) else { return };
        assert_eq!(check(&open(made.bytes()).unwrap().root()), entries, "{kind}");
    }
}

fn keys(entries: impl Iterator<Item = Result<Entry, bbolt_reader::Error>>) -> Vec<Vec<u8>> {
    entries.map(|entry| entry.unwrap().key().to_vec()).collect()
}

#[test]
fn a_prefix_gives_what_begins_so() {
    let Some(made) = made("many", 1024) else { return };
    let many = open(made.bytes()).unwrap().root().bucket(b"many").unwrap().unwrap();
    let all = keys(many.entries());
    let mut found = 0;
    let prefixes = ["", "k", "key-", "key-0001", "key-00012", "key-0012345", "key-004", "j", "l"];
    for prefix in prefixes.map(str::as_bytes) {
        let expected: Vec<_> = all.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        found += expected.len();
        assert_eq!(keys(many.seek(prefix)), expected);
    }
    assert!(found > 3 * all.len());
    for key in all.iter().step_by(50) {
        assert_eq!(keys(many.seek(key)), std::slice::from_ref(key));
    }
}

#[test]
fn buckets_are_found_through_others() {
    let Some(made) = made("nested", 4096) else { return };
    let root = open(made.bytes()).unwrap().root();
    let deep = root.nested(&[b"deep".as_slice(); 30]).unwrap().unwrap();
    assert_eq!(deep.get(b"a").unwrap().unwrap(), b"29");
    assert_eq!(deep.get(b"z").unwrap().unwrap(), b"");
    assert!(root.nested(&[b"deep", b"shallow", b"deep"]).unwrap().is_none());
    assert!(root.nested(&[b"deep", b"a"]).unwrap().is_none());
}
