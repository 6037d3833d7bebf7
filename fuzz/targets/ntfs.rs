//! NTFS: a volume of which only some pages are told, the rest being zeroes; volumes are too large
//! to be told whole. `fuzz/seeds/ntfs` makes the seeds. Nothing may panic, run away, or contradict
//! itself.
//!
//! An input is a sequence of pages: a number of 16 bits, and the 512 bytes of that page.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use ntfs_reader::{File, FileReference, Kind, Ntfs};
use std::collections::BTreeSet;
use std::sync::Arc;

const PAGE: usize = 512;
const PAGES: usize = 6 << 11;
const MOST_FILES: usize = 150;
const MOST_ENTRIES: usize = 40;

fuzz_target!(|data: &[u8]| {
    let mut device = vec![0; PAGES * PAGE];
    for piece in data.chunks_exact(2 + PAGE) {
        let page = usize::from(u16::from_le_bytes([piece[0], piece[1]])) % PAGES;
        device[page * PAGE..(page + 1) * PAGE].copy_from_slice(&piece[2..]);
    }
    let device = Arc::new(device);
    let _ = (Ntfs::claims(&*device), Ntfs::claims_backup(&*device));
    if let Ok(ntfs) = Ntfs::open(device) {
        let _ = (ntfs.health(), ntfs.volume(), ntfs.log(), ntfs.is_hibernated());
        let _ = ntfs.missing_bytes();
        walk(&ntfs);
    }
});

// Most of a volume is zeroes that nothing reads: bytes near others are changed more often.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut state = u64::from(seed) << 1 | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    if size < 64 || next() % 8 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    for _ in 0..=next() % 4 {
        let start = next() % size;
        let used = (start..size).chain(0..start).find(|at| data[*at] != 0).unwrap_or(start);
        let at = (used / 16 * 16 + next() % 16).min(size - 1);
        data[at] = match next() % 6 {
            0 => 0,
            1 => 0xff,
            2 => data[at].wrapping_add(1),
            3 => data[at].wrapping_sub(1),
            4 => data[at] ^ 1 << (next() % 8),
            _ => next() as u8,
        };
    }
    size
});

fn walk(ntfs: &Ntfs) {
    // Records that no directory names are files too.
    let mut todo: Vec<_> = (24..80).map(FileReference).collect();
    todo.push(ntfs.root());
    let mut seen = BTreeSet::new();
    while let Some(reference) = todo.pop() {
        if seen.len() > MOST_FILES || !seen.insert(reference.number()) {
            continue;
        }
        let Ok(file) = ntfs.file(reference) else { continue };
        look(ntfs, &file);
        if file.kind == Kind::Directory {
            todo.extend(list(ntfs, &file));
        }
    }
}

fn look(ntfs: &Ntfs, file: &File) {
    let _ = (file.names(), file.links(), file.reparse(), ntfs.locate(file.reference));
    let mut bytes = vec![0; 70_000];
    for offset in [0, file.size / 2 + 1, file.size.saturating_sub(5000)] {
        let read = ntfs.read_at(file, offset, &mut bytes);
        assert!(read.is_err() || read.unwrap() as u64 <= file.size.saturating_sub(offset));
    }
    for stream in file.streams().iter().take(3) {
        let _ = ntfs.read_stream_at(file, &stream.name, 0, &mut bytes);
    }
    let _ = (ntfs.read_link(file), ntfs.ranges(file, 0, file.size.min(1 << 30)));
}

/// The files that a folder names.
fn list(ntfs: &Ntfs, folder: &File) -> Vec<FileReference> {
    let _ = ntfs.lookup(folder, b"no such name");
    let Ok(listing) = ntfs.read_dir(folder) else { return Vec::new() };
    for entry in listing.entries.iter().take(MOST_ENTRIES) {
        assert!(!entry.name.is_empty() && !entry.name.contains(&b'/'));
        let _ = (ntfs.lookup(folder, &entry.name), ntfs.lookup_exact(folder, &entry.name));
    }
    listing.entries.iter().take(MOST_ENTRIES).map(|entry| entry.file).collect()
}
