//! Journal files: 8 MiB, some of whose sectors are arbitrary bytes, as `fuzz/seeds/journal` writes them.
//! Nothing may panic, run away, or give more than may be read.

#![no_main]

use block_source::{BlockSource, ReadError, check_bounds};
use journal_reader::Journal;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::sync::Arc;

const SIZE: u64 = 8 << 20;
const SECTOR: usize = 512;
const MOST: u64 = 4 << 20;

fuzz_target!(|data: &[u8]| {
    let Ok(mut journal) = Journal::open(Arc::new(Sparse::new(data)), MOST) else { return };
    drop(journal.newest_beginning());
    for boot in journal.boots().boots {
        drop(journal.beginning(boot.id));
    }
    let mut given = 0;
    for field in [b"_BOOT_ID".as_slice(), b"MESSAGE", b"_TRANSPORT", b"PRIORITY"] {
        for value in journal.values(field).values {
            let Ok(text) = journal.text(&value) else { continue };
            given += text.len();
            drop(journal.find(&text));
            for place in journal.newest(&value, 3).places {
                let Ok(entry) = journal.entry(place) else { continue };
                drop(journal.field(&entry, b"MESSAGE"));
            }
        }
    }
    assert!(given as u64 <= MOST);
});

/// Sectors, each behind its number in 16 bits; all others are zeroes.
struct Sparse {
    sectors: BTreeMap<usize, Vec<u8>>,
}

impl Sparse {
    fn new(data: &[u8]) -> Self {
        let sector = |run: &[u8]| {
            let (number, bytes) = run.split_first_chunk()?;
            Some((u16::from_le_bytes(*number).into(), bytes.to_vec()))
        };
        Self { sectors: data.chunks(2 + SECTOR).filter_map(sector).collect() }
    }
}

impl BlockSource for Sparse {
    fn size(&self) -> u64 {
        SIZE
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(SIZE, offset, out.len())?;
        for (at, byte) in (offset as usize..).zip(out) {
            let sector = self.sectors.get(&(at / SECTOR));
            *byte = sector.and_then(|sector| sector.get(at % SECTOR)).copied().unwrap_or(0);
        }
        Ok(())
    }
}
