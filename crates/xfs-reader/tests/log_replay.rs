//! Filesystems that were stopped in the midst of many small changes: what is there after our
//! replay must be what is there after the kernel's. Needs root.
//!
//! The kernel mounts the image, which replays the log. Ours is read twice: by the kernel, from a copy
//! into which our replay was written and which is mounted with its log left alone, and by our
//! reader.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

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

use disk::{Mount, Workplace};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use workload::Workload;
use xfs_reader::Xfs;
use xfs_reader::log::{Replay, State};

/// How a filesystem is stopped.
#[derive(Debug, Clone, Copy)]
enum Stop {
    /// The log is written out first.
    Flushed,
    /// What is not in the log on the disk is lost.
    Lost,
    /// Not at all: a snapshot is taken while changes go on, as of a cloud disk.
    Snapshot,
}

struct Case {
    name: &'static str,
    make: &'static [&'static str],
    mount: &'static str,
}

const fn case(name: &'static str, make: &'static [&'static str], mount: &'static str) -> Case {
    Case { name, make, mount }
}

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
            wrong.extend(difference(work.path(), case, stop, seed, changes));
        }
    }
    assert!(wrong.is_empty(), "{} differ: {}", wrong.len(), wrong.join("\n"));
}

/// Seeds and changes: few where nobody asked for more.
fn effort() -> (std::ops::Range<u64>, u64) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let first = number("XFS_LOG_SEED").unwrap_or(1);
    let count = number("XFS_LOG_SEEDS").unwrap_or(1);
    (first..first + count, number("XFS_LOG_CHANGES").unwrap_or(1500))
}

fn difference(work: &Path, case: &Case, stop: Stop, seed: u64, changes: u64) -> Option<String> {
    let what = format!("{} {stop:?} seed {seed}", case.name);
    let [image, crashed, patched, place] =
        ["image", "crashed", "patched", "place"].map(|name| work.join(name));
    disk::make(&image, 200, case.make);
    let mount = Mount::new(&image, &place, case.mount);
    let mut workload = Workload::new(mount.path(), seed);
    workload.run(changes);
    crash(&image, &crashed, mount.path(), &mut workload, stop);
    drop(mount);

    disk::snapshot(&crashed, &patched);
    let Replay { state, overlay } = patch::patch(&crashed, &patched);
    eprintln!("{what}: {state:?}");

    let replayed = Mount::new(&crashed, &place, "rw");
    let kernel = tree::by_kernel(replayed.path());
    drop(replayed);
    let replayed = Mount::new(&patched, &place, "ro,norecovery");
    let ours = tree::by_kernel(replayed.path());
    drop(replayed);
    if matches!(state, State::Partly { .. }) {
        return Some(format!("{what}: {state:?}"));
    }
    let read = reader::by_reader(&Xfs::open(overlay).unwrap());
    let difference = tree::difference(&kernel, &ours).or_else(|| tree::difference(&kernel, &read));
    difference.map(|difference| format!("{what}: {difference}"))
}

fn crash(image: &Path, crashed: &Path, place: &Path, workload: &mut Workload, stop: Stop) {
    match stop {
        Stop::Flushed => disk::stop(place, true),
        Stop::Lost => disk::stop(place, false),
        Stop::Snapshot => {
            let taken = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !taken.load(Ordering::Relaxed) {
                        workload.run(20);
                    }
                });
                std::thread::sleep(std::time::Duration::from_millis(300));
                disk::snapshot(image, crashed);
                taken.store(true, Ordering::Relaxed);
            });
            return;
        }
    }
    disk::snapshot(image, crashed);
}
