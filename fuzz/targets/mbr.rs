//! Master boot records and the chain of extended partitions: arbitrary bytes as a disk.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::block::Device;
use sidelight::volume::{VolumeFormat, mbr::Mbr};
use std::sync::Arc;

fuzz_target!(|data: &[u8]| {
    let device = Device::new("disk", Arc::new(data.to_vec()));
    let _ = Mbr.claims(&device);
    for volume in Mbr.assemble(std::slice::from_ref(&device)).found {
        let _ = volume.device.read_up_to(0, 4096);
    }
});
