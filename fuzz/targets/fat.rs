//! FAT12, FAT16 and FAT32: a disk of which some pages are arbitrary bytes, through the adapter.

#![no_main]

#[path = "support/adapter.rs"]
mod adapter;
#[path = "support/mutator.rs"]
mod mutator;
#[path = "support/pages.rs"]
mod pages;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use std::sync::Arc;

fuzz_target!(|data: &[u8]| {
    if let Some((disk, _)) = pages::Pages::parse(data) {
        adapter::look("vfat", Arc::new(disk));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutator::near_used(data, size, max_size, seed, 2)
});
