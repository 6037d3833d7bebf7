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

use block_source::FileSource;
use case::{Case, Stop, case};
use disk::Workplace;
use random::Random;
use rustix::fs::ioctl_ficlone;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use workload::Workload;
use xfs_reader::Xfs;
use xfs_reader::log::State;

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
        let xfs = Xfs::open(Arc::new(FileSource::open(&image).unwrap())).unwrap();
        assert!(matches!(xfs.log(), Some(State::Replayed(_))), "{:?}", xfs.log());
        let read = reader::by_reader(&xfs);
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
        for _ in 0..60 {
            share(place, 200_000, &mut random);
        }
    };
    for (seed, stop) in [(1, Stop::Flushed), (2, Stop::Snapshot), (3, Stop::Lost)] {
        check(&case, stop, |place| share(place, seed), |place| share(place, seed + 10));
    }
}

/// Several threads at once: transactions of one chain of changes may be in different checkpoints,
/// so that now and then the log ends in the midst of a chain.
#[test]
fn changes_by_several_threads() {
    let case = case("threads", &["-m", "reflink=1"], "logbsize=32k");
    let rounds = std::env::var("XFS_LOG_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    for seed in (0..rounds).map(|round| 100 * round) {
        let first = |place: &Path| threads(place, seed, 40);
        check(&case, Stop::Snapshot, first, |place| threads(place, seed + 50, 10));
    }
}

fn threads(place: &Path, seed: u64, count: u64) {
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let folder = place.join(thread.to_string());
            fs::create_dir_all(&folder).unwrap();
            scope.spawn(move || {
                let mut random = Random::new(seed + thread);
                // Some write here and there, others write little, to files of few pieces.
                let span = if thread < 4 { 200_000 } else { 30_000 };
                for _ in 0..count {
                    share(&folder, span, &mut random);
                }
            });
        }
    });
}

/// Writes to a file whose blocks are shared, and shares them again.
fn share(folder: &Path, span: u64, random: &mut Random) {
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
    let from = options.open(folder.join("from")).unwrap();
    let to = File::create(folder.join(format!("to{}", random.below(6)))).unwrap();
    from.write_all_at(&random.bytes(9000), random.below(span)).unwrap();
    ioctl_ficlone(&to, &from).unwrap();
    to.write_all_at(&random.bytes(5000), random.below(span)).unwrap();
    if random.below(3) == 0 {
        to.sync_all().unwrap();
    }
}
