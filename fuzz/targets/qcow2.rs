//! qcow2 images: arbitrary bytes as a file, which always has the magic number.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::block::{BlockCache, BlockSource};
use sidelight::source::image_file;
use std::io::Write;

const MAGIC: &[u8] = b"QFI\xfb";
const SAMPLE: u64 = 64 * 1024;

fuzz_target!(|data: &[u8]| {
    // In memory: the reader takes a path.
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").expect("room in /dev/shm");
    file.write_all(MAGIC).expect("room in /dev/shm");
    file.write_all(data.get(MAGIC.len()..).unwrap_or_default()).expect("room in /dev/shm");
    let Ok(image) = image_file::open(file.path()) else { return };
    let disk = BlockCache::new(16 << 20).device(image.fetcher);
    let mut bytes = vec![0; SAMPLE.min(disk.size()) as usize];
    let last = disk.size() - bytes.len() as u64;
    for offset in [0, last / 2, last] {
        let _ = disk.read_exact_at(offset, &mut bytes);
    }
});
