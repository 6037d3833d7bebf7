//! Logs with random damage, with and without checksums that hold over it: no panic, and no more
//! reads and memory than the log is worth. And what a clean log costs. Needs root.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]
#![allow(dead_code, reason = "modules that tests share")]

#[path = "log/counted.rs"]
mod counted;
#[path = "log/disk.rs"]
mod disk;
#[path = "log/random.rs"]
mod random;
#[path = "log/seal.rs"]
mod seal;
#[path = "log/workload.rs"]
mod workload;

use block_source::{BlockSource, FileSource};
use counted::Counted;
use disk::{Mount, Workplace};
use random::Random;
use std::path::Path;
use std::sync::Arc;
use workload::Workload;
use xfs_reader::log::{State, replay};
use xfs_reader::{Superblock, Xfs};

/// Replays, and says how it went and what it cost.
fn run(device: Counted<FileSource>) -> (State, u64, u64) {
    let device = Arc::new(device);
    let superblock = Superblock::read(&*device).unwrap();
    let replay = replay(device.clone(), &superblock).unwrap();
    let (reads, bytes) = device.count();
    if let Ok(xfs) = Xfs::open_unreplayed(replay.overlay)
        && let Ok(root) = xfs.inode(xfs.root())
    {
        drop(xfs.read_dir(&root));
    }
    (replay.state, reads, bytes)
}

fn open(image: &Path) -> Counted<FileSource> {
    Counted::new(FileSource::open(image).unwrap())
}

#[test]
fn a_clean_log_costs_few_reads() {
    let Some(work) = Workplace::new() else { return };
    let [image, place] = ["image", "place"].map(|name| work.path().join(name));
    // Fresh; mounted before; and around the end of the log some times.
    for (size, log, changes) in
        [(300, 64, &[][..]), (9000, 2000, &[10][..]), (200, 0, &[1500, 1, 1500, 1500, 200])]
    {
        let log = format!("size={log}m");
        let options = if log == "size=0m" { &[][..] } else { &["-l", &log] };
        disk::make(&image, size, options);
        let mut clean = vec![run(open(&image))];
        for (seed, changes) in changes.iter().enumerate() {
            let mount = Mount::new(&image, &place, "rw");
            Workload::new(&place, seed as u64).run(*changes);
            drop(mount);
            clean.push(run(open(&image)));
        }
        for (state, reads, bytes) in clean {
            eprintln!("{size} MiB, log {log}: {reads} reads of {bytes} bytes");
            assert_eq!(state, State::Clean);
            assert!(reads <= 40 && bytes <= 256 << 10, "{reads} reads of {bytes} bytes");
        }
    }
}

/// A replay reads each block of the log once, and each changed block of the disk about once.
#[test]
fn a_full_log_is_read_once() {
    let Some(work) = Workplace::new() else { return };
    let [image, place] = ["image", "place"].map(|name| work.path().join(name));
    disk::make(&image, 1000, &["-l", "size=64m"]);
    let mount = Mount::new(&image, &place, "rw");
    Workload::new(&place, 7).run(times() * 100);
    disk::stop(&place, true);
    drop(mount);
    let (state, reads, bytes) = run(open(&image));
    eprintln!("{reads} reads of {bytes} bytes, {state:?}");
    let State::Replayed(applied) = state else { panic!("{state:?}") };
    assert!(bytes < (64 << 20) + 8 * applied.changed_bytes, "{reads} reads of {bytes} bytes");
}

/// A filesystem that was stopped, and where its log is.
struct Stopped {
    image: std::path::PathBuf,
    start: u64,
    log: Vec<u8>,
}

impl Stopped {
    fn new(work: &Path, mount: &str, seed: u64) -> Self {
        let [image, place] = ["image", "place"].map(|name| work.join(name));
        disk::make(&image, 200, &["-m", "rmapbt=1"]);
        let mounted = Mount::new(&image, &place, mount);
        Workload::new(&place, seed).run(350);
        disk::stop(&place, true);
        drop(mounted);
        let device = FileSource::open(&image).unwrap();
        let superblock = Superblock::read(&device).unwrap();
        let start = superblock.block_offset(superblock.log_start).unwrap();
        let size = u64::from(superblock.log_blocks) * superblock.block_size;
        let mut log = vec![0; size as usize];
        device.read_exact_at(start, &mut log).unwrap();
        Self { image, start, log }
    }

    fn check(&self, what: &str, device: Counted<FileSource>) -> State {
        let (state, reads, bytes) = run(device);
        let most = self.log.len() as u64;
        assert!(reads < 40_000 && bytes < 40 * most, "{what}: {reads} reads of {bytes} bytes");
        if let State::Replayed(applied) | State::Partly { applied, .. } = &state {
            assert!(applied.changed_bytes < 4 * most, "{what}: {applied:?}");
        }
        state
    }
}

fn times() -> u64 {
    std::env::var("XFS_LOG_DAMAGES").map_or(15, |times| times.parse().unwrap())
}

#[test]
fn flipped_bits_do_no_harm() {
    let Some(work) = Workplace::new() else { return };
    let stopped = Stopped::new(work.path(), "rw", 1);
    let records = seal::records(&stopped.log);
    let end = records.last().map(|(at, length)| at + length).unwrap();
    let mut partly = 0;
    for seed in 0..times() {
        let mut random = Random::new(seed);
        let mut device = open(&stopped.image);
        for _ in 0..=random.below(20) {
            let at = random.below(end as u64 + 4096) as usize;
            let byte = stopped.log[at] ^ 1 << random.below(8);
            device.change(stopped.start + at as u64, &[byte]);
        }
        let state = stopped.check(&format!("seed {seed}"), device);
        partly += u64::from(matches!(state, State::Partly { .. }));
    }
    eprintln!("{partly} of {} were replayed in part", times());
    assert!(partly > times() / 4);
}

#[test]
fn damage_that_checksums_do_not_show_does_no_harm() {
    let Some(work) = Workplace::new() else { return };
    let mut partly = 0;
    for (mount, first) in [("logbsize=32k", 0), ("logbsize=256k", 1 << 32)] {
        let stopped = Stopped::new(work.path(), mount, 2);
        let records = seal::records(&stopped.log);
        for seed in first..first + times() {
            let mut random = Random::new(seed);
            let mut log = stopped.log.clone();
            for _ in 0..=random.below(12) {
                let (at, length) = *random.pick(&records).unwrap();
                damage(&mut log, at, length, &mut random);
            }
            let mut device = open(&stopped.image);
            // Lengths may have been damaged, too: then there is no telling what to sum.
            let sound = seal::records(&log).into_iter().filter(|record| records.contains(record));
            for (at, _) in sound.collect::<Vec<_>>() {
                let sum = seal::checksum(&log, at);
                log[at + 32..at + 36].copy_from_slice(&sum);
            }
            let changed = log.iter().zip(&stopped.log).enumerate().filter(|(_, (a, b))| a != b);
            for (at, (byte, _)) in changed {
                device.change(stopped.start + at as u64, &[*byte]);
            }
            let state = stopped.check(&format!("{mount} seed {seed}"), device);
            partly += u64::from(matches!(state, State::Partly { .. }));
        }
    }
    eprintln!("{partly} of {} were replayed in part", 2 * times());
    assert!(partly > times() / 4);
}

/// Spoils something in a record: mostly what looks like a number of an item or an operation.
fn damage(log: &mut [u8], at: usize, length: usize, random: &mut Random) {
    let place = match random.below(8) {
        // The header, but for its magic number.
        0 => at + 4 + random.below(40) as usize,
        // The first operations and descriptions.
        1..4 => {
            at + 512 * seal::headers(log, at) + random.below(400.min(length as u64 / 2)) as usize
        }
        _ => at + 512 + random.below(length as u64 - 512) as usize,
    };
    // Blocks of data begin with the number of the turn, by which the head is found.
    if place >= log.len() || place % 512 < 4 {
        return;
    }
    let extremes = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    log[place] = match random.below(3) {
        0 => log[place] ^ 1 << random.below(8),
        1 => random.next() as u8,
        _ => *random.pick(&extremes).unwrap(),
    };
}
