//! Damage to each structure, and numbers that lie.

use crate::made::{SMALL, listed, python, small};
use std::sync::Arc;
use zip_reader::{Archive, Error};

fn find(bytes: &[u8], mark: &[u8]) -> usize {
    bytes.windows(mark.len()).position(|part| part == mark).unwrap()
}

/// What is read of [`SMALL`] with bytes of a structure changed, and the problem.
fn changed(mark: &[u8], at: usize, with: &[u8]) -> Option<(Vec<String>, String)> {
    let mut bytes = python(SMALL)?;
    let start = find(&bytes, mark) + at;
    bytes[start..start + with.len()].copy_from_slice(with);
    let (found, problem) = listed(&bytes);
    Some((found.into_iter().map(|(name, _)| name).collect(), problem.unwrap().to_string()))
}

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

/// Mark of a structure, offset in it, bytes that are put there, what is read all the same, and why not more.
type Case<'a> = (&'a [u8], usize, &'a [u8], &'a [&'a str], &'a str);

#[test]
fn each_damage_costs_what_it_hits() {
    let all = ["stored", "folder/deflated", "empty"];
    let cases: &[Case] = &[
        (END, 0, b"xx", &[], "no end of the archive"),
        (END, 4, b"\x01", &[], "several parts"),
        (END, 10, b"\x07", &all, "another number of entries"),
        (END, 12, b"\xff\xff\xff\x7f", &[], "no directory where the end says"),
        (END, 12, b"\x05", &[], "another number of entries"),
        (ENTRY, 0, b"xx", &[], "no directory where the end says"),
        (ENTRY, 28, b"\xff\xff", &[], "longer than the directory"),
        (ENTRY, 8, b"\x01", &all[1..], "an encrypted entry"),
        (ENTRY, 10, b"\x0c", &all[1..], "compression method 12"),
        (ENTRY, 16, b"\x01\x02\x03", &all[1..], "size or checksum"),
        (ENTRY, 20, b"\x07", &all[1..], "a stored entry of two sizes"),
        (ENTRY, 20, b"\xff\xff\xff\xff", &[], "sizes of an entry"),
        (ENTRY, 42, b"\xff\xff\xff", &all[1..], "outside of the archive"),
        (ENTRY, 42, b"\x01", &all[1..], "no header of an entry"),
        (LOCAL, 0, b"xx", &all[1..], "no header of an entry"),
        (LOCAL, 26, b"\xff\xff", &all[1..], "longer than the archive"),
    ];
    for (mark, at, with, read, why) in cases {
        let Some((found, problem)) = changed(mark, *at, with) else { return };
        assert_eq!(found, *read, "{why}: {problem}");
        assert!(problem.contains(why), "{problem} instead of {why}");
    }
}

#[test]
fn an_archive_that_was_cut_off_is_damaged_and_not_something_else() {
    let Some(bytes) = python(SMALL) else { return };
    for length in 4..bytes.len() {
        let problem = listed(&bytes[..length]).1.unwrap();
        assert!(matches!(problem, Error::Corrupt { .. }), "{problem} at {length}");
    }
}

#[test]
fn no_byte_that_is_turned_makes_a_panic_or_a_wrong_content() {
    let Some(bytes) = python(SMALL) else { return };
    let right = small();
    for at in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut bytes = bytes.clone();
            bytes[at] ^= bit;
            for (_, data) in listed(&bytes).0 {
                assert!(right.iter().any(|(_, right)| *right == data), "a wrong content at {at}");
            }
        }
    }
}

#[test]
fn a_bomb_costs_nothing() {
    let script = r#"
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
    made.writestr("bomb", bytes(100 << 20))
"#;
    let Some(mut bytes) = python(script) else { return };
    let read = |bytes: &[u8], most| {
        let archive = Archive::open(Arc::new(bytes.to_vec())).unwrap();
        let entry = archive.entries().next().unwrap().unwrap();
        archive.read(&entry, most).unwrap_err().to_string()
    };
    assert!(read(&bytes, 1 << 20).contains("more than the 1048576 that are read"));
    assert!(read(&bytes, 1 << 30).contains("more than 200 times as many"));
    // One that says that it is small.
    let entry = find(&bytes, ENTRY);
    bytes[entry + 24..entry + 28].copy_from_slice(&1000u32.to_le_bytes());
    assert!(read(&bytes, 1 << 20).contains("longer than it says"));
}
