//! Databases of bbolt, as `fuzz/seeds/bbolt` writes them: if the first byte is odd, the checksums of the
//! meta pages are made to hold. Nothing may panic, run away, or read more than it may.

#![no_main]

use bbolt_reader::{Bucket, Database, Entry, Limits};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

const LIMITS: Limits = Limits { value: 64 << 10, read: 4 << 20 };
const META: usize = 64;

fuzz_target!(|data: &[u8]| {
    let Some((seals, file)) = data.split_first() else { return };
    let mut file = file.to_vec();
    if seals % 2 == 1 {
        for start in [0].into_iter().chain((10..=16).map(|bits| 1 << bits)) {
            seal(&mut file, start + 16);
        }
    }
    let Ok(database) = Database::open(Arc::new(file), LIMITS) else { return };
    let mut names = Vec::new();
    walk(&database.root(), &mut names);
    for name in &names {
        drop(database.root().get(name));
        drop(database.root().bucket(name));
        database.root().seek(&name[..name.len() / 2]).for_each(drop);
    }
    if let Some(older) = database.older() {
        walk(&older.root(), &mut names);
    }
});

fn walk(bucket: &Bucket, names: &mut Vec<Vec<u8>>) {
    for entry in bucket.entries() {
        match entry {
            Ok(Entry::Bucket { bucket, .. }) => walk(&bucket, names),
            Ok(Entry::Value { key, value }) => {
                assert!(value.len() as u64 <= LIMITS.value);
                if names.len() < 20 {
                    names.push(key);
                }
            }
            Err(_) => {}
        }
    }
}

/// Only where a meta page may be: of its 64 bytes the last 8 are FNV-1a of the others.
fn seal(file: &mut [u8], start: usize) {
    let Some(meta) = file.get_mut(start..start + META) else { return };
    if meta[..4] != 0xed0c_daed_u32.to_le_bytes() {
        return;
    }
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = meta[..META - 8].iter().fold(0xcbf2_9ce4_8422_2325, step);
    meta[META - 8..].copy_from_slice(&hash.to_le_bytes());
}
