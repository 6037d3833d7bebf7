//! One wrong thing at a time: what it is must be told, and the rest must be read.

use crate::listing::{Listing, listing};
use crate::maker::{Maker, NOWHERE};
use regf_reader::{Hive, Logs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A hive with a few keys and values, and where they are.
struct Hurt {
    maker: Maker,
    keys: Vec<u32>,
    value: u32,
    list: u32,
}

fn hurt() -> Hurt {
    let mut maker = Maker::new();
    let root = maker.root();
    let keys = maker.keys(root, b"lh", &["a", "b", "c"]);
    let list = maker.bins[root as usize + 32..root as usize + 36].try_into().unwrap();
    let value = maker.value("v", 3, b"12345678");
    maker.set_values(keys[1], &[value]);
    Hurt { maker, keys, value, list: u32::from_le_bytes(list) }
}

fn check(maker: &Maker, lines: usize, problems: &[&str]) {
    let Listing { lines: found, problems: told } = listing(maker.hive(), Logs::default());
    let what = |problem: &String| {
        let what = problem.trim_start_matches("damaged registry hive: ");
        what.split(" at 0x").next().unwrap_or_default().to_owned()
    };
    assert_eq!(told.iter().map(what).collect::<Vec<_>>(), problems);
    assert_eq!(found.len(), lines, "{found:?}");
}

#[test]
fn nothing_is_wrong_without_damage() {
    check(&hurt().maker, 5, &[]);
}

/// A field of the key `b`, and what is told.
#[test]
fn of_a_key() {
    let cases: [(u32, u32, usize, &[&str]); 12] = [
        (0, 0x7fff_ffff, 3, &["cell that is not in use"]),
        (0, 0x8000_0000, 3, &["wrong size of a cell"]),
        (0, 0xffff_fff4, 3, &["wrong size of a cell"]),
        (0, 0xffff_fff8, 3, &["no key"]),
        (4, 0x0020_7878, 3, &["no key"]),
        (20, 64, 3, &["key that belongs to another"]),
        (24, 1, 5, &["offset of no cell"]),
        (40, 2, 4, &["list of values that is longer than its cell"]),
        (40, 0x7fff_ffff, 4, &["wrong number of values"]),
        (44, 33, 4, &["offset of no cell"]),
        (44, NOWHERE, 4, &["offset of no cell"]),
        (76, 0x0000_ffff, 3, &["name that is longer than its cell"]),
    ];
    for (field, number, lines, told) in cases {
        let mut hurt = hurt();
        hurt.maker.put32(hurt.keys[1] + field, number);
        check(&hurt.maker, lines, told);
    }
}

#[test]
fn of_a_value() {
    let cases: [(u32, u32, usize, &[&str]); 8] = [
        (0, 0x7fff_ffff, 4, &["cell that is not in use"]),
        (4, 0x0001_7878, 4, &["no value"]),
        (4, 0xffff_6b76, 4, &["name that is longer than its cell"]),
        (8, 9000, 5, &["data that is longer than the hive"]),
        (8, 0x7fff_ffff, 5, &["data that is longer than the hive"]),
        (8, 0x8000_0005, 5, &["too much data in a value"]),
        (8, 100, 5, &["data that is longer than its cell"]),
        (12, 0xffff_fff0, 5, &["offset of no cell"]),
    ];
    for (field, number, lines, told) in cases {
        let mut hurt = hurt();
        hurt.maker.put32(hurt.value + field, number);
        check(&hurt.maker, lines, told);
    }
}

#[test]
fn of_a_list() {
    let cases: [(u32, u32, usize, &[&str]); 6] = [
        (4, 0x0003_7878, 1, &["no list of subkeys"]),
        (4, 0xffff_686c, 1, &["list that is longer than its cell"]),
        (4, 0x0002_686c, 4, &["wrong number of subkeys"]),
        (8, 4, 4, &["offset of no cell"]),
        (8, NOWHERE, 4, &["offset of no cell"]),
        // A wrong hash is not told, and hides nothing.
        (12, 0, 5, &[]),
    ];
    for (field, number, lines, told) in cases {
        let mut hurt = hurt();
        hurt.maker.put32(hurt.list + field, number);
        check(&hurt.maker, lines, told);
    }
    let mut hurt = hurt();
    hurt.maker.put32(hurt.list + 8, hurt.keys[1]);
    check(&hurt.maker, 4, &["key that is listed twice"]);
}

/// "Not there" is not said of a damaged list.
#[test]
fn a_name_may_be_what_was_not_read() {
    let mut hurt = hurt();
    hurt.maker.put32(hurt.keys[0], 8);
    hurt.maker.put32(hurt.value, 8);
    let root = Hive::open(Arc::new(hurt.maker.hive()), Logs::default()).unwrap().root().unwrap();
    let key = root.subkey("B").unwrap().unwrap();
    assert!(root.subkey("a").is_err() && root.subkey("x").is_err());
    assert!(key.value("v").is_err() && key.subkey("x").unwrap().is_none());
}

#[test]
fn keys_and_lists_in_circles() {
    // Below itself, below its child, and the root below a key.
    let mut hurt = hurt();
    let (a, b) = (hurt.keys[0], hurt.keys[1]);
    let list = hurt.maker.list(b"li", &[(a, ""), (b, ""), (hurt.maker.root(), "")]);
    hurt.maker.set_subkeys(a, 3, list);
    check(&hurt.maker, 5, &["key that belongs to another"; 3]);
    let (mut hurt, list) = (self::hurt(), hurt.list);
    // A list of two keys.
    hurt.maker.set_subkeys(a, 3, list);
    let told = ["cell that belongs to another"];
    check(&hurt.maker, 5, &told);
    // Lists of lists: itself, and one another.
    let mut maker = Maker::new();
    let root = maker.root();
    let list = maker.list(b"ri", &[(0, ""), (0, "")]);
    let other = maker.list(b"ri", &[(list, ""), (list, "")]);
    maker.put32(list + 8, list);
    maker.put32(list + 12, other);
    maker.set_subkeys(root, 1, list);
    check(&maker, 1, &["list that comes twice"; 3]);
}

/// Thousands of keys that share one list of thousands of values, and large data.
#[test]
fn what_is_shared_is_read_once() {
    let mut maker = Maker::new();
    let root = maker.root();
    let data: Vec<u8> = vec![7; 1 << 20];
    let big = maker.big(&data);
    let values: Vec<u32> =
        (0..10_000).map(|_| maker.raw_value("v", 3, data.len() as u32, big)).collect();
    let keys = maker.keys(root, b"li", &vec!["k"; 10_000]);
    maker.set_values(keys[0], &values);
    let at = keys[0] as usize + 44;
    let list = u32::from_le_bytes(maker.bins[at..at + 4].try_into().unwrap());
    for key in &keys {
        maker.put32(key + 40, 10_000);
        maker.put32(key + 44, list);
    }
    let start = Instant::now();
    let listing = listing(maker.hive(), Logs::default());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let is_whole = |line: &&String| line.len() > data.len();
    assert_eq!(listing.lines.iter().filter(is_whole).count(), 1);
    assert_eq!(listing.problems.len(), 9_999 + 9_999);
}

/// Data in segments: each number that is wrong.
#[test]
fn of_data_in_segments() {
    let make = || {
        let mut maker = Maker::new();
        let root = maker.root();
        let value = maker.value("v", 3, &vec![7; 40_000]);
        maker.set_values(root, &[value]);
        let at = value as usize + 12;
        let big = u32::from_le_bytes(maker.bins[at..at + 4].try_into().unwrap());
        let at = big as usize + 8;
        let list = u32::from_le_bytes(maker.bins[at..at + 4].try_into().unwrap());
        (maker, value, big, list)
    };
    let check_put = |place: u32, number: u32, told: &str| {
        let (mut maker, ..) = make();
        maker.put32(place, number);
        check(&maker, 2, &[told]);
    };
    let (maker, value, big, list) = make();
    check(&maker, 2, &[]);
    let first = maker.bins[list as usize + 4..list as usize + 8].try_into().unwrap();
    check_put(big + 4, 0x0002_6264, "wrong number of segments");
    check_put(big + 4, 0x0003_7878, "data that is longer than its cell");
    check_put(big + 8, 3, "offset of no cell");
    check_put(big + 8, value, "offset of no cell");
    check_put(list + 8, u32::from_le_bytes(first), "segment that comes twice");
    check_put(list + 8, list, "segment that is too short");
    check_put(list, 0xffff_fff8, "list of segments that is longer than its cell");
}

/// Cut at every sector: something is told wherever something is missing.
#[test]
fn a_hive_that_is_cut_short() {
    let hive = crate::shapes::all().hive();
    let whole = listing(hive.clone(), Logs::default()).lines;
    for length in (0..hive.len()).step_by(512) {
        let cut = listing(hive[..length].to_vec(), Logs::default());
        assert!(!cut.problems.is_empty(), "{length}");
        assert!(cut.lines.len() <= whole.len());
    }
}

#[test]
fn of_hive_bins() {
    let hive = hurt().maker.hive();
    for at in [4096, 4100, 4104, 4128] {
        let mut hive = hive.clone();
        hive[at] ^= 0x11;
        let hive = Hive::open(Arc::new(hive), Logs::default()).unwrap();
        assert!(!hive.check_bins().is_empty());
        assert_eq!(hive.problems().len(), usize::from(at < 4128));
    }
}
