//! Files that are mostly holes and say that they are large: neither memory nor time may follow.

use block_source::{BlockSource, ReadError, check_bounds};
use rpmdb_reader::{Beside, Database};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Some bytes, and zeroes up to a size.
struct Holes {
    start: Vec<u8>,
    size: u64,
    read: AtomicU64,
}

impl BlockSource for Holes {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        self.read.fetch_add(out.len() as u64, Ordering::Relaxed);
        for (index, byte) in out.iter_mut().enumerate() {
            let at = usize::try_from(offset).unwrap() + index;
            *byte = self.start.get(at).copied().unwrap_or(0);
        }
        Ok(())
    }
}

/// Reads it all; gives how many headers and errors there were.
fn check(start: Vec<u8>, most: u64) -> (usize, usize) {
    let source = Arc::new(Holes { start, size: 1 << 52, read: AtomicU64::new(0) });
    let found = match Database::open(source.clone(), Beside::default()) {
        Ok(database) => {
            let (good, bad): (Vec<_>, Vec<_>) = database.headers().partition(Result::is_ok);
            (good.len(), bad.len() + database.problems().len())
        }
        Err(_) => (0, 1),
    };
    let read = source.read.load(Ordering::Relaxed);
    assert!(read < most, "{read}");
    found
}

fn little(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

fn big(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
}

#[test]
fn of_ndb() {
    let mut start = crate::damage::ndb();
    little(&mut start, 12, u32::MAX);
    assert_eq!(check(start, 16 << 20), (0, 102));
    // A header of 256 MiB that begins and does not end.
    let mut start = crate::damage::ndb();
    let block = u32::from_le_bytes(start[40..44].try_into().unwrap()) as usize * 16;
    little(&mut start, 44, 16 << 20);
    little(&mut start, block + 12, (256 << 20) - 28);
    assert_eq!(check(start, 16 << 20), (6, 1));
}

#[test]
fn of_berkeley_db() {
    let mut start = crate::damage::bdb();
    little(&mut start, 32, u32::MAX);
    little(&mut start, 72, u32::MAX - 1);
    let (good, bad) = check(start, 256 << 20);
    assert!(good == 7 && bad == 1000, "{good} {bad}");
    // All of the rest are free pages, as many as there can be.
    let mut start = crate::damage::bdb();
    little(&mut start, 32, u32::MAX);
    assert_eq!(check(start, 256 << 20), (7, 0));
}

#[test]
fn of_sqlite() {
    let Some(mut start) = crate::damage::sqlite() else { return };
    big(&mut start, 28, u32::MAX);
    assert_eq!(check(start.clone(), 16 << 20), (8, 0));
    // A row of 4 GiB.
    let page = 4096;
    let at = page + if start[page] == 5 { 12 } else { 8 };
    let cell = page + usize::from(u16::from_be_bytes([start[at], start[at + 1]]));
    let cell = match start[page] {
        5 => {
            let child = u32::from_be_bytes(start[cell..cell + 4].try_into().unwrap());
            let child = (child as usize - 1) * 4096;
            child + usize::from(u16::from_be_bytes([start[child + 8], start[child + 9]]))
        }
        _ => cell,
    };
    start[cell..cell + 5].copy_from_slice(&[0x8f, 0xff, 0xff, 0xff, 0x7f]);
    let (good, bad) = check(start, 16 << 20);
    assert!(good == 7 && bad > 0, "{good} {bad}");
}
