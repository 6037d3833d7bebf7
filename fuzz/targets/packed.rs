//! Packed disks: arbitrary bytes as a gzip, xz or zstd stream.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;
use std::os::unix::fs::FileExt;

const MAGIC: [&[u8]; 3] = [b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];

fuzz_target!(|data: &[u8]| {
    let Some((first, _)) = data.split_first() else { return };
    // A seed keeps its own.
    let magic = MAGIC.iter().find(|magic| magic[0] == *first);
    let magic = magic.unwrap_or(&MAGIC[usize::from(*first) % MAGIC.len()]);
    image::open(|file| {
        file.write_all_at(data, 0)?;
        file.write_all_at(magic, 0)
    });
});
