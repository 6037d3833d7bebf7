//! Filesystems that were stopped in the midst of many small changes: what is there after our
//! replay must be what is there after the kernel's. Needs root.
//!
//! The kernel mounts the image, which replays the log. Ours is read twice: by the kernel, from a copy
//! into which our replay was written and which is mounted with its log left alone, and by our
//! reader.

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
use std::sync::Arc;
use workload::Workload;
use xfs_reader::Xfs;

const CASES: &[Case] = &[
    case("default", &[], "rw"),
    case("large_log", &["-l", "size=48m"], "rw"),
    case("small_records", &[], "logbsize=32k,logbufs=2"),
    case("large_records", &[], "logbsize=256k,logbufs=8"),
    case("log_stripe_32k", &["-l", "su=32k"], "rw"),
    case("log_stripe_256k", &["-l", "su=256k"], "rw"),
    case("sectors_of_4k", &["-s", "size=4096"], "rw"),
    case("blocks_of_1k", &["-b", "size=1024"], "rw"),
    case("blocks_of_16k", &["-b", "size=16384"], "rw"),
    case("inodes_of_2k", &["-i", "size=2048"], "rw"),
    case("directories_of_16k", &["-n", "size=16k"], "rw"),
    case("rmapbt", &["-m", "rmapbt=1"], "rw"),
    case("large_counts", &["-i", "nrext64=1"], "rw"),
    case(
        "old_features",
        &["-m", "bigtime=0,reflink=0,finobt=0,inobtcount=0", "-i", "sparse=0"],
        "rw",
    ),
];

#[test]
fn a_replay_shows_what_the_kernel_shows() {
    let Some(work) = Workplace::new() else { return };
    let (seeds, changes) = effort();
    let mut wrong = Vec::new();
    for seed in seeds {
        for (index, case) in CASES.iter().enumerate() {
            let stops = [Stop::Flushed, Stop::Lost, Stop::Snapshot];
            let stop = stops[(seed as usize + index) % 3];
            let what = format!("{} {stop:?} seed {seed}", case.name);
            let mut workload = Workload::new(&case::place(work.path()), seed);
            let first = |workload: &mut Workload| workload.run(changes);
            let more = |workload: &mut Workload| workload.run(20);
            let found = case::difference(work.path(), case, stop, &mut workload, first, more);
            wrong.extend(found.map(|found| format!("{what}: {found}")));
        }
    }
    assert!(wrong.is_empty(), "{} differ: {}", wrong.len(), wrong.join("\n"));
}

/// Seeds and changes: few where nobody asked for more.
fn effort() -> (std::ops::Range<u64>, u64) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let first = number("XFS_LOG_SEED").unwrap_or(1);
    let count = number("XFS_LOG_SEEDS").unwrap_or(1);
    (first..first + count, number("XFS_LOG_CHANGES").unwrap_or(1000))
}

/// Without the replay new files are missing, so that the comparison above says something.
#[test]
fn without_the_log_files_are_missing() {
    let Some(work) = Workplace::new() else { return };
    let [image, place] = ["image", "place"].map(|name| work.path().join(name));
    disk::make(&image, 200, &[]);
    let mount = disk::Mount::new(&image, &place, "rw");
    std::fs::write(place.join("new"), "content").unwrap();
    disk::stop(&place, true);
    drop(mount);
    let device = || Arc::new(FileSource::open(&image).unwrap());
    let found = |xfs: Xfs| xfs.lookup(&xfs.inode(xfs.root()).unwrap(), b"new").unwrap().is_some();
    assert!(!found(Xfs::open_unreplayed(device()).unwrap()));
    assert!(found(Xfs::open(device()).unwrap()));
}
