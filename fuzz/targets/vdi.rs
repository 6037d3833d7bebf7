//! vdi images: arbitrary bytes as a file, which always has the signature and a version.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| image::open_with(b"\x7f\x10\xda\xbe\x01\0\x01\0", 0x40, data));
