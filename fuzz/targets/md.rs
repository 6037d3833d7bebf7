//! Linux md: arbitrary bytes as several disks. Nothing may panic, run away, or contradict itself.
//! Checksums are taken as they are.

#![no_main]

#[path = "support/disks.rs"]
mod disks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(devices) = disks::parse(data) else { return };
    for device in &devices {
        let _ = md_reader::claims(&*device.source);
    }
    for array in md_reader::assemble(&devices).arrays {
        match &array.source {
            Some(source) => disks::look(&**source),
            None => assert!(!array.problems.is_empty()),
        }
    }
});
