//! LVM2: arbitrary bytes as several disks. Nothing may panic, run away, or contradict itself.
//! Checksums are taken as they are.

#![no_main]

#[path = "support/disks.rs"]
mod disks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(devices) = disks::parse(data) else { return };
    for device in &devices {
        let _ = lvm2_reader::claims(&*device.source);
    }
    let assembly = lvm2_reader::assemble(&devices);
    for volume in assembly.groups.iter().flat_map(|group| &group.volumes).take(30) {
        match &volume.source {
            Some(source) => disks::look(&**source),
            None => assert!(!volume.problems.is_empty()),
        }
    }
});
