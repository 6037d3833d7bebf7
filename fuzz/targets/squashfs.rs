//! squashfs: arbitrary bytes as an image, through the adapter.

#![no_main]

#[path = "support/adapter.rs"]
mod adapter;
#[path = "support/mutator.rs"]
mod mutator;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use std::sync::Arc;

fuzz_target!(|data: &[u8]| adapter::look("squashfs", Arc::new(data.to_vec())));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutator::near_used(data, size, max_size, seed, 0)
});
