//! The databases of `tests/data`, of which the rpm that made them says what is in them.

use crate::listing::{answer, data, listing, open};
use rpmdb_reader::{Header, Kind};

fn check(file: &str, kind: Kind) {
    let path = data().join(file);
    assert_eq!(open(&path).unwrap().kind(), kind);
    let expected = std::fs::read(path.with_file_name("expected")).unwrap();
    let listing = listing(&path);
    assert_eq!(listing.packages, answer(&expected));
    assert_eq!(listing.problems, [""; 0]);
    assert_eq!(listing.packages.len(), 7);
}

#[test]
fn ndb_of_rpm_4_20() {
    check("ndb/Packages.db", Kind::Ndb);
}

#[test]
fn berkeley_db_of_rpm_4_16() {
    check("bdb/Packages", Kind::BerkeleyDb);
}

/// The digest is of bytes that the reader picks: it holds only if they are the right ones.
#[test]
fn digests_hold() {
    for file in ["ndb/Packages.db", "bdb/Packages"] {
        for header in open(&data().join(file)).unwrap().headers() {
            let header = header.unwrap();
            assert_eq!(Header::parse(&header.bytes).unwrap().digest_holds(), Some(true));
        }
    }
}

/// The same packages are in both.
#[test]
fn the_kinds_agree() {
    let packages = |file: &str| {
        let mut names: Vec<_> = listing(&data().join(file)).packages;
        // They were installed at other times.
        for name in &mut names {
            *name = name
                .split('\t')
                .enumerate()
                .filter(|(at, _)| *at != 10)
                .map(|(_, field)| field)
                .collect();
        }
        names
    };
    assert_eq!(packages("ndb/Packages.db"), packages("bdb/Packages"));
}
