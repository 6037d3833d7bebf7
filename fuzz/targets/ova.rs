//! OVA appliances: arbitrary bytes as a tar archive behind an OVF, with checksums that hold.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;
use std::io::Write;

fuzz_target!(|data: &[u8]| {
    let mut bytes = vec![0; 512];
    bytes[..5].copy_from_slice(b"h.ovf");
    bytes[124..135].copy_from_slice(b"00000000000");
    bytes[156] = b'0';
    bytes[257..262].copy_from_slice(b"ustar");
    bytes.extend(data);
    for header in bytes.chunks_exact_mut(512).filter(|header| &header[257..262] == b"ustar") {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    image::open(|file| file.write_all(&bytes));
});
