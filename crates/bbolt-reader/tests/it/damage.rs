//! One damage at a time: what is lost for it, and what is not.

use crate::hand::{PAGE, branch, bucket, file, inline, leaf, with};
use crate::listing::{LIMITS, listing, open};
use bbolt_reader::{Database, Entry, Error, Limits};
use std::sync::Arc;

/// A branch over the leaves 3, 4 and 5, of two keys each.
fn whole() -> Vec<u8> {
    let leaf = |page, keys: [&[u8]; 2]| {
        leaf(page, &[(false, keys[0], b"one"), (true, keys[1], &inline(&[(false, b"x", b"y")]))])
    };
    let root = branch(2, &[(b"a", 3), (b"c", 4), (b"e", 5)]);
    with(file(9), &[root, leaf(3, [b"a", b"b"]), leaf(4, [b"c", b"d"]), leaf(5, [b"e", b"f"])])
}

/// Changes bytes of a page; how many lines are left, and the problems.
fn check(page: usize, at: usize, to: &[u8], lines: usize, problems: &[&str]) {
    let mut bytes = whole();
    bytes[PAGE * page + at..][..to.len()].copy_from_slice(to);
    let found = listing(bytes);
    let problems: Vec<_> =
        problems.iter().map(|problem| format!("damaged bbolt database: {problem}")).collect();
    assert_eq!(found.problems, problems, "{:?}", found.lines);
    assert_eq!(found.lines.len(), lines, "{problems:?}");
}

#[test]
fn a_damaged_page_leaves_the_others() {
    check(0, 0, b"", 10, &[]);
    for (at, to, problem) in [
        (0, &[5u8][..], "a page of another number, page 4"),
        (8, &[0x10], "a page that is neither branch nor leaf, page 4"),
        (8, &[3], "a page that is neither branch nor leaf, page 4"),
        (10, &[0, 1], "more items than the page has room for, page 4"),
        (12, &[5], "a page that is too long, page 4"),
        (12, &[0xff; 4], "a page that is too long, page 4"),
        (0, &[0; 16], "a page of another number, page 4"),
    ] {
        check(4, at, to, 7, &[problem]);
    }
    check(4, 8, &[1, 0, 0, 0], 7, &["a branch without items, page 4"]);
}

#[test]
fn a_damaged_item_leaves_the_others() {
    for (at, to, problem) in [
        (20, &[0xff_u8][..], "an item outside of its page, page 4"),
        (20, &[0xff; 4], "an item outside of its page, page 4"),
        (20, &[31], "an item outside of its page, page 4"),
        (24, &[0], "a key of a wrong length, page 4"),
        (24, &[1, 0x80], "a key of a wrong length, page 4"),
        (28, &[0xff; 4], "an item outside of its page, page 4"),
        (16, &[2], "an item of an unknown kind, page 4"),
    ] {
        let to: Vec<u8> = if to == [0xff] { vec![0xff, 0x0f] } else { to.to_vec() };
        check(4, at, &to, 9, &[problem]);
    }
    // The bucket d: its root, its page, its length.
    let value = 16 + 2 * 16 + 4 + 1;
    check(4, value, &[1], 9, &["a page that there is not, page 1"]);
    check(4, value, &[9], 9, &["a page that there is not, page 9"]);
    check(4, value, &[7], 9, &["a page of another number, page 7"]);
    check(4, value + 24, &[1], 9, &["a bucket that holds no leaf, page 4"]);
    check(4, value + 26, &[200], 9, &["more items than the page has room for, page 4"]);
    check(4, 44, &[15], 8, &["a bucket without a root, page 4"]);
    check(4, 44, &[16], 9, &["a bucket that holds no leaf, page 4"]);
    check(4, 44, &[0x00, 0x0f], 9 + 1, &[]);
}

/// Nothing below a branch is left out for its keys, and all that is asked for is found.
#[test]
fn keys_out_of_order_are_told_and_nothing_is_lost() {
    let branch_keys = 16 + 3 * 16;
    for (at, to) in [(branch_keys, b'z'), (branch_keys + 1, b'e'), (branch_keys + 2, b'b')] {
        check(2, at, &[to], 10, &["keys out of their order, page 2"]);
        let mut bytes = whole();
        bytes[PAGE * 2 + at] = to;
        let root = open(bytes).unwrap().root();
        for key in [b"a", b"c", b"e"] {
            assert_eq!(root.get(key).unwrap().unwrap(), b"one");
            assert_eq!(root.seek(key).flatten().count(), 1);
        }
        assert!(root.get(b"g").is_err());
    }
    check(2, 20, &[0], 10, &["a key of a wrong length, page 2"]);
    check(2, 16, &[0xff, 0xff], 10, &["an item outside of its page, page 2"]);
    // A leaf's first key, which the branch says is c, and its second.
    check(4, 16 + 2 * 16, b"z", 10, &["keys out of their order, page 4"]);
    check(4, 16 + 2 * 16, b"b", 10, &["keys out of their order, page 4"]);
    check(4, 16 + 2 * 16 + 4, b"c", 10, &["keys out of their order, page 4"]);
    check(4, 16 + 2 * 16 + 4, b"e", 10, &["keys out of their order, page 4"]);
}

#[test]
fn lookups_fail_only_where_something_may_be_lost() {
    let mut bytes = whole();
    bytes[PAGE * 4] = 9;
    let root = open(bytes).unwrap().root();
    assert_eq!(root.get(b"a").unwrap().unwrap(), b"one");
    assert!(root.bucket(b"f").unwrap().is_some());
    assert!(root.get(b"b1").unwrap().is_none());
    for key in [b"c", b"d"] {
        let problem = root.get(key).unwrap_err();
        assert!(matches!(problem, Error::Corrupt { page: 4, .. }) && problem.page() == Some(4));
        assert!(root.bucket(key).is_err());
    }
    let names = |entry: Result<Entry, Error>| entry.ok().map(|entry| entry.key().to_vec());
    assert_eq!(root.seek(b"").filter_map(names).count(), 4);
    assert_eq!(root.seek(b"e").map(names).collect::<Vec<_>>(), [Some(b"e".to_vec())]);
    assert_eq!(root.seek(b"c").map(names).collect::<Vec<_>>(), [None]);
}

/// Items that all have the bytes of the whole page would make much of little.
#[test]
fn items_over_one_another_end_their_page() {
    let item: (bool, &[u8], &[u8]) = (false, b"k", &[7; 1000]);
    let mut page = leaf(2, &[item; 100]);
    let whole = listing(with(file(30), &[leaf(2, &[item; 3])]));
    assert_eq!((whole.lines.len(), whole.problems.len()), (4, 1));
    page.truncate(PAGE);
    for index in 0..100u32 {
        let position = 16 * (100 - index);
        page[16 + 16 * index as usize + 4..][..4].copy_from_slice(&position.to_le_bytes());
    }
    let found = listing(with(file(30), &[page]));
    assert_eq!(found.lines.len(), 1 + 4);
    let over = |problem: &&String| problem.contains("items that lie over one another, page 2");
    assert_eq!(found.problems.iter().filter(over).count(), 1);
}

#[test]
fn a_value_that_is_larger_than_the_caller_takes() {
    let Some(made) = crate::witness::made("large", 4096) else { return };
    let limits = Limits { value: 65536, ..LIMITS };
    let database = Database::open(Arc::new(made.bytes()), limits).unwrap();
    let values = database.root().bucket(b"values").unwrap().unwrap();
    let mut large = Vec::new();
    let mut others = 0;
    for entry in values.entries() {
        match entry {
            Err(Error::TooLarge { key, size, most: 65536, .. }) => large.push((key, size)),
            other => others += usize::from(other.is_ok()),
        }
    }
    assert_eq!(large, [(b"value-4".to_vec(), (1 << 20) + 17), (b"value-8".to_vec(), 200_000)]);
    assert_eq!(others, 8);
    assert!(matches!(values.get(b"value-8"), Err(Error::TooLarge { size: 200_000, .. })));
    assert_eq!(values.get(b"value-6").unwrap().unwrap().len(), 65536);
}

/// Of a file that is cut off all is read that is there, and the rest is told.
#[test]
fn a_file_that_is_cut_off() {
    let whole = whole();
    for (length, lines) in [(6 * PAGE, 10), (5 * PAGE + 110, 10), (5 * PAGE + 60, 8), (5 * PAGE, 7)]
    {
        let found = listing(whole[..length].to_vec());
        assert_eq!(found.lines.len(), lines, "{length}: {:?}", found.problems);
        assert_eq!(found.problems.is_empty(), lines == 10);
    }
    let Some(made) = crate::witness::made("large", 4096) else { return };
    let (bytes, expected) = (made.bytes(), listing(made.bytes()).lines);
    for part in 1..20 {
        let found = listing(bytes[..bytes.len() * part / 20].to_vec());
        assert!(found.lines.iter().all(|line| expected.contains(line)));
        assert!(!found.problems.is_empty() || found.lines.len() == expected.len());
    }
}

/// bbolt itself makes pages longer only for long keys and values.
#[test]
fn more_slots_than_a_page_has_room_for() {
    let keys: Vec<_> = (1000..1600).map(|number| number.to_string().into_bytes()).collect();
    let items: Vec<_> =
        keys.iter().map(|key| (false, key.as_slice(), b"value".as_slice())).collect();
    let mut page = leaf(2, &items);
    page[12] = 3;
    let found = listing(with(file(6), &[page.clone()]));
    assert_eq!((found.lines.len(), found.problems.len()), (601, 0));
    let root = open(with(file(6), &[page.clone()])).unwrap().root();
    assert_eq!(root.get(b"1599").unwrap().unwrap(), b"value");
    // Many small reads are not for nothing.
    let limits = Limits { read: 100_000, ..LIMITS };
    let few = Database::open(Arc::new(with(file(6), &[page.clone()])), limits).unwrap();
    assert!(few.root().entries().any(|entry| matches!(entry, Err(Error::Budget { .. }))));
    // The keys are gone, and then a slot.
    let cut = |length: usize| listing(with(file(6), &[page.clone()])[..length].to_vec()).problems;
    assert_eq!(cut(2 * PAGE + 16 + 600 * 16).len(), 600);
    assert_eq!(
        cut(2 * PAGE + 16 + 599 * 16),
        ["damaged bbolt database: the file ends before it, page 2"]
    );
    page[12] = 1;
    let found = listing(with(file(6), &[page]));
    assert_eq!(
        found.problems,
        ["damaged bbolt database: more items than the page has room for, page 2"]
    );
}

#[test]
fn where_no_more_may_be_read_the_entries_end() {
    for (read, lines) in [(5 << 10, 0), (10 << 10, 2), (14 << 10, 4), (18 << 10, 6)] {
        let database = Database::open(Arc::new(whole()), Limits { read, ..LIMITS }).unwrap();
        let entries: Vec<_> = database.root().entries().collect();
        let problems = entries.iter().filter(|entry| matches!(entry, Err(Error::Budget { .. })));
        assert_eq!(problems.count(), usize::from(lines < 6));
        assert_eq!(entries.iter().flatten().count(), lines);
    }
}

/// The lowest pages are held to what the highest says.
#[test]
fn keys_that_belong_to_another_branch() {
    let value = |page, key| leaf(page, &[(false, key, b"")]);
    let found = listing(with(
        file(9),
        &[
            branch(2, &[(b"a", 3), (b"m", 4)]),
            branch(3, &[(b"a", 5), (b"c", 6)]),
            branch(4, &[(b"m", 7)]),
            value(5, b"a"),
            value(6, b"n"),
            value(7, b"m"),
        ],
    ));
    assert_eq!(found.problems, ["damaged bbolt database: keys out of their order, page 6"]);
    assert_eq!(found.lines.len(), 4);
}

#[test]
fn a_small_bucket_of_more_than_a_page() {
    let long = [7; PAGE];
    let value = inline(&[(false, b"x", &long)]);
    let mut page = leaf(2, &[(true, b"a", &value), (false, b"b", b"")]);
    page[12] = 1;
    let found = listing(with(file(9), &[page]));
    assert_eq!(found.problems, ["damaged bbolt database: a bucket that is too long, page 2"]);
    assert_eq!(found.lines.len(), 2);
}

#[test]
fn no_bucket_at_the_root() {
    let found = listing(file(3));
    assert_eq!(found.problems, ["damaged bbolt database: a page of another number, page 2"]);
    let root = open(file(3)).unwrap().root();
    assert!(root.get(b"a").is_err() && root.bucket(b"a").is_err());
    let found = listing(with(file(3), &[leaf(2, &[(true, b"a", &bucket(u64::MAX))])]));
    assert_eq!(
        found.problems,
        [format!("damaged bbolt database: a page that there is not, page {}", u64::MAX)]
    );
}
