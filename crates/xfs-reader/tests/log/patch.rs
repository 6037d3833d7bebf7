//! Our replay, written into a copy of the image, so that the kernel can read it.

use block_source::{BlockSource, FileSource};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use xfs_reader::Superblock;
use xfs_reader::log::{Replay, replay};

/// Writes what our replay changes into a copy of the image.
pub fn patch(crashed: &Path, patched: &Path) -> Replay {
    const PIECE: usize = 1 << 20;
    let device: Arc<dyn BlockSource> = Arc::new(FileSource::open(crashed).unwrap());
    let superblock = Superblock::read(&*device).unwrap();
    let replay = replay(device, &superblock).unwrap();
    let (from, to) =
        (File::open(crashed).unwrap(), OpenOptions::new().write(true).open(patched).unwrap());
    let (mut before, mut after) = (vec![0; PIECE], vec![0; PIECE]);
    for at in (0..replay.overlay.size()).step_by(PIECE) {
        from.read_exact_at(&mut before, at).unwrap();
        replay.overlay.read_exact_at(at, &mut after).unwrap();
        if before != after {
            to.write_all_at(&after, at).unwrap();
        }
    }
    replay
}
