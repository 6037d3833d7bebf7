//! Registry hives: arbitrary bytes as a hive with its logs, as `fuzz/seeds/regf` writes them. Nothing
//! may panic, run away, or give more than there is.

#![no_main]

use block_source::BlockSource;
use libfuzzer_sys::fuzz_target;
use regf_reader::{Hive, Key, Logs};
use std::sync::Arc;

fuzz_target!(|data: &[u8]| {
    let Some((hive, rest)) = take(data) else { return };
    let Some((log1, log2)) = take(rest) else { return };
    let mut files = [hive.to_vec(), log1.to_vec(), log2.to_vec()];
    files.iter_mut().for_each(|file| seal(file));
    let [hive, log1, log2] = files.map(|file| Arc::new(file) as Arc<dyn BlockSource>);
    let Ok(hive) = Hive::open(hive, Logs { log1: Some(log1), log2: Some(log2) }) else { return };
    hive.check_bins();
    let Ok(root) = hive.root() else { return };
    let (mut keys, mut given) = (vec![root], 0);
    while let Some(key) = keys.pop() {
        given += read(&key);
        keys.extend(key.subkeys().keys);
        // A key has 80 bytes at least, but cells may overlap; a name is three times its bytes at most.
        assert!(keys.len() <= data.len(), "{} keys from {} bytes", keys.len(), data.len());
        assert!(given <= 1000 * data.len(), "{given} bytes from {}", data.len());
    }
});

/// Reads all of a key, and looks up its names; the bytes that it gave.
fn read(key: &Key) -> usize {
    let mut given = key.name().len();
    given += key.class_name().ok().flatten().map_or(0, |class| class.text.len());
    for value in key.values().values {
        given += value.name().len();
        given += value.data().map_or(0, |data| data.len());
        drop(value.decode());
    }
    for below in key.subkeys().keys.iter().take(3) {
        if below.name_is_exact() {
            assert!(key.subkey(below.name()).is_ok_and(|found| found.is_some()));
        }
    }
    drop(key.value("v"));
    drop(key.path("a\\b"));
    given
}

/// A file behind its length in 32 bits.
fn take(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = data.split_first_chunk()?;
    Some(rest.split_at((u32::from_le_bytes(*length) as usize).min(rest.len())))
}

/// Makes the checksum of a base block and the hashes of log entries hold, so that what stands behind
/// them is reached.
fn seal(file: &mut [u8]) {
    let Some(start) = file.get_mut(..512) else { return };
    let sum = words(&start[..508]).fold(0, |sum, word| sum ^ word);
    start[508..].copy_from_slice(&sum.to_le_bytes());
    let mut at = 512;
    while let Some(entry) = file.get_mut(at..).filter(|entry| entry.starts_with(b"HvLE")) {
        let size = entry.get(4..8).and_then(|size| words(size).next()).unwrap_or(0) as usize;
        let Some(entry) = entry.get_mut(..size).filter(|entry| entry.len() >= 40) else { return };
        let first = marvin(&entry[40..]).to_le_bytes();
        entry[24..32].copy_from_slice(&first);
        let second = marvin(&entry[..32]).to_le_bytes();
        entry[32..40].copy_from_slice(&second);
        at += size;
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word))
}

fn marvin(bytes: &[u8]) -> u64 {
    let (mut low, mut high) = (0x7a4e_55c5u32, 0x82ef_4d88u32);
    for word in words(bytes).chain([0x80, 0]) {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    }
    u64::from(high) << 32 | u64::from(low)
}
