//! The Debian security tracker's file: arbitrary bytes as its JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::advisory::feeds::{AdvisoryFeed, debian::Debian};

fuzz_target!(|data: &[u8]| {
    let mut records = 0_u64;
    if let Ok(summary) = Debian.parse(&mut &*data, &mut |_| records += 1) {
        assert!(summary.records <= records);
    }
});
