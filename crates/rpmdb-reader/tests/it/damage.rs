//! Damaged copies: each check that the reader makes must notice, and what is whole must still be
//! read.

use crate::listing::{Listing, data, has_rpm, install, listing_of_bytes};
use crate::real_rpm::ALL;

pub fn ndb() -> Vec<u8> {
    std::fs::read(data().join("ndb/Packages.db")).unwrap()
}

pub fn bdb() -> Vec<u8> {
    std::fs::read(data().join("bdb/Packages")).unwrap()
}

/// A database of eight packages that this machine's rpm made.
pub fn sqlite() -> Option<Vec<u8>> {
    let folder = has_rpm().then(|| tempfile::tempdir().unwrap())?;
    install(folder.path(), &ALL);
    std::fs::read(folder.path().join("rpmdb.sqlite")).ok()
}

/// Changes a database: `words` must be said and `packages` still be found.
fn check(whole: &[u8], change: impl Fn(&mut Vec<u8>), words: &str, packages: usize) {
    let mut bytes = whole.to_vec();
    change(&mut bytes);
    assert_ne!(bytes, whole, "{words}");
    let Listing { packages: found, problems } = listing_of_bytes(bytes);
    assert!(problems.iter().any(|said| said.contains(words)), "no {words:?} in {problems:?}");
    assert_eq!(found.len(), packages, "{words}: {problems:?}");
}

fn put(at: usize, value: u32) -> impl Fn(&mut Vec<u8>) {
    move |bytes| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes())
}

fn put_big(at: usize, value: u32) -> impl Fn(&mut Vec<u8>) {
    move |bytes| bytes[at..at + 4].copy_from_slice(&value.to_be_bytes())
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn ndb_checks() {
    let whole = ndb();
    // The first slot, its header, and the end of that.
    let slot = 32;
    assert!(whole[slot..].starts_with(b"Slot") && number(&whole, slot + 8) > 0);
    let start = number(&whole, slot + 8) as usize * 16;
    let end = start + number(&whole, slot + 12) as usize * 16;
    check(&whole, put(4, 1), "not supported: ndb of version 1", 0);
    check(&whole, put(12, 0), "number of pages of slots at 0xc", 0);
    check(&whole, put(12, 1 << 20), "file that ends before its last slot", 0);
    check(&whole, put(slot, 1), "magic number of a slot at 0x20", 6);
    check(&whole, put(slot + 4, 0), "slot at 0x20", 6);
    check(&whole, put(slot + 4, 99), "head of a header", 6);
    check(&whole, put(slot + 4, number(&whole, slot + 20)), "head of a header", 6);
    check(&whole, put(slot + 8, 0), "header that no slot names", 6);
    check(&whole, put(slot + 8, 1), "slot at 0x20", 6);
    check(&whole, put(slot + 8, u32::MAX), "past the end of the file", 6);
    check(&whole, put(slot + 12, u32::MAX), "past the end of the file", 6);
    check(&whole, put(slot + 12, 0), "slot at 0x20", 6);
    check(&whole, put(slot + 12, 1), "size of a header", 6);
    check(&whole, put(slot + 12, number(&whole, slot + 12) - 1), "length of a header", 6);
    check(&whole, put(start, 0), "head of a header", 6);
    check(&whole, put(start + 12, u32::MAX), "length of a header", 6);
    check(&whole, put(end - 8, 0), "tail of a header", 6);
    check(&whole, put(end - 4, 0), "tail of a header", 6);
    // Given all the same, as by rpm.
    check(&whole, put(end - 12, 0), "checksum of a header", 7);
    check(&whole, put(start + 8, 0), "checksum of a header", 7);
}

#[test]
fn bdb_checks_of_the_first_page() {
    let whole = bdb();
    check(&whole, put(12, 0), "package database of an unknown kind", 0);
    check(&whole, put(12, 0x42253), "Berkeley DB file that is a queue", 0);
    check(&whole, put(16, 7), "not supported: Berkeley DB hash of version 7", 0);
    check(&whole, put(20, 1000), "page size at 0x14", 0);
    check(&whole, put(20, 1 << 20), "page size at 0x14", 0);
    check(&whole, |bytes| bytes[24] = 1, "encrypted Berkeley DB file", 0);
    check(&whole, |bytes| bytes[25] = 9, "kind of the first page", 0);
    check(&whole, |bytes| bytes[26] = 1, "Berkeley DB file with checksums", 0);
    check(&whole, |bytes| bytes[26] = 2, "Berkeley DB file in partitions", 0);
    check(&whole, put(48, 1), "Berkeley DB hash with flags 0x1", 0);
    check(&whole, put(72, u32::MAX), "number of buckets", 0);
    check(&whole, put(72, 0), "page in use that nothing names", 4);
    check(&whole, put(100, 99), "number of a page", 4);
    check(&whole, put(100, 0), "page of a bucket that was used before", 4);
}

/// A page of a bucket, and the first page of a chain that it names.
fn pages(whole: &[u8]) -> (usize, usize, usize) {
    let bucket = 4096;
    assert_eq!(whole[bucket + 25], 13);
    let items = usize::from(u16::from_le_bytes([whole[bucket + 20], whole[bucket + 21]]));
    let places = (0..items).map(|item| {
        let at = bucket + 26 + 2 * item;
        bucket + usize::from(u16::from_le_bytes([whole[at], whole[at + 1]]))
    });
    let mut chains = places.filter(|at| whole[*at] == 3);
    let item = chains.next().unwrap();
    (bucket, item, number(whole, item + 4) as usize * 4096)
}

#[test]
fn bdb_checks_of_pages() {
    let whole = bdb();
    let (bucket, item, chain) = pages(&whole);
    check(&whole, put(bucket + 8, 7), "page that should be one of a bucket", 3);
    check(&whole, |bytes| bytes[bucket + 25] = 7, "page that should be one of a bucket", 3);
    check(
        &whole,
        |bytes| bytes[bucket..][..4096].fill(0),
        "page that should be one of a bucket",
        3,
    );
    check(&whole, put(bucket + 16, 1), "page of a bucket that was used before", 7);
    check(&whole, put(bucket + 16, u32::MAX), "number of a page", 7);
    check(&whole, put(bucket + 20, 0xffff), "number of items on a page", 3);
    check(&whole, |bytes| bytes[bucket + 20] -= 1, "number of items on a page", 3);
    check(&whole, |bytes| bytes[item] = 2, "kind of a value", 6);
    check(&whole, put(item + 4, 0), "number of a page", 6);
    check(&whole, put(item + 4, u32::MAX), "number of a page", 6);
    check(&whole, put(item + 8, u32::MAX), "length of a header", 6);
    check(&whole, put(item + 8, 9), "page that should be one of a header", 6);
    let length = number(&whole, item + 8);
    check(&whole, put(item + 8, length - 1), "page that should be one of a header", 6);
    check(&whole, put(item + 8, length + 1), "number of a page", 6);
    check(&whole, |bytes| bytes[chain + 25] = 13, "page that should be one of a header", 6);
    check(&whole, |bytes| bytes[chain + 22] ^= 1, "page that should be one of a header", 6);
    check(&whole, put(chain + 8, 0), "page that should be one of a header", 6);
    check(&whole, put(chain + 12, 1), "page that should be one of a header", 6);
    let text = whole[chain..].windows(6).position(|part| part == b"a test").unwrap();
    check(&whole, |bytes| bytes[chain + text] ^= 1, "digest of a header", 7);
}

/// Pages of a chain that name one another without end, and one that goes on in another chain.
#[test]
fn bdb_loops() {
    let whole = bdb();
    let (_, item, _) = pages(&whole);
    let long = (1..whole.len() / 4096)
        .map(|page| page * 4096)
        .find(|page| whole[page + 25] == 7 && number(&whole, page + 16) != 0)
        .unwrap();
    check(&whole, put(long + 16, (long / 4096) as u32), "page that should be one of a header", 6);
    check(
        &whole,
        put(long + 16, number(&whole, item + 4)),
        "page that should be one of a header",
        6,
    );
}

/// Leaves of the table of packages, and its root.
fn root(whole: &[u8]) -> usize {
    // rpm makes the table first: its root is the second page.
    let root = 4096;
    assert!([5, 13].contains(&whole[root]));
    root
}

#[test]
fn sqlite_checks() {
    let Some(whole) = sqlite() else { return };
    let root = root(&whole);
    check(&whole, |bytes| bytes[0] = 0, "package database of an unknown kind", 0);
    check(&whole, |bytes| bytes[17] = 1, "page size at 0x10", 0);
    check(&whole, |bytes| bytes[19] = 3, "not supported: SQLite file of version 3", 0);
    check(
        &whole,
        |bytes| bytes[16..21].copy_from_slice(&[2, 0, 1, 1, 255]),
        "sizes in the head",
        0,
    );
    check(&whole, |bytes| bytes[21] = 0, "sizes in the head", 0);
    check(&whole, put_big(56, 2), "text in UTF-16", 0);
    check(&whole, |bytes| bytes[100] = 10, "page that should be one of a table at 0x0", 0);
    check(&whole, |bytes| bytes[root] = 10, "page that should be one of a table at 0x1000", 0);
    check(&whole, |bytes| bytes[root + 3] = 0xff, "page that should be one of a table", 0);
    let cells = usize::from(whole[root + 4]);
    let inner = whole[root] == 5;
    assert!(cells > 0);
    check(&whole, |bytes| bytes[root + 4] = 0, "cells of a page", usize::from(inner));
    if inner {
        check(&whole, put_big(root + 8, 2), "page that is twice in a tree", 7);
        check(&whole, put_big(root + 8, u32::MAX), "number of a page", 7);
        check(&whole, put_big(root + 8, 0), "number of a page", 7);
    }
}

/// Rows of eight packages on one or more leaves: of a leaf all cells.
fn cells(whole: &[u8]) -> Vec<usize> {
    let leaf = (1..whole.len() / 4096).map(|page| page * 4096);
    let mut cells = Vec::new();
    let root = root(whole);
    let mut pages: Vec<usize> = leaf.filter(|page| *page == root && whole[*page] == 13).collect();
    if pages.is_empty() {
        let cell = root + usize::from(u16::from_be_bytes([whole[root + 12], whole[root + 13]]));
        let child = u32::from_be_bytes(whole[cell..cell + 4].try_into().unwrap());
        pages.push((child as usize - 1) * 4096);
    }
    for page in pages {
        for cell in 0..usize::from(whole[page + 4]) {
            let at = page + 8 + 2 * cell;
            cells.push(page + usize::from(u16::from_be_bytes([whole[at], whole[at + 1]])));
        }
    }
    cells
}

#[test]
fn sqlite_checks_of_rows() {
    let Some(whole) = sqlite() else { return };
    let cell = cells(&whole)[0];
    // A length of two bytes, a number of one, the record: its head of four or five bytes.
    assert_eq!((whole[cell] & 0x80, whole[cell + 1] & 0x80, whole[cell + 2]), (0x80, 0, 1));
    check(&whole, |bytes| bytes[cell] ^= 1, "", 7);
    check(&whole, |bytes| bytes[cell + 2] = 99, "rows that are out of order", 8);
    check(&whole, |bytes| bytes[cell..cell + 9].fill(0xff), "row", 7);
    let kind = (cell + 5..cell + 9).find(|at| whole[*at] & 0x80 == 0).unwrap();
    check(&whole, |bytes| bytes[kind] ^= 1, "row without a header", 7);
}

#[test]
fn sqlite_loops() {
    let Some(whole) = sqlite() else { return };
    // Pages that rows go on in begin with the next one, whose number is small.
    let places = (2..whole.len() / 4096).map(|page| page * 4096);
    let goes_on = |place: &usize| {
        let page = &whole[*place..*place + 4096];
        page[..2] == [0; 2] && page[2..4] != [0; 2] && page.windows(6).any(|part| part == b"file-1")
    };
    let page = places.into_iter().find(goes_on).unwrap();
    let own = (page / 4096 + 1) as u32;
    check(&whole, put_big(page, own), "row that goes on after its end", 7);
    check(&whole, put_big(page, 0), "number of a page", 7);
    check(&whole, put_big(page, u32::MAX), "number of a page", 7);
    check(&whole, |bytes| bytes[page + 100] ^= 1, "digest of a header", 8);
}

/// Whatever is cut off, what is missing is told.
#[test]
fn cut_anywhere() {
    for whole in [Some(ndb()), Some(bdb()), sqlite()].into_iter().flatten() {
        let all = listing_of_bytes(whole.clone()).packages.len();
        let cuts = (0..whole.len()).step_by(509).chain(0..200).chain(whole.len() - 40..whole.len());
        for cut in cuts {
            let Listing { packages, problems } = listing_of_bytes(whole[..cut].to_vec());
            assert!(!problems.is_empty(), "{cut} of {}", whole.len());
            assert!(packages.len() <= all);
        }
    }
}
