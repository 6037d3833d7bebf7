//! vdi images: arbitrary bytes as a file, which always has the signature and a version.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;
use std::os::unix::fs::FileExt;

fuzz_target!(|data: &[u8]| {
    image::open(|file| {
        file.write_all_at(data, 0)?;
        file.write_all_at(b"\x7f\x10\xda\xbe\x01\0\x01\0", 0x40)
    });
});
