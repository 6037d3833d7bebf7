//! vmdk images: arbitrary bytes as a sparse extent, or as a descriptor.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let magic = if data.first() == Some(&b'#') { &b"# Disk DescriptorFile\n"[..] } else { b"KDMV" };
    image::open_with(magic, 0, data);
});
