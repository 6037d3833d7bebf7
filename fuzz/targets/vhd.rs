//! vhd images: arbitrary bytes as a file, whose footer and header always have sound checksums.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;
use std::io::Write;

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.to_vec();
    bytes.resize(bytes.len().max(2048), 0);
    bytes[..8].copy_from_slice(b"conectix");
    bytes[16..24].copy_from_slice(&512_u64.to_be_bytes());
    seal(&mut bytes[..512], 64);
    bytes[512..520].copy_from_slice(b"cxsparse");
    seal(&mut bytes[512..1536], 36);
    image::open(|file| file.write_all(&bytes));
});

fn seal(bytes: &mut [u8], at: usize) {
    bytes[at..at + 4].fill(0);
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    bytes[at..at + 4].copy_from_slice(&(!sum).to_be_bytes());
}
