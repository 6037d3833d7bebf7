//! btrfs on one device: a disk of which some pages are arbitrary bytes, through the adapter, which
//! catches what the crate `rust-fs-btrfs` panics on. Half of the inputs get checksums that hold, so
//! that what stands behind them is reached; nodes of the seeds have the size of a page.

#![no_main]

#[path = "support/adapter.rs"]
mod adapter;
#[path = "support/mutator.rs"]
mod mutator;
#[path = "support/pages.rs"]
mod pages;
#[path = "support/panics.rs"]
mod panics;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pages::{PAGE, Pages};
use std::sync::Arc;

/// The page of the superblock.
const SUPERBLOCK: u64 = 16;

fuzz_target!(init: panics::only_ours(), |data: &[u8]| {
    let Some((mut disk, is_sealed)) = Pages::parse(data) else { return };
    if is_sealed {
        seal(&mut disk);
    }
    adapter::look("btrfs", Arc::new(disk));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutator::near_used(data, size, max_size, seed, 1)
});

/// Gives the superblock and all blocks of trees the checksum of what they now are.
fn seal(disk: &mut Pages) {
    let Some(superblock) = disk.pages.get(&SUPERBLOCK) else { return };
    let filesystem = superblock[32..48].to_vec();
    for (index, page) in &mut disk.pages {
        let is_block = page[32..48] == filesystem && page[48..56] != [0; 8];
        if *index == SUPERBLOCK || is_block {
            let sum = crc32c::crc32c(&page[32..PAGE]);
            page[..4].copy_from_slice(&sum.to_le_bytes());
        }
    }
}
