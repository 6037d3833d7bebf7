//! Random damage: nothing panics, runs away, or reads more than it may.

use crate::listing::{LIMITS, listing};
use crate::witness::made;
use bbolt_reader::{Bucket, Database, Entry, Limits};
use std::sync::Arc;
use test_material::Counting;

const ROUNDS: usize = 300;
const MOST: u64 = 16 << 20;

#[test]
fn random_damage_does_no_harm() {
    for (kind, page_size) in
        [("random", 1024), ("nested", 1024), ("counted", 4096), ("large", 8192)]
    {
        let Some(made) = made(kind, page_size) else { return };
        let whole = made.bytes();
        let mut random = fastrand::Rng::with_seed(7);
        let (mut opened, mut damaged) = (0, 0);
        for _ in 0..ROUNDS {
            let mut bytes = whole.clone();
            for _ in 0..random.usize(1..30) {
                damage(&mut bytes, &mut random, page_size as usize);
            }
            if random.u8(..10) == 0 {
                damage_metas(&mut bytes, &mut random, page_size as usize);
            }
            if random.u8(..10) == 0 {
                bytes.truncate(random.usize(..whole.len()));
            }
            if let Some(problems) = read(bytes) {
                (opened, damaged) = (opened + 1, damaged + usize::from(problems > 0));
            }
        }
        eprintln!("{kind}: {opened} of {ROUNDS} opened, {damaged} with problems");
        assert!(opened > ROUNDS / 2 && opened < ROUNDS && damaged > ROUNDS / 4);
    }
}

/// A random byte, a random number, or a number of the file at another place; mostly where pages begin.
fn damage(bytes: &mut [u8], random: &mut fastrand::Rng, page_size: usize) {
    let place = |random: &mut fastrand::Rng| {
        let page = random.usize(2..bytes.len() / page_size) * page_size;
        let within =
            if random.bool() { random.usize(..128) } else { random.usize(..page_size - 8) };
        page + within / 4 * 4
    };
    let (at, from) = (place(random), place(random));
    match random.u8(..6) {
        0 => bytes[at + random.usize(..4)] = random.u8(..),
        1 => bytes[at..at + 4].copy_from_slice(&random.u32(..).to_le_bytes()),
        2 => bytes[at..at + 4].copy_from_slice(&random.u32(..1 << 10).to_le_bytes()),
        3 => bytes[at] = bytes[at].wrapping_add(1),
        4 => {
            let (at, from) = (at / page_size * page_size, from / page_size * page_size);
            bytes.copy_within(from..from + page_size, at);
        }
        _ => bytes.copy_within(from..from + 8, at),
    }
}

/// Numbers that no checksum speaks against.
fn damage_metas(bytes: &mut [u8], random: &mut fastrand::Rng, page_size: usize) {
    for start in [16, page_size + 16] {
        let meta = &mut bytes[start..start + 64];
        let at = [8, 16, 40, 48][random.usize(..4)];
        let shift = random.u32(..64);
        meta[at..at + 8].copy_from_slice(&(random.u64(..) >> shift).to_le_bytes());
        crate::hand::seal(meta);
    }
}

/// How many problems there were.
fn read(bytes: Vec<u8>) -> Option<usize> {
    let device = Counting::new(bytes);
    let limits = Limits { read: MOST, ..LIMITS };
    let database = Database::open(Arc::new(device.clone()), limits).ok()?;
    let problems = walk(&database.root());
    for key in [b"bucket-1".as_slice(), b"small", b"key", b"\xff"] {
        drop(database.root().get(key));
        drop(database.root().bucket(key));
        database.root().seek(key).for_each(drop);
    }
    let older = database.older().map_or(0, |older| walk(&older.root()));
    assert!(device.take().bytes <= MOST);
    Some(problems + older)
}

fn walk(bucket: &Bucket) -> usize {
    let mut problems = 0;
    for entry in bucket.entries() {
        match entry {
            Ok(Entry::Bucket { bucket, .. }) => problems += walk(&bucket),
            Ok(Entry::Value { value, .. }) => assert!(value.len() as u64 <= LIMITS.value),
            Err(_) => problems += 1,
        }
    }
    problems
}

/// Each page of a file in its turn has no byte left that is right: what does not hang on it is all there.
#[test]
fn a_lost_page_costs_no_entry_of_another() {
    let Some(made) = made("random", 1024) else { return };
    let whole = made.bytes();
    let expected: std::collections::BTreeSet<_> =
        listing(whole.clone()).lines.into_iter().collect();
    let (mut lost, mut with_loss, mut altered) = (0, 0, 0);
    let pages = whole.len() / 1024;
    for page in (2..pages).step_by(7) {
        let mut bytes = whole.clone();
        bytes[1024 * page..1024 * (page + 1)].fill(0xa5);
        let found = listing(bytes);
        let is_known = |line: &&String| expected.contains(*line);
        // The middle of a value of several pages is no loss that can be seen.
        let changed = found.lines.iter().filter(|line| !is_known(line)).count();
        let missing = expected.len() - found.lines.iter().filter(is_known).count();
        assert!(missing <= changed || !found.problems.is_empty(), "page {page}");
        (lost, with_loss) = (lost + missing, with_loss + usize::from(missing > changed));
        altered += changed;
    }
    eprintln!("{with_loss} of {} pages lost {lost} lines, {altered} were altered", pages / 7);
    assert!(with_loss > 20);
}
