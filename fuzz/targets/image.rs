//! Opens a file as an image, counts what is written in it and reads some of it.

use image_formats::Limits;
use std::fs::File;
use std::os::unix::fs::FileExt;

const SAMPLE: u64 = 64 * 1024;

/// An image that is written by `write`.
pub fn open(write: impl FnOnce(&mut File) -> std::io::Result<()>) {
    // In memory: the reader takes a path. In a folder of its own: it may name files beside it.
    let folder = tempfile::tempdir_in("/dev/shm").expect("room in /dev/shm");
    let path = folder.path().join("image");
    write(&mut File::create(&path).expect("room in /dev/shm")).expect("room in /dev/shm");
    // What extents and backing files may be called.
    let beside = File::create(folder.path().join("a")).expect("room in /dev/shm");
    beside.write_all_at(b"other", 4096).expect("room in /dev/shm");
    let limits = Limits { unpacked: Some(16 << 20), temporary: Some("/dev/shm".into()) };
    let Ok(opened) = image_formats::open(&path, &limits) else { return };
    for disk in opened.disks {
        let _ = disk.written(512 * 1024);
        let mut bytes = vec![0; SAMPLE.min(disk.source.size()) as usize];
        let last = disk.source.size() - bytes.len() as u64;
        for offset in [0, last / 2, last] {
            let _ = disk.source.read_exact_at(offset, &mut bytes);
        }
    }
}
