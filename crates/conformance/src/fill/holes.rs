//! Files in pieces: holes, blocks that are allocated and not written, thousands of extents.

use super::pattern;
use crate::Abilities;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

const PIECES: u64 = 3000;

pub fn holes(root: &Path, able: &Abilities) {
    fragments(root, able.block);
    if able.holes {
        sparse(root);
    }
    if able.unwritten {
        unwritten(root);
        punched(root, able.block);
    }
}

/// Every second block.
fn fragments(root: &Path, block: u64) {
    let file = File::create(root.join("fragments")).unwrap();
    for index in 0..PIECES {
        file.write_all_at(&pattern(100, index), index * 2 * block).unwrap();
    }
}

/// Holes at the start, in the middle and at the end. In block maps, the last island of `islands`
/// is behind three levels of pointers if blocks are of 1 KiB.
fn sparse(root: &Path) {
    let islands: [(&str, &[u64], u64); 5] = [
        ("islands", &[0, 300_000, 5_000_000, 69_000_001], 69_000_500),
        ("hole-at-the-start", &[1_000_000], 1_000_100),
        ("hole-at-the-end", &[0], 3_000_001),
        ("only-a-hole", &[], 1 << 20),
        ("six-gigabytes", &[5, (4 << 30) - 3, 5 << 30], 6 << 30),
    ];
    for (name, places, size) in islands {
        let file = File::create(root.join(name)).unwrap();
        file.set_len(size).unwrap();
        for at in places {
            file.write_all_at(b"island", *at).unwrap();
        }
    }
}

fn unwritten(root: &Path) {
    for (name, flags) in
        [("unwritten", FallocateFlags::empty()), ("reserved", FallocateFlags::KEEP_SIZE)]
    {
        let file = File::create(root.join(name)).unwrap();
        fallocate(&file, flags, 0, 1 << 20).unwrap();
        file.write_all_at(b"written", 500_000).unwrap();
    }
    let file = File::create(root.join("written-here-and-there")).unwrap();
    fallocate(&file, FallocateFlags::empty(), 0, 3 << 20).unwrap();
    for index in 0..200 {
        file.write_all_at(&pattern(5000, index), index * 15_000).unwrap();
    }
}

/// A whole file that lost every second block.
fn punched(root: &Path, block: u64) {
    let file = File::create(root.join("punched")).unwrap();
    file.write_all_at(&pattern(2 * PIECES * block, 3), 0).unwrap();
    file.sync_all().unwrap();
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    for index in 0..PIECES {
        fallocate(&file, punch, index * 2 * block, block).unwrap();
    }
}
