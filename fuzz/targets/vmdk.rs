//! vmdk images: arbitrary bytes as a sparse extent, or as a descriptor.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;
use std::os::unix::fs::FileExt;

fuzz_target!(|data: &[u8]| {
    let magic = if data.first() == Some(&b'#') { &b"# Disk DescriptorFile\n"[..] } else { b"KDMV" };
    image::open(|file| {
        file.write_all_at(data, 0)?;
        file.write_all_at(magic, 0)
    });
});
