//! Databases that bbolt makes: each key, value and sequence is what bbolt reads.

use crate::listing::{LIMITS, assert_same, listing_of, open};
use crate::witness::{dump, made};
use bbolt_reader::{Database, Limits};
use block_source::{BlockSource, FileSource};
use std::sync::Arc;

const PAGE_SIZES: [u32; 7] = [1024, 2048, 4096, 8192, 16384, 32768, 65536];

fn check(kind: &str, counts: (usize, usize)) {
    for page_size in PAGE_SIZES {
        let Some(made) = made(kind, page_size) else { return };
        let Some(expected) = dump(&made.path()) else { return };
        let file = FileSource::open(made.path()).unwrap();
        let limits = Limits { read: 4 * file.size(), ..LIMITS };
        let found = listing_of(&Database::open(Arc::new(file), limits).unwrap());
        assert_same(&format!("{kind}, pages of {page_size}"), &found, &expected);
        assert_eq!(found.counts(), counts, "{kind}, pages of {page_size}");
        let database = open(made.bytes()).unwrap();
        assert_eq!(database.page_size(), page_size.into());
        assert!(database.problem().is_none());
    }
}

#[test]
fn a_new_file() {
    check("empty", (0, 0));
}

#[test]
fn many_keys_of_which_some_went() {
    check("many", (1, 11418));
}

#[test]
fn buckets_deep_in_one_another_and_small_ones_in_pages() {
    check("nested", (762, 1818));
}

#[test]
fn values_and_keys_of_many_pages() {
    check("large", (2, 70));
}

#[test]
fn random_changes_in_buckets() {
    check("random", (232, 2144));
}
