//! CISA's catalogue of known exploited vulnerabilities: arbitrary bytes as its JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::advisory::feeds::{AdvisoryFeed, kev::Kev};

fuzz_target!(|data: &[u8]| {
    let mut records = 0_u64;
    if let Ok(summary) = Kev.parse(&mut &*data, &mut |_| records += 1) {
        assert!(summary.records <= records);
    }
});
