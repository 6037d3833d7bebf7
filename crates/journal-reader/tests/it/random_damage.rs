//! Random damage: nothing panics, runs away, or reads more than it may.

use crate::maker::{Log, SHAPES, made};
use journal_reader::Journal;
use std::sync::Arc;
use test_material::Counting;

const ROUNDS: usize = 1000;
const MOST: u64 = 2 << 20;

#[test]
fn random_damage_does_no_harm() {
    for shape in SHAPES {
        let Some(made) = made(&Log { boots: 3, entries: 60 }.export(), shape) else { return };
        let whole = made.bytes();
        // Zeroes follow what was written.
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let table = whole.len().min(4 << 20);
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..ROUNDS {
            let mut bytes = whole[..used].to_vec();
            for _ in 0..random.usize(1..20) {
                damage(&mut bytes, &mut random, table);
            }
            bytes.truncate(if random.u8(..10) == 0 { random.usize(..used) } else { used });
            read(bytes);
        }
    }
}

/// A random byte, a random number or a number of the file at another place; mostly in the header or
/// behind the hash tables, which are nearly empty.
fn damage(bytes: &mut [u8], random: &mut fastrand::Rng, table: usize) {
    let behind = table.min(bytes.len() - 9)..bytes.len() - 8;
    let place = |random: &mut fastrand::Rng| match random.u8(..4) {
        0 => random.usize(..272),
        _ => random.usize(behind.clone()),
    };
    let (at, from) = (place(random) / 8 * 8, place(random) / 8 * 8);
    match random.u8(..4) {
        0 => bytes[at + random.usize(..8)] = random.u8(..),
        1 => bytes[at..at + 8].copy_from_slice(&random.u64(..).to_le_bytes()),
        2 => bytes[at..at + 8].copy_from_slice(&random.u64(..1 << 12).to_le_bytes()),
        _ => bytes.copy_within(from..from + 8, at),
    }
}

fn read(bytes: Vec<u8>) {
    let device = Counting::new(bytes);
    let Ok(mut journal) = Journal::open(Arc::new(device.clone()), MOST) else { return };
    drop(journal.newest_beginning());
    for boot in journal.boots().boots {
        drop(journal.beginning(boot.id));
    }
    drop(journal.find(b"_TRANSPORT=kernel"));
    for value in journal.values(b"MESSAGE").values {
        drop(journal.text(&value));
        let entries = journal.newest(&value, 10).places;
        entries
            .iter()
            .filter_map(|place| journal.entry(*place).ok())
            .collect::<Vec<_>>()
            .iter()
            .for_each(|entry| drop(journal.fields(entry)));
    }
    assert!(device.take().bytes <= MOST);
}
