//! Thousands of hives and logs with random damage: nothing may panic or run away.

use crate::listing::{listing, logs};
use crate::maker::{changes, entry, log_start, numbered, old_log, seal};
use regf_reader::Logs;
use std::time::{Duration, Instant};

const ROUNDS: u64 = 2000;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    fn harm(&mut self, bytes: &mut [u8], start: usize) {
        for _ in 0..=self.below(4) {
            let byte = start + self.below(bytes.len() - start);
            let byte = &mut bytes[byte];
            *byte = match self.below(5) {
                0 => 0,
                1 => 0xff,
                2 => byte.wrapping_add(8),
                3 => *byte ^ 1 << self.below(8),
                _ => self.below(256) as u8,
            };
        }
    }
}

/// A hive with little data, so that most damage hits structures, and what becomes of it.
fn hives() -> (Vec<u8>, Vec<u8>) {
    let mut maker = crate::shapes::with_data(&[0, 1, 4, 5, 16_349]);
    let key = maker.root();
    let values = [maker.value("v", 1, b"a\0b\0\0\0"), maker.value("", 4, &[1, 2, 3, 4])];
    maker.set_values(key, &values);
    let before = maker.hive();
    maker.keys(key, b"lf", &["Changed", "Other"]);
    (before, maker.hive())
}

#[test]
fn of_hives() {
    let (hive, _) = hives();
    let whole = listing(hive.clone(), Logs::default());
    let (mut numbers, mut told) = (Numbers(1), 0);
    for round in 0..ROUNDS {
        let mut hive = hive.clone();
        // Half of them where the keys are.
        let end = if round % 2 == 0 { hive.len() } else { 4096 + 8192 };
        numbers.harm(&mut hive[..end], if round % 3 == 0 { 0 } else { 4096 });
        if round % 5 == 0 {
            seal(&mut hive);
        }
        let start = Instant::now();
        let listing = listing(hive, Logs::default());
        assert!(start.elapsed() < Duration::from_secs(5), "round {round}");
        let is_less = listing.lines.len() < whole.lines.len();
        assert!(!is_less || !listing.problems.is_empty(), "round {round}: lost without a word");
        told += u64::from(!listing.problems.is_empty());
    }
    assert!(told > ROUNDS / 10, "{told}");
}

/// A dirty hive gives what its logs make of it, or tells that it does not.
#[test]
fn of_logs() {
    let (before, after) = hives();
    let pages = changes(&before, &after, 4096);
    let bins = (after.len() - 4096) as u32;
    let log = |number, pages: &[(u32, Vec<u8>)]| {
        [log_start(&after, 6, number), entry(number, bins, pages)].concat()
    };
    let (one, two) = pages.split_at(1);
    let new = [log(7, one), log(8, two)];
    let old = [old_log(&before, &after, 7), Vec::new()];
    let dirty = numbered(&before, 8, 7);
    for (kind, whole) in [new, old].into_iter().enumerate() {
        let expected = listing(dirty.clone(), logs(&whole[0], &whole[1])).lines;
        assert_eq!(expected, listing(after.clone(), Logs::default()).lines);
        let (mut numbers, mut told) = (Numbers(7), 0);
        for round in 0..ROUNDS {
            let mut harmed = whole.clone();
            let which = if kind == 0 { numbers.below(2) } else { 0 };
            let end = if round % 2 == 0 { harmed[which].len() } else { 700 };
            numbers.harm(&mut harmed[which][..end], 0);
            let listing = listing(dirty.clone(), logs(&harmed[0], &harmed[1]));
            let is_same = listing.lines == expected;
            told += u64::from(!listing.problems.is_empty());
            // The old format has no hash over its pages, and no entry has one over its signature.
            let is_hashed = kind == 0 && harmed.iter().all(|log| log[512..516] == *b"HvLE");
            assert!(!is_hashed || is_same || !listing.problems.is_empty(), "round {round}");
        }
        assert!(told > ROUNDS / 10, "{told}");
    }
}
