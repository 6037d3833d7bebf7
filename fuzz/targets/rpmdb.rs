//! rpm databases and headers: arbitrary bytes as a database with its log, or as a header, as
//! `fuzz/seeds/rpmdb` writes them. Nothing may panic, run away, or give more than there is.

#![no_main]

use block_source::BlockSource;
use libfuzzer_sys::fuzz_target;
use rpmdb_reader::{Beside, Database, Files, Package, Tables};
use std::sync::Arc;

const SEALED: u8 = 1;
const HEADER: u8 = 2;

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    if *kind == HEADER {
        return parse(rest);
    }
    let Some((length, rest)) = rest.split_first_chunk() else { return };
    let length = (u32::from_le_bytes(*length) as usize).min(rest.len());
    let (database, log) = rest.split_at(length);
    let mut log = log.to_vec();
    if *kind == SEALED {
        seal(&mut log);
    }
    let wal = Some(Arc::new(log) as Arc<dyn BlockSource>);
    let beside = Beside { wal, journal: None };
    if let Ok(tables) = Tables::open(Arc::new(database.to_vec()), beside.clone()) {
        rows(&tables, data.len());
    }
    let Ok(database) = Database::open(Arc::new(database.to_vec()), beside) else { return };
    let mut given = 0;
    for header in database.headers().flatten() {
        // A page may be given twice, with a word.
        given += header.bytes.len();
        assert!(given <= 4 * data.len(), "{given} bytes of headers from {}", data.len());
        parse(&header.bytes);
    }
});

/// Reads a table as one of dnf's history is read.
fn rows(tables: &Tables, most: usize) {
    let Ok(Some(table)) = tables.table("Packages") else { return };
    let column = table.column("hnum").unwrap_or_default();
    let mut given = 0;
    for row in table.flatten() {
        given += 1;
        let _ = (row.integer(column), row.key(column), row.text(1));
    }
    assert!(given <= most, "{given} rows from {most} bytes");
}

fn parse(header: &[u8]) {
    for files in [Files::Wanted, Files::Left] {
        let Ok(package) = Package::parse(header, files) else { continue };
        assert!(package.name.len() <= 3 * header.len());
        let mut names = 0;
        for file in package.files.iter() {
            names += file.name.len();
            assert!(file.path().len() <= 8192);
        }
        assert!(names <= header.len());
    }
}

/// Makes the checksums of a log hold, so that what stands behind them is reached.
fn seal(log: &mut [u8]) {
    let Some((head, frames)) = log.split_first_chunk_mut::<32>() else { return };
    let big = head[3] & 1 == 1;
    let mut sums = sum(big, (0, 0), &head[..24]);
    put(&mut head[24..], sums);
    let salts: [u8; 8] = std::array::from_fn(|index| head[16 + index]);
    let size = u32::from_be_bytes(std::array::from_fn(|index| head[8 + index])) as usize;
    if size > 65536 {
        return;
    }
    for frame in frames.chunks_exact_mut(24 + size) {
        frame[8..16].copy_from_slice(&salts);
        sums = sum(big, sum(big, sums, &frame[..8]), &frame[24..]);
        put(&mut frame[16..], sums);
    }
}

fn put(to: &mut [u8], (first, second): (u32, u32)) {
    to[..4].copy_from_slice(&first.to_be_bytes());
    to[4..8].copy_from_slice(&second.to_be_bytes());
}

fn sum(big: bool, (mut first, mut second): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word =
        |bytes: [u8; 4]| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    for [a, b, c, d, e, f, g, h] in bytes.as_chunks::<8>().0 {
        first = first.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(second);
        second = second.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(first);
    }
    (first, second)
}
