//! One damage for each check.

use crate::maker::{Log, MOST, Made, SHAPES, made};
use journal_reader::{Error, Journal};
use std::sync::Arc;

fn file() -> Option<Made> {
    made(&Log { boots: 2, entries: 120 }.export(), SHAPES[3])
}

fn number(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn open(bytes: &[u8]) -> Result<Journal, Error> {
    Journal::open(Arc::new(bytes.to_vec()), MOST)
}

/// Where the object of a type is whose bytes behind the fixed part are these.
fn object(bytes: &[u8], kind: u8, fixed: usize, text: &[u8]) -> usize {
    let mut at = number(bytes, 88);
    loop {
        let size = number(bytes, at + 8);
        assert!(size > 0, "there is none");
        if bytes[at] == kind && bytes[at + fixed..at + size].starts_with(text) {
            return at;
        }
        at += size.next_multiple_of(8);
    }
}

#[test]
fn headers_that_are_wrong() {
    let Some(made) = file() else { return };
    let whole = made.bytes();
    for (at, value) in [(0, 0), (88, 100), (88, 1 << 40), (88, 209), (96, 0)] {
        let mut bytes = whole.clone();
        put(&mut bytes, at, value);
        assert!(matches!(open(&bytes), Err(Error::Corrupt { .. })), "{value} at {at}");
    }
    let mut bytes = whole.clone();
    bytes[13] = 1;
    assert!(matches!(open(&bytes), Err(Error::Unsupported { .. })));
    for length in [0, 7, 8, 100, 207] {
        assert!(open(&whole[..length]).is_err(), "{length}");
    }
}

#[test]
fn tables_that_are_not_in_the_file() {
    let Some(made) = file() else { return };
    for (at, value) in [(104, u64::MAX), (104, 1 << 40), (112, 0), (112, 15)] {
        let mut bytes = made.bytes();
        put(&mut bytes, at, value);
        assert!(open(&bytes).unwrap().find(b"PRIORITY=1").is_err(), "{value} at {at}");
        // Those of fields stand behind those of values.
        let mut bytes = made.bytes();
        put(&mut bytes, at + 16, value);
        assert!(open(&bytes).unwrap().values(b"PRIORITY").problem.is_some());
    }
}

#[test]
fn lists_that_turn_back_end() {
    let Some(made) = file() else { return };
    let whole = made.bytes();
    let newest = object(&whole, 1, 72, b"PRIORITY=7");
    let mut bytes = whole.clone();
    put(&mut bytes, newest + 32, newest as u64);
    let values = open(&bytes).unwrap().values(b"PRIORITY");
    assert_eq!((values.values.len(), values.problem.is_some()), (1, true));

    // Another hash, so that the bucket's list is gone along.
    let mut bytes = whole.clone();
    bytes[newest + 16] ^= 1;
    put(&mut bytes, newest + 24, newest as u64);
    assert!(open(&bytes).unwrap().find(b"PRIORITY=7").is_err());

    let mut bytes = whole.clone();
    let array = number(&whole, newest + 48);
    put(&mut bytes, array + 16, array as u64);
    let mut journal = open(&bytes).unwrap();
    let value = journal.find(b"PRIORITY=7").unwrap().unwrap();
    let entries = journal.oldest(&value, 100);
    assert!(entries.problem.is_some() && entries.places.len() > 1);
}

#[test]
fn what_is_not_damaged_is_read() {
    let Some(made) = file() else { return };
    let whole = made.bytes();
    // The first words of the kernel are in the third entry; the message of the first is lost.
    let message = object(&whole, 1, 72, b"MESSAGE=message 0 of 1");
    for (at, value) in [(8, 1 << 50), (8, 3), (0, 7), (8, u64::MAX)] {
        let mut bytes = whole.clone();
        put(&mut bytes, message + at, value);
        let found = open(&bytes).unwrap().newest_beginning().unwrap().unwrap();
        assert!(found.kernel.is_some() && found.problem.is_none());
    }
    // That of the kernel's words itself: they may be there, and it is told.
    let message = object(&whole, 1, 72, b"MESSAGE=Linux version 6.1.1");
    let mut bytes = whole.clone();
    put(&mut bytes, message + 8, 3);
    let found = open(&bytes).unwrap().newest_beginning().unwrap().unwrap();
    assert!(found.kernel.is_none() && found.problem.is_some());
}

#[test]
fn a_value_of_more_than_is_read() {
    let Some(made) = file() else { return };
    let mut bytes = made.bytes();
    let message = object(&bytes, 1, 72, b"MESSAGE=message 0 of 1");
    put(&mut bytes, message + 8, 2 << 20);
    let found = open(&bytes).unwrap().find(b"MESSAGE=message 0 of 1");
    assert!(matches!(found, Err(Error::TooLarge { .. })), "{found:?}");
}

#[test]
fn a_bomb_is_not_unpacked() {
    let Some(made) = file() else { return };
    let whole = made.bytes();
    let packed = (0..2).map(|boot| format!("MESSAGE=7 of {boot}"));
    let packed = packed.map(|text| text + " " + &"is a long story. ".repeat(200));
    for text in packed {
        let mut journal = open(&whole).unwrap();
        let value = journal.find(text.as_bytes()).unwrap().unwrap();
        assert_eq!(journal.text(&value).unwrap(), text.as_bytes());
    }
    // An unpacked length of sixteen exabytes, in the words of lz4.
    let mut bytes = whole.clone();
    let at = object(&whole, 1, 72, &[0x28, 0xb5, 0x2f, 0xfd]);
    bytes[at + 1] = 2;
    put(&mut bytes, at + 72, u64::MAX >> 1);
    let mut journal = open(&bytes).unwrap();
    let values = journal.values(b"MESSAGE").values;
    let texts: Vec<_> = values.iter().map(|value| journal.text(value)).collect();
    assert_eq!(texts.iter().filter(|text| text.is_err()).count(), 1);
}

/// Values that cannot be unpacked cost something, so that a file full of them ends.
#[test]
fn work_for_what_cannot_be_unpacked_is_bounded() {
    let Some(made) = file() else { return };
    let mut bytes = made.bytes();
    let at = object(&bytes, 1, 72, &[0x28, 0xb5, 0x2f, 0xfd]);
    bytes[at + 80..at + 90].fill(0xff);
    let mut journal = Journal::open(Arc::new(bytes.clone()), 1 << 20).unwrap();
    let values = journal.values(b"MESSAGE").values;
    let value = values.iter().find(|value| journal.text(value).is_err()).copied().unwrap();
    let mut last = Ok(Vec::new());
    for _ in 0..20 {
        last = journal.text(&value);
    }
    assert!(matches!(last, Err(Error::Budget { .. })));
}
