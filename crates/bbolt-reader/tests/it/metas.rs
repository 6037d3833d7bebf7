//! The two meta pages: which one counts, and what is said of the other.

use crate::listing::{assert_same, listing_of, open};
use crate::witness::{Made, dump_of, lines, made};
use bbolt_reader::Database;

const PAGE_SIZES: [u32; 4] = [1024, 4096, 16384, 65536];

/// What bbolt read after the first and so many transactions more.
fn read_after(made: &Made, number: usize) -> Vec<String> {
    let path = made.folder.path().join(format!("db.{number}"));
    lines(&std::fs::read(path).unwrap())
}

fn check(name: &str, database: &Database, expected: &[String]) {
    assert_same(name, &listing_of(database), expected);
}

#[test]
fn the_older_state_is_that_before_the_last_transaction() {
    for page_size in PAGE_SIZES {
        let Some(made) = made("counted", page_size) else { return };
        let newer = open(made.bytes()).unwrap();
        check("newer", &newer, &read_after(&made, 29));
        let older = newer.older().unwrap();
        check("older", &older, &read_after(&made, 28));
        assert_eq!(older.transaction() + 1, newer.transaction());
        assert!(older.older().is_none() && newer.problem().is_none());
    }
}

/// As if the file had been copied while the last transaction was written.
#[test]
fn the_older_state_is_there_when_the_newer_one_is_not() {
    let Some(made) = made("counted", 1024) else { return };
    let (newer, older) = (read_after(&made, 29), read_after(&made, 28));
    let mut lost = 0;
    for page in 2..made.bytes().len() / 1024 {
        let mut bytes = made.bytes();
        bytes[1024 * page..1024 * (page + 1)].fill(0);
        let database = open(bytes).unwrap();
        let listing = listing_of(&database);
        assert_eq!(listing.problems.is_empty(), listing.lines == newer);
        let before = listing_of(&database.older().unwrap());
        assert_eq!(before.problems.is_empty(), before.lines == older);
        lost += usize::from(!listing.problems.is_empty() && before.problems.is_empty());
    }
    assert!(lost > 0);
}

/// bbolt reads such a file too; without the first meta page, this version only with the machine's pages.
#[test]
fn a_broken_meta_page_leaves_the_other() {
    for page_size in PAGE_SIZES {
        let Some(made) = made("counted", page_size) else { return };
        let newest = open(made.bytes()).unwrap().transaction();
        let starts = [0, page_size as usize];
        for (page, start) in starts.into_iter().enumerate() {
            for at in [16, 20, 24, 32, 56, 64, 72] {
                let mut bytes = made.bytes();
                bytes[start + at] ^= 0x10;
                let database = open(bytes.clone()).unwrap();
                assert!(database.problem().is_some() && database.older().is_none());
                let is_newest = database.transaction() == newest;
                assert_eq!(is_newest, newest % 2 != page as u64);
                let expected = read_after(&made, 28 + usize::from(is_newest));
                check("what is left", &database, &expected);
                if page == 1 || page_size == 4096 {
                    assert_eq!(dump_of(&bytes).unwrap(), expected);
                }
            }
        }
    }
}

#[test]
fn without_a_whole_meta_page_there_is_no_database() {
    let Some(made) = made("counted", 4096) else { return };
    let mut bytes = made.bytes();
    bytes[72] ^= 1;
    bytes[4096 + 72] ^= 1;
    let why = |bytes: Vec<u8>| open(bytes).err().unwrap().to_string();
    assert_eq!(
        why(bytes.clone()),
        "damaged bbolt database: a meta page whose checksum does not hold, page 0"
    );
    bytes[16..20].fill(0);
    assert_eq!(why(bytes), "damaged bbolt database: no signature of bbolt, page 0");
    assert_eq!(why(vec![]), "damaged bbolt database: an empty file, page 0");
    assert_eq!(
        why(vec![0; 60]),
        "damaged bbolt database: a file that is too short for bbolt, page 0"
    );
    assert_eq!(why(vec![0; 8192]), "damaged bbolt database: no signature of bbolt, page 0");
}

#[test]
fn two_sizes_of_pages() {
    let mut bytes = crate::hand::file(4);
    let meta = &mut bytes[4096 + 16..][..64];
    meta[9] = 0x20;
    crate::hand::seal(meta);
    let database = open(bytes).unwrap();
    assert_eq!((database.transaction(), database.page_size()), (0, 4096));
    let problem = database.problem().unwrap().to_string();
    assert_eq!(problem, "damaged bbolt database: meta pages of two sizes, page 1");
}

/// Numbers that no file can have are told where they are used.
#[test]
fn a_root_and_a_size_out_of_any_file() {
    for (root, pages) in
        [(u64::MAX - 1, u64::MAX), (1 << 52, u64::MAX), (0, 3), (1, 3), (3, 3), (2, 0)]
    {
        let mut bytes = crate::hand::file(3);
        for start in [16, 4096 + 16] {
            let meta = &mut bytes[start..start + 64];
            meta[16..24].copy_from_slice(&u64::to_le_bytes(root));
            meta[40..48].copy_from_slice(&u64::to_le_bytes(pages));
            crate::hand::seal(meta);
        }
        let listing = listing_of(&open(bytes).unwrap());
        assert_eq!((listing.lines.len(), listing.problems.len()), (1, 1), "{root}, {pages}");
    }
}

#[test]
fn what_other_machines_and_versions_write_is_refused() {
    let Some(made) = made("empty", 4096) else { return };
    let changed = |change: &dyn Fn(&mut [u8])| {
        let mut bytes = made.bytes();
        for start in [0, 4096] {
            let meta = &mut bytes[start + 16..start + 80];
            change(meta);
            crate::hand::seal(meta);
        }
        open(bytes).err().unwrap().to_string()
    };
    let big = changed(&|meta| meta[..4].reverse());
    assert_eq!(big, "not supported: a database of a big-endian machine");
    assert_eq!(changed(&|meta| meta[4] = 3), "not supported: version 3");
    assert_eq!(changed(&|meta| meta[9] = 0x11), "not supported: pages of 4352 bytes");
    assert_eq!(changed(&|meta| meta[8..12].fill(0)), "not supported: pages of 0 bytes");
    let large = changed(&|meta| meta[8..12].copy_from_slice(&(1u32 << 17).to_le_bytes()));
    assert_eq!(large, "not supported: pages of 131072 bytes");
}
