//! Things that a log holds rarely: filesystems that grow, files whose blocks are swapped, and copies
//! that share blocks. Our replay must show what the kernel's shows. Needs root.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]
#![allow(dead_code, reason = "modules that tests share")]

#[path = "log/case.rs"]
mod case;
#[path = "log/disk.rs"]
mod disk;
#[path = "log/patch.rs"]
mod patch;
#[path = "log/random.rs"]
mod random;
#[path = "log/reader.rs"]
mod reader;
#[path = "log/tree.rs"]
mod tree;
#[path = "log/workload.rs"]
mod workload;

use block_source::{BlockSource, FileSource};
use case::{Case, Stop, case};
use disk::Workplace;
use random::Random;
use rustix::fs::{FallocateFlags, fallocate, ioctl_ficlone};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use workload::Workload;
use xfs_reader::log::{Replay, State, replay};
use xfs_reader::{Superblock, Xfs};

fn check(case: &Case, stop: Stop, first: impl FnOnce(&Path), more: impl Fn(&Path) + Sync) {
    let Some(work) = Workplace::new() else { return };
    let mut place = case::place(work.path());
    let first = |place: &mut PathBuf| first(place);
    let more = |place: &mut PathBuf| more(place);
    let found = case::difference(work.path(), case, stop, &mut place, first, more);
    assert!(found.is_none(), "{}: {}", case.name, found.unwrap_or_default());
}

#[test]
fn a_filesystem_that_grew() {
    let case = case("grown", &["-d", "size=100m"], "rw");
    check(
        &case,
        Stop::Flushed,
        |place| {
            Workload::new(place, 1).run(300);
            disk::run("xfs_growfs", &[place]);
            for number in 0..60 {
                // Folders go to groups in turn, so that some are in new ones.
                let folder = place.join(format!("folder{number}"));
                fs::create_dir(&folder).unwrap();
                Workload::new(&folder, number).run(20);
            }
        },
        |_| {},
    );
}

/// A file of so many extents that they are in a tree, of `pieces` extents.
fn fragmented(path: &Path, pieces: u64) {
    let file = File::create(path).unwrap();
    let name = path.as_os_str().len() as u8;
    for piece in (0..pieces).rev() {
        file.write_all_at(&[piece as u8 ^ name; 4096], piece * 8192).unwrap();
        if piece.is_multiple_of(8) {
            file.sync_data().unwrap();
        }
    }
}

/// What `xfs_fsr` does: without `rmapbt` the log tells only the new owner of each tree. Linux 6.18
/// cannot recover from that, for it checks the inode before it has renewed the checksum, so the
/// witness is the kernel before the stop.
#[test]
fn files_that_were_swapped() {
    for make in [&["-m", "rmapbt=0"], &["-m", "rmapbt=1"]] {
        let Some(work) = Workplace::new() else { return };
        let [image, place] = ["image", "place"].map(|name| work.path().join(name));
        disk::make(&image, 200, make);
        let mount = disk::Mount::new(&image, &place, "rw");
        let (one, other) = (place.join("one"), place.join("other"));
        fragmented(&one, 400);
        fragmented(&other, 400);
        // Blocks that are in the log already would get their owner there.
        drop(mount);
        let mount = disk::Mount::new(&image, &place, "rw");
        let swap = format!("swapext {}", other.display());
        disk::run("xfs_io", &["-c".as_ref(), swap.as_ref(), one.as_os_str()]);
        let kernel = tree::by_kernel(&place);
        disk::stop(&place, true);
        let device: Arc<dyn BlockSource> = Arc::new(FileSource::open(&image).unwrap());
        let superblock = Superblock::read(&*device).unwrap();
        let Replay { state, overlay } = replay(device, &superblock).unwrap();
        assert!(matches!(state, State::Replayed(_)), "{state:?}");
        let read = reader::by_reader(&Xfs::open(overlay).unwrap());
        let difference = tree::difference(&kernel, &read);
        assert!(difference.is_none(), "{make:?}: {}", difference.unwrap_or_default());
        drop(mount);
    }
}

#[test]
fn copies_that_share_blocks() {
    let case = case("shared", &["-m", "reflink=1,rmapbt=1"], "rw");
    let share = |place: &Path, seed: u64| {
        let mut random = Random::new(seed);
        for number in 0..60 {
            let (from, to) = (place.join("from"), place.join(format!("to{}", number % 12)));
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&from)
                .unwrap();
            let copy = File::create(&to).unwrap();
            let _no_space = fallocate(&file, FallocateFlags::UNSHARE_RANGE, 0, 4096);
            file.write_all_at(&random.bytes(9000), random.below(200_000)).unwrap();
            ioctl_ficlone(&copy, &file).unwrap();
            copy.write_all_at(&random.bytes(5000), random.below(200_000)).unwrap();
            if random.below(4) == 0 {
                copy.sync_all().unwrap();
            }
        }
    };
    for (seed, stop) in [(1, Stop::Flushed), (2, Stop::Snapshot), (3, Stop::Lost)] {
        check(&case, stop, |place| share(place, seed), |place| share(place, seed + 10));
    }
}
