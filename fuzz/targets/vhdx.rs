//! vhdx images: the header, regions, table, metadata and log are the input, laid to their places
//! with checksums that hold; for a file of so many bytes would be all holes.

#![no_main]

mod image;

use libfuzzer_sys::fuzz_target;
use std::os::unix::fs::FileExt;

const MIB: u64 = 1 << 20;
/// Where each 4 KiB of the input goes, and whether it is sealed with a checksum.
const PLACES: &[(u64, usize)] =
    &[(64 << 10, 4096), (192 << 10, 65_536), (2 * MIB, 0), (3 * MIB, 0), (3 * MIB + (64 << 10), 0)];

fuzz_target!(|data: &[u8]| {
    let mut pages = data.chunks(4096);
    image::open(|file| {
        file.set_len(8 * MIB)?;
        file.write_all_at(b"vhdxfile", 0)?;
        for (at, sealed) in PLACES {
            let mut page = pages.next().unwrap_or_default().to_vec();
            page.resize((*sealed).max(4096), 0);
            if *sealed > 0 {
                seal(&mut page);
            }
            file.write_all_at(&page, *at)?;
        }
        let mut log = pages.collect::<Vec<_>>().concat();
        log.truncate(64 << 10);
        log.resize(log.len().next_multiple_of(4096), 0);
        seal_entries(&mut log);
        file.write_all_at(&log, MIB)
    });
});

/// Entries that lie side by side within the input.
fn seal_entries(log: &mut [u8]) {
    let mut at = 0;
    while at + 4096 <= log.len() {
        let length: [u8; 4] = log[at + 8..at + 12].try_into().expect("four bytes");
        let length = u32::from_le_bytes(length) as usize;
        if log[at..].starts_with(b"loge") && length >= 4096 && length <= log.len() - at {
            seal(&mut log[at..at + length]);
        }
        at += 4096;
    }
}

fn seal(bytes: &mut [u8]) {
    bytes[4..8].fill(0);
    let sum = crc32c::crc32c(bytes);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
}
