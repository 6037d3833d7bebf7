//! qcow2 images: arbitrary bytes as a file, which always has the magic number.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;
use std::os::unix::fs::FileExt;

fuzz_target!(|data: &[u8]| {
    image::open(|file| {
        file.write_all_at(data, 0)?;
        file.write_all_at(b"QFI\xfb", 0)
    });
});
