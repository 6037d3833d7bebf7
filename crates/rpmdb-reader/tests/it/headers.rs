//! Headers made by hand: what no package at hand has, and what is wrong with them.

use crate::damage::ndb;
use rpmdb_reader::{Beside, Database, Error, Files, Header, Package, tag};
use std::sync::Arc;

const INT16: u32 = 3;
const INT32: u32 = 4;
const INT64: u32 = 5;
const TEXT: u32 = 6;
const BYTES: u32 = 7;
const TEXTS: u32 = 8;

/// A header without a region, as of rpm 3.
#[derive(Default, Clone)]
struct Made {
    entries: Vec<[u32; 4]>,
    data: Vec<u8>,
}

impl Made {
    fn named() -> Self {
        let named = Self::default().with(tag::NAME, TEXT, 1, b"name\0");
        named.with(tag::VERSION, TEXT, 1, b"1\0").with(tag::RELEASE, TEXT, 1, b"2\0")
    }

    fn with(mut self, tag: u32, kind: u32, count: u32, value: &[u8]) -> Self {
        let width = match kind {
            INT16 => 2,
            INT32 => 4,
            INT64 => 8,
            _ => 1,
        };
        self.data.resize(self.data.len().next_multiple_of(width), 0);
        self.entries.push([tag, kind, self.data.len() as u32, count]);
        self.data.extend_from_slice(value);
        self
    }

    fn with_files(self, names: &[u8], count: u32, indexes: &[u32], directories: &[u8]) -> Self {
        let indexes: Vec<u8> = indexes.iter().flat_map(|index| index.to_be_bytes()).collect();
        let folders = directories.split(|byte| *byte == 0).count() as u32 - 1;
        self.with(tag::DIR_INDEXES, INT32, indexes.len() as u32 / 4, &indexes)
            .with(tag::BASE_NAMES, TEXTS, count, names)
            .with(tag::DIR_NAMES, TEXTS, folders, directories)
    }

    fn bytes(&self) -> Vec<u8> {
        let head = [self.entries.len() as u32, self.data.len() as u32];
        let numbers = head.iter().chain(self.entries.iter().flatten());
        let index: Vec<u8> = numbers.flat_map(|number| number.to_be_bytes()).collect();
        [index, self.data.clone()].concat()
    }

    fn package(&self) -> Package {
        Package::parse(&self.bytes(), Files::Wanted).unwrap()
    }
}

fn paths(package: &Package) -> Vec<String> {
    package.files.iter().map(|file| String::from_utf8(file.path()).unwrap()).collect()
}

fn said(problems: &[Error]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn of_rpm_3() {
    let made = Made::named().with(tag::OLD_FILENAMES, TEXTS, 2, b"/bin/a\0/etc/b\0");
    let package = made.package();
    assert_eq!(paths(&package), ["/bin/a", "/etc/b"]);
    assert!(package.problems.is_empty(), "{:?}", package.problems);
    assert_eq!(Header::parse(&made.bytes()).unwrap().digest_holds(), None);
}

/// As in rpm, whose newer names hide the old ones.
#[test]
fn newer_names_hide_old_ones() {
    let made = Made::named().with(tag::OLD_FILENAMES, TEXTS, 1, b"/bin/a\0");
    let package = made.with_files(b"b\0", 1, &[0], b"/etc/\0").package();
    assert_eq!(paths(&package), ["/etc/b"]);
}

#[test]
fn sizes_of_4_gib_and_more() {
    let made = Made::named().with(tag::LONG_SIZE, INT64, 1, &(5u64 << 32).to_be_bytes());
    assert_eq!(made.package().size, Some(5 << 32));
}

/// What was added at installation hides what came with the package.
#[test]
fn the_later_entry_of_a_tag_counts() {
    let made = Made::named().with(tag::ARCH, TEXT, 1, b"a\0").with(tag::ARCH, TEXT, 1, b"b\0");
    assert_eq!(made.package().arch.as_deref(), Some("b"));
}

/// Packets of all versions, by hand after RFC 9580 and rpm's own of version 3.
#[test]
fn keys_of_signatures() {
    let key = *b"\x01\x23\x45\x67\x89\xab\xcd\xef";
    let third = [&[0x88, 17, 3, 5, 0, 1, 2, 3, 4][..], &key, &[1, 8]].concat();
    let issuer = [&[9, 16][..], &key].concat();
    let fourth = [&[0xc2, 18, 4, 0, 1, 8, 0, 0, 0, 10][..], &issuer].concat();
    let print = [&[22, 33, 4][..], &[9; 12], &key].concat();
    let long = [&[0xc2, 255, 0, 0, 0, 31, 4, 0, 1, 8, 0, 23][..], &print, &[0, 0]].concat();
    let print = [&[34, 33, 6][..], &key, &[9; 24]].concat();
    let sixth = [&[0xc2, 47, 6, 0, 27, 8, 0, 0, 0, 35][..], &print, &[0, 0, 0, 0]].concat();
    for packet in [&third, &fourth, &long, &sixth] {
        let made = Made::named().with(tag::RSA_HEADER, BYTES, packet.len() as u32, packet);
        let found = made.package().key.map(|key| key.to_string());
        assert_eq!(found.as_deref(), Some("0123456789abcdef"), "{packet:x?}");
        for cut in 0..packet.len() {
            let made = Made::named().with(
                tag::RSA_HEADER,
                BYTES,
                cut.max(1) as u32,
                &packet[..cut.max(1)],
            );
            let _ = made.package();
        }
    }
    // The same as `fourth`, by `base64`.
    let text = b"whIEAAEIAAAACgkQASNFZ4mrze8=\0";
    let made = Made::named().with(tag::OPENPGP, TEXTS, 1, text);
    assert_eq!(made.package().key.map(|key| key.0), Some(key));
}

#[test]
fn what_a_package_may_lack_is_told_and_left() {
    let cases = [
        (Made::named().with(tag::ARCH, INT32, 1, &[0; 4]), "entry of a header"),
        (Made::named().with(tag::ARCH, TEXT, 2, b"a\0b\0"), "entry of a header"),
        (Made::named().with(tag::ARCH, TEXT, 1, b"not ended"), "entry of a header"),
        (Made::named().with(tag::EPOCH, INT32, u32::MAX, &[0; 4]), "entry of a header"),
        (Made::named().with(tag::EPOCH, 77, 1, &[0; 4]), "entry of a header"),
        (Made::named().with_files(b"a\0b\0", 2, &[0], b"/\0"), "of the files of a header"),
        (Made::named().with_files(b"a\0", 1, &[7], b"/\0"), "of the files of a header"),
        (Made::named().with_files(b"a\0", 9, &[0], b"/\0"), "entry of a header"),
        (
            Made::named().with_files(&vec![b'a'; 70_000], 1, &[0], b"/\0"),
            "values of a header that overlap",
        ),
    ];
    for (made, words) in cases {
        let package = made.package();
        assert_eq!((package.name.as_str(), package.arch, package.epoch), ("name", None, None));
        assert!(said(&package.problems).contains(words), "{words}: {:?}", package.problems);
    }
    let long = [&[b'a'; 5000][..], b"\0"].concat();
    let problems = Made::named().with_files(&long, 1, &[0], b"/\0").package().problems;
    assert!(said(&problems).contains("length of a path"), "{problems:?}");
    let states =
        Made::named().with_files(b"a\0", 1, &[0], b"/\0").with(tag::FILE_MODES, INT16, 2, &[0; 4]);
    let package = states.package();
    assert_eq!(paths(&package), ["/a"]);
    assert!(said(&package.problems).contains("number of details of the files"));
}

#[test]
fn values_that_overlap_are_told() {
    let mut made = Made::named().with(tag::ARCH, TEXT, 1, b"a\0");
    made.entries[3][2] = made.entries[2][2];
    assert!(said(&made.package().problems).contains("values of a header that overlap"));
}

fn refused(bytes: &[u8]) -> String {
    Package::parse(bytes, Files::Wanted).unwrap_err().to_string()
}

#[test]
fn what_is_no_header_is_refused() {
    let made = Made::named();
    let bytes = made.bytes();
    for cut in 0..bytes.len() {
        assert!(refused(&bytes[..cut]).contains("of a header"), "{cut}");
    }
    assert!(refused(&[&bytes[..], &[0]].concat()).contains("length of a header"));
    let with = |at: usize, number: u32| {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
        bytes
    };
    assert!(refused(&with(0, 0)).contains("number of entries of a header"));
    assert!(refused(&with(0, u32::MAX)).contains("number of entries of a header"));
    assert!(refused(&with(4, u32::MAX)).contains("length of a header"));
    // Entries of 16 bytes: the places of the name, and its kind.
    assert!(refused(&with(8 + 8, u32::MAX)).contains("entry of a header"));
    assert!(refused(&with(8 + 4, INT32)).contains("entry of a header"));
    assert!(refused(&with(8, 9999)).contains("header without a name, version or release"));
    let none = Made::default().with(tag::NAME, TEXT, 1, b"\0");
    assert!(refused(&none.bytes()).contains("header without a name, version or release"));
}

/// The region of a header that rpm made: each number of its first entry and of its trailer.
#[test]
fn regions_are_checked() {
    let database = Database::open(Arc::new(ndb()), Beside::default()).unwrap();
    let whole = database.headers().next().unwrap().unwrap().bytes;
    let number = |at: usize| u32::from_be_bytes(whole[at..at + 4].try_into().unwrap());
    assert_eq!(number(8), tag::HEADER_IMMUTABLE);
    let trailer = 8 + 16 * number(0) as usize + number(16) as usize;
    for (at, value) in [
        (12, TEXT),
        (16, u32::MAX),
        (16, 4),
        (20, 15),
        (trailer + 4, TEXT),
        (trailer + 8, 0),
        (trailer + 8, 1),
        (trailer + 12, 0),
    ] {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
        assert!(refused(&bytes).contains("region of a header"), "{at} {value}");
    }
    // A byte of the region, and one that says another length of it.
    for (at, value) in [(trailer - 1, 0x55), (trailer + 11, whole[trailer + 11].wrapping_add(16))] {
        let mut bytes = whole.clone();
        bytes[at] = value;
        let problems = Package::parse(&bytes, Files::Left).unwrap().problems;
        assert!(said(&problems).contains("digest of a header"), "{at}: {problems:?}");
    }
}

/// Many entries of one long text: looked at once, not once for each.
#[test]
fn a_header_that_would_take_long() {
    let mut made = Made::named();
    let start = made.data.len() as u32;
    made.data.extend_from_slice(&vec![b'a'; 4 << 20]);
    for number in 0..60_000 {
        made.entries.push([6000 + number % 7, TEXTS, start, u32::MAX]);
    }
    for tag in [tag::VENDOR, tag::LICENSE, tag::ARCH, tag::PACKAGER, tag::MODULARITY_LABEL] {
        made.entries.push([tag, TEXT, start, 1]);
    }
    let before = std::time::Instant::now();
    let package = made.package();
    assert!(before.elapsed().as_secs() < 5);
    assert_eq!(package.vendor, None);
    assert!(package.problems.len() > 5);
}

/// As many files as fit in a header of some megabytes: names of nothing.
#[test]
fn more_files_than_are_read() {
    let indexes = vec![0; 2_000_001];
    let made = Made::named().with_files(&vec![0; 2_000_001], 2_000_001, &indexes, b"/\0");
    let package = made.package();
    assert_eq!(package.files.len(), 2_000_000);
    assert!(said(&package.problems).contains("more files than are read"));
}
