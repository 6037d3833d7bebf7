//! qcow2 images: arbitrary bytes as a file, which always has the magic number.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| image::open_with(b"QFI\xfb", 0, data));
