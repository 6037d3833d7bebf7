//! Dirty hives: what hivex makes of a hive stands in logs, and must be read as hivex reads it.

use crate::hivex::{by_hivex, has_hivex, hivex, made, same};
use crate::listing::{listing, logs};
use crate::maker::{Maker, changes, entry, log_start, numbered, old_log, seal, seal_entry, set};
use regf_reader::{Hive, Replay};
use std::sync::Arc;

/// A hive, and what becomes of it.
struct Pair {
    before: Vec<u8>,
    after: Vec<u8>,
}

/// The numbers of the entries in the logs, and that of the hive.
const FIRST: u32 = 7;

impl Pair {
    /// A small one, for damage.
    fn small() -> Self {
        let mut maker = crate::shapes::all();
        let before = maker.hive();
        let root = maker.root();
        maker.keys(root, b"lf", &["Changed"]);
        for _ in 0..600 {
            maker.cell(&[7; 100]);
        }
        let pair = Self { before, after: maker.hive() };
        assert!(pair.after.len() > pair.before.len());
        pair
    }

    /// The hive with an unfinished write.
    fn dirty(&self) -> Vec<u8> {
        numbered(&self.before, FIRST + 1, FIRST)
    }

    fn bins(&self) -> u32 {
        (self.after.len() - 4096) as u32
    }

    /// Entries with the changes dealt out to them.
    fn entries(&self, count: usize) -> Vec<Vec<u8>> {
        let pages = changes(&self.before, &self.after, 4096);
        assert!(pages.len() >= count);
        let parts = pages.chunks(pages.len().div_ceil(count));
        parts.zip(FIRST..).map(|(pages, number)| entry(number, self.bins(), pages)).collect()
    }

    fn log(&self, number: u32, entries: &[Vec<u8>]) -> Vec<u8> {
        [vec![log_start(&self.after, 6, number)], entries.to_vec()].concat().concat()
    }

    /// Whether the logs bring about what they should.
    fn check(&self, hive: Vec<u8>, log1: &[u8], log2: &[u8], entries: u64, wanted: &[&str]) {
        let hive = Hive::open(Arc::new(hive), logs(log1, log2)).unwrap();
        let problems: Vec<String> = hive.problems().iter().map(ToString::to_string).collect();
        assert_eq!(problems, wanted);
        assert_eq!(hive.replay().entries, entries);
        let mut bins = vec![0; hive.bins_size() as usize];
        hive.read_bins(0, &mut bins).unwrap();
        assert!(bins == self.after[4096..], "other bytes");
    }
}

/// The problems but for the end of a hive that is only in logs that were not replayed.
fn told(hive: &Hive) -> Vec<String> {
    let problems = hive.problems().iter().map(ToString::to_string);
    problems.filter(|problem| !problem.contains("hive is cut short")).collect()
}

fn damaged(what: &str, at: u64) -> String {
    format!("damaged registry hive: {what} at {at:#x}")
}

#[test]
fn what_hivex_wrote_is_read_from_logs() {
    if !has_hivex() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path());
    let before = std::fs::read(&path).unwrap();
    let unchanged = by_hivex(&path);
    hivex("change", &path);
    let pair = Pair { before, after: std::fs::read(&path).unwrap() };
    let expected = by_hivex(&path);
    assert_ne!(unchanged, expected);
    let entries = pair.entries(9);
    let (one, two) = entries.split_at(4);
    let (log1, log2) = (pair.log(FIRST, one), pair.log(FIRST + 4, two));
    let all = pair.log(FIRST, &entries);
    let old = old_log(&pair.before, &pair.after, FIRST);
    for (log1, log2) in [(&log1, &log2), (&log2, &log1), (&all, &Vec::new()), (&old, &Vec::new())] {
        let listing = listing(pair.dirty(), logs(log1, log2));
        same(&listing.lines, &expected);
        assert_eq!(listing.problems, [""; 0]);
    }
    // A clean hive needs no logs, whatever they hold.
    let clean = listing(numbered(&pair.before, FIRST, FIRST), logs(&log1, &log2));
    same(&clean.lines, &unchanged);
}

#[test]
fn logs_are_taken_in_the_order_of_their_numbers() {
    let pair = Pair::small();
    let entries = pair.entries(4);
    let (early, late) = (pair.log(FIRST, &entries[..2]), pair.log(FIRST + 2, &entries[2..]));
    pair.check(pair.dirty(), &early, &late, 4, &[]);
    pair.check(pair.dirty(), &late, &early, 4, &[]);
    // The hive is already where the later log begins.
    let later = numbered(&pair.before, FIRST + 4, FIRST + 2);
    let hive = Hive::open(Arc::new(later), logs(&early, &late)).unwrap();
    assert_eq!((hive.replay().entries, told(&hive).len()), (2, 0));
    assert!(hive.is_dirty());
}

#[test]
fn later_entries_hide_earlier_ones_and_old_ones_are_left() {
    let pair = Pair::small();
    let junk = changes(&pair.before, &pair.after, 4096);
    let junk: Vec<_> = junk.into_iter().map(|(at, bytes)| (at, vec![9; bytes.len()])).collect();
    let all = changes(&pair.before, &pair.after, 512);
    let entries = [
        entry(FIRST, pair.bins(), &junk),
        entry(FIRST + 1, pair.bins(), &all),
        entry(FIRST - 3, pair.bins(), &junk),
    ];
    // 512-byte pages that the junk covers but that did not change must be put back too.
    let whole = entry(FIRST + 1, pair.bins(), &changes(&pair.before, &pair.after, 4096));
    let log = pair.log(FIRST, &[entries[0].clone(), whole, entries[2].clone()]);
    pair.check(pair.dirty(), &log, &[], 2, &[]);
    let log = pair.log(FIRST, &entries[1..]);
    let next = numbered(&pair.before, FIRST + 2, FIRST);
    let hive = Hive::open(Arc::new(next), logs(&log, &[])).unwrap();
    assert_eq!(hive.replay(), Replay::default());
    assert_eq!(hive.problems().len(), 2);
}

/// The second log begins with the entry that is torn in the first.
#[test]
fn the_other_log_goes_on_where_one_is_torn() {
    let pair = Pair::small();
    let entries = pair.entries(4);
    let mut early = pair.log(FIRST, &entries[..3]);
    let end = early.len() - 600;
    early.truncate(end);
    let at = (512 + entries[0].len() + entries[1].len()) as u64;
    let late = pair.log(FIRST + 2, &entries[2..]);
    let told = damaged("wrong size of a log entry", at);
    pair.check(pair.dirty(), &early, &late, 4, &[&told]);
    pair.check(pair.dirty(), &late, &early, 4, &[&told]);
}

#[test]
fn of_two_logs_of_the_old_format_the_one_of_the_hives_time_is_taken() {
    let pair = Pair::small();
    let log = old_log(&pair.before, &pair.after, FIRST);
    let mut other = old_log(&pair.before, &pair.before, FIRST);
    pair.check(pair.dirty(), &log, &other, 1, &[]);
    other[12] = 1;
    seal(&mut other);
    pair.check(pair.dirty(), &other, &log, 1, &[]);
}

#[test]
fn numbers_go_round() {
    let pair = Pair::small();
    let pages = changes(&pair.before, &pair.after, 4096);
    let (one, two) = pages.split_at(pages.len() / 2);
    let log1 = pair.log(u32::MAX, &[entry(u32::MAX, pair.bins(), one)]);
    let log2 = pair.log(0, &[entry(0, pair.bins(), two)]);
    pair.check(numbered(&pair.before, 0, u32::MAX), &log2, &log1, 2, &[]);
}

/// The base block is taken from the later log, whose entries alone are replayed, as Windows does.
#[test]
fn a_damaged_base_block_is_that_of_the_log() {
    let pair = Pair::small();
    let log = pair.log(FIRST, &pair.entries(3));
    let told = damaged("wrong checksum of the base block", 508);
    for at in [0, 36, 40, 508] {
        let mut hive = pair.dirty();
        hive[at] ^= 0x5a;
        pair.check(hive.clone(), &log, &[], 3, &[&told]);
        let old = old_log(&pair.before, &pair.after, FIRST);
        pair.check(hive, &old, &[], 1, &[&told]);
    }
    let mut hive = pair.dirty();
    hive[508] ^= 1;
    let alone = Hive::open(Arc::new(hive), logs(&[], &[])).unwrap();
    assert_eq!((alone.problems().len(), alone.replay().entries), (2, 0));
    assert!(alone.root().is_ok());
}

#[test]
fn a_wrong_hash_ends_the_replay() {
    let pair = Pair::small();
    let entries = pair.entries(4);
    let third = (512 + entries[0].len() + entries[1].len()) as u64;
    let harm = |at: usize, seal: bool| {
        let mut entries = entries.clone();
        entries[2][at] ^= 1;
        if seal {
            seal_entry(&mut entries[2]);
        }
        pair.log(FIRST, &entries)
    };
    for (log, what) in [
        (harm(45, false), "wrong hash of a log entry's pages"),
        (harm(9, false), "wrong hash of a log entry"),
        (harm(24, false), "wrong hash of a log entry"),
        (harm(34, false), "wrong hash of a log entry"),
        (harm(4, true), "wrong size of a log entry"),
        (harm(17, true), "wrong numbers in a log entry"),
        (harm(21, true), "wrong numbers in a log entry"),
        (harm(40, true), "wrong numbers in a log entry"),
        (harm(44, true), "wrong numbers in a log entry"),
        (harm(15, true), "log entry that does not follow the one before"),
    ] {
        let hive = Hive::open(Arc::new(pair.dirty()), logs(&log, &[])).unwrap();
        let problems = told(&hive);
        assert_eq!(problems, [damaged(what, third)]);
        // What the hive was to grow by is in the entries that were not replayed.
        assert_eq!((hive.replay().entries, hive.problems().len()), (2, 2));
    }
}

#[test]
fn what_is_missing_of_the_logs_is_told() {
    let pair = Pair::small();
    let entries = pair.entries(4);
    let (early, late) = (pair.log(FIRST, &entries[..2]), pair.log(FIRST + 2, &entries[2..]));
    let gap = pair.log(FIRST + 3, &entries[3..]);
    let mut unfinished = early.clone();
    set(&mut unfinished, 4, 99);
    seal(&mut unfinished);
    let mut harmed = early.clone();
    harmed[100] ^= 1;
    let mut sectors = early.clone();
    set(&mut sectors, 44, 8);
    seal(&mut sectors);
    let none = damaged("changes in a log that is not there or does not fit", 4);
    let cases: [(&[u8], &[u8], Vec<String>); 9] = [
        (&[], &[], vec![none.clone()]),
        (&[0; 4096], &[], vec![none.clone()]),
        (&[], &late, vec![damaged("entries are missing before the log", 4)]),
        (&early, &gap, vec![damaged("entries are missing between the logs", 4)]),
        (&unfinished, &[], vec![damaged("log that was not written to its end", 4), none.clone()]),
        (&harmed, &[], vec![damaged("wrong base block of a log", 0), none.clone()]),
        (&early[..100], &[], vec![damaged("log that is shorter than a sector", 0), none.clone()]),
        (&pair.after, &[], vec![damaged("hive in place of a log", 28), none.clone()]),
        (
            &sectors,
            &[],
            vec!["not supported: log with sectors of 8 times 512 bytes".to_owned(), none.clone()],
        ),
    ];
    for (log1, log2, wanted) in cases {
        let hive = Hive::open(Arc::new(pair.dirty()), logs(log1, log2)).unwrap();
        let problems = told(&hive);
        assert_eq!(problems, wanted);
    }
}

#[test]
fn a_log_of_the_old_format_is_whole_or_left() {
    let pair = Pair::small();
    let log = old_log(&pair.before, &pair.after, FIRST);
    pair.check(pair.dirty(), &log, &[], 1, &[]);
    pair.check(pair.dirty(), &[], &log, 1, &[]);
    let none = damaged("changes in a log that is not there or does not fit", 4);
    let cut = |length: usize, what: &str| {
        let hive = Hive::open(Arc::new(pair.dirty()), logs(&log[..length], &[])).unwrap();
        let problems = told(&hive);
        assert_eq!(problems, [damaged(what, 512), none.clone()]);
    };
    cut(520, "log that is shorter than its bitmap");
    cut(log.len() - 512, "log that is shorter than its pages");
    // One of an earlier time is not this hive's.
    let mut hive = pair.dirty();
    hive[12] = 1;
    seal(&mut hive);
    let hive = Hive::open(Arc::new(hive), logs(&log, &[])).unwrap();
    assert_eq!((hive.replay().entries, hive.problems().len()), (0, 1));
    let mut unsigned = log.clone();
    unsigned[512] = b'd';
    let hive = Hive::open(Arc::new(pair.dirty()), logs(&unsigned, &[])).unwrap();
    assert_eq!((hive.replay().entries, hive.problems().len()), (0, 2));
}

/// A bin in a log of the old format tells where it belongs.
#[test]
fn a_bin_that_belongs_elsewhere_ends_the_replay() {
    let maker = Maker::new();
    let mut after = maker.hive();
    after[4096 + 4] = 16;
    let before = maker.hive();
    let log = old_log(&before, &after, FIRST);
    let hive = Hive::open(Arc::new(numbered(&before, 8, 7)), logs(&log, &[])).unwrap();
    let problems = told(&hive);
    assert_eq!(problems, [damaged("hive bin in a log that belongs elsewhere", 1024)]);
}
