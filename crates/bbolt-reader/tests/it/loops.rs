//! Pages and buckets that lead back to themselves, or to others too often.

use crate::hand::{branch, bucket, file, inline, leaf, with};
use crate::listing::{LIMITS, Listing, listing, open};
use bbolt_reader::{Database, Limits, MOST_DEPTH, MOST_NESTED};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn check(pages: &[Vec<u8>], lines: usize, problems: &[&str]) {
    let found = listing(with(file(200), pages));
    assert_eq!(found.problems, problems, "{:?}", found.lines);
    assert_eq!(found.lines.len(), lines);
}

#[test]
fn what_the_others_build_on() {
    check(
        &[
            branch(2, &[(b"a", 3), (b"c", 4)]),
            leaf(3, &[(false, b"a", b"1"), (true, b"b", &inline(&[(false, b"x", b"2")]))]),
            leaf(4, &[(true, b"c", &bucket(5))]),
            leaf(5, &[(false, b"y", b"")]),
        ],
        6,
        &[],
    );
}

#[test]
fn a_page_below_itself() {
    let problem = "damaged bbolt database: a page that was met before, page 2";
    let pages = [branch(2, &[(b"a", 3), (b"b", 2), (b"c", 4)]), leaf(3, &[(false, b"a", b"1")])];
    check(&[&pages[..], &[leaf(4, &[(false, b"c", b"3")])]].concat(), 3, &[problem]);
}

#[test]
fn a_bucket_in_itself() {
    let problem = "damaged bbolt database: a page that was met before, page ";
    let inner = inline(&[(true, b"i", &bucket(3)), (false, b"j", b"")]);
    check(
        &[
            leaf(2, &[(true, b"a", &bucket(3)), (false, b"b", b"")]),
            leaf(3, &[(true, b"c", &bucket(3)), (true, b"d", &bucket(2)), (true, b"e", &inner)]),
        ],
        8,
        &[3, 2, 3].map(|page| format!("{problem}{page}")).each_ref().map(String::as_str),
    );
}

/// Each of 40 levels names the next one twice: the second time is damage, so that it is not 2⁴⁰ pages.
#[test]
fn pages_that_are_named_twice() {
    let twice = |page| branch(page, &[(b"a", page + 1), (b"b", page + 1)]);
    let mut pages: Vec<_> = (2..42).map(twice).collect();
    pages.push(leaf(42, &[(false, b"a", b"")]));
    let found = listing(with(file(200), &pages));
    // Keys out of their order are told too.
    let twice = found.problems.iter().filter(|problem| problem.contains("was met before")).count();
    assert_eq!((found.lines.len(), twice), (2, 40));
}

/// Buckets that are named by several others are each read for all of them: what may be read ends it.
#[test]
fn buckets_that_are_named_twice() {
    let twice = |page| {
        let next = bucket(page + 1);
        leaf(page, &[(true, b"a", &next), (true, b"b", &next)])
    };
    let pages: Vec<_> = (2..60).map(twice).collect();
    let (begun, limits) = (Instant::now(), Limits { read: 4 << 20, ..LIMITS });
    let database = Database::open(Arc::new(with(file(200), &pages)), limits).unwrap();
    let mut found = Listing::default();
    found.add(&database.root(), "");
    let problem = "more than 4194304 bytes of the database are needed";
    assert!(found.problems.iter().any(|it| it == problem), "{:?}", found.problems.last());
    assert!(found.lines.len() < 3000 && begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_path_of_too_many_pages() {
    let mut pages: Vec<_> = (2..150).map(|page| branch(page, &[(b"a", page + 1)])).collect();
    pages.push(leaf(150, &[(false, b"a", b"")]));
    let page = MOST_DEPTH + 2;
    let problem = format!("damaged bbolt database: too many pages above one another, page {page}");
    check(&pages, 1, &[&problem]);
}

#[test]
fn too_many_buckets_in_one_another() {
    let next = |page| leaf(page, &[(true, b"a", &bucket(page + 1)), (false, b"b", b"")]);
    let pages: Vec<_> = (2..150).map(next).collect();
    let page = MOST_NESTED + 2;
    let problem = format!("damaged bbolt database: too many buckets in one another, page {page}");
    check(&pages, 2 * (MOST_NESTED + 1), &[&problem]);
    let root = open(with(file(200), &pages)).unwrap().root();
    assert!(root.nested(&[b"a".as_slice(); MOST_NESTED]).unwrap().is_some());
    assert!(root.nested(&[b"a".as_slice(); MOST_NESTED + 1]).is_err());
}
