//! EROFS: arbitrary bytes as an image, through the adapter, which catches what the crate `erofs-rs`
//! panics on.

#![no_main]

#[path = "support/adapter.rs"]
mod adapter;
#[path = "support/mutator.rs"]
mod mutator;
#[path = "support/panics.rs"]
mod panics;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use std::sync::Arc;

fuzz_target!(init: panics::only_ours(), |data: &[u8]| {
    adapter::look("erofs", Arc::new(data.to_vec()));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutator::near_used(data, size, max_size, seed, 0)
});
