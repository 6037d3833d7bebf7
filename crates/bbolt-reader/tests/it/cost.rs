//! How little of a large file is read.

use crate::listing::LIMITS;
use crate::witness::made;
use bbolt_reader::Database;
use block_source::{BlockSource, ReadError};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use test_material::Counting;

#[test]
fn a_lookup_takes_a_page_of_each_level() {
    let Some(made) = made("many", 4096) else { return };
    let device = Counting::new(made.bytes());
    let database = Database::open(Arc::new(device.clone()), LIMITS).unwrap();
    assert_eq!(device.take().bytes, 2 * 64);
    let many = database.root().bucket(b"many").unwrap().unwrap();
    assert_eq!(device.take().bytes, 4096);
    let key = many.entries().nth(5000).unwrap().unwrap().key().to_vec();
    device.take();
    assert!(many.get(&key).unwrap().is_some());
    assert!(device.take().bytes <= 4 * 4096);
}

/// Values that are not wanted are not read, nor is a page twice.
#[test]
fn entries_take_their_pages_once() {
    let Some(made) = made("large", 4096) else { return };
    let device = Counting::new(made.bytes());
    let database = Database::open(Arc::new(device.clone()), LIMITS).unwrap();
    let values = database.root().bucket(b"values").unwrap().unwrap();
    device.take();
    assert_eq!(values.get(b"value-9").unwrap().unwrap().len(), 3);
    let taken = device.take();
    assert!(taken.bytes < 20 * 4096, "{taken:?}");
    assert_eq!(values.entries().count(), 10);
    let taken = device.take();
    let length = (1 << 20) + 17 + 12288 + 12272 + 4096 + 65536 + 65520 + 200_000;
    assert!(taken.bytes < length + 20 * 4096, "{taken:?}");
}

/// Notes of what it was told.
struct Told {
    bytes: Vec<u8>,
    ranges: Mutex<Vec<Range<u64>>>,
}

impl BlockSource for Told {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        self.bytes.read_exact_at(offset, out)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.ranges.lock().unwrap().extend_from_slice(ranges);
    }
}

/// So that a slow source fetches the pages below a branch at once.
#[test]
fn the_source_is_told_of_the_pages_below_a_branch() {
    let Some(made) = made("many", 4096) else { return };
    let told = Arc::new(Told { bytes: made.bytes(), ranges: Mutex::default() });
    let database = Database::open(told.clone(), LIMITS).unwrap();
    let many = database.root().bucket(b"many").unwrap().unwrap();
    assert!(many.get(b"key-0000000").is_ok());
    assert_eq!(told.ranges.lock().unwrap().len(), 0);
    assert_eq!(many.entries().count(), 11418);
    let ranges = told.ranges.lock().unwrap();
    assert!(ranges.len() > 300 && ranges.iter().all(|range| range.end - range.start == 4096));
}
