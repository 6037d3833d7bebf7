//! Logs of which some sectors were not written, or were damaged: where the kernel mounts, our
//! replay must show the same; where it refuses, we must say that something is wrong. Needs root.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]
#![allow(dead_code, reason = "modules that tests share")]

#[path = "log/disk.rs"]
mod disk;
#[path = "log/patch.rs"]
mod patch;
#[path = "log/random.rs"]
mod random;
#[path = "log/tree.rs"]
mod tree;
#[path = "log/workload.rs"]
mod workload;

use block_source::FileSource;
use disk::{Mount, Workplace};
use random::Random;
use std::fmt::Write;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use workload::Workload;
use xfs_reader::Superblock;
use xfs_reader::log::State;

const SECTOR: usize = 512;

#[test]
fn torn_logs_are_read_as_the_kernel_reads_them() {
    let Some(work) = Workplace::new() else { return };
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let first = number("XFS_LOG_SEED").unwrap_or(1);
    let (mut mounted, mut refused, mut wrong) = (0, 0, Vec::new());
    for seed in first..first + number("XFS_LOG_SEEDS").unwrap_or(2) {
        let disk = Disk::new(work.path(), seed);
        for tear in 0..number("XFS_LOG_TEARS").unwrap_or(6) {
            match disk.tear(seed << 32 | tear) {
                Outcome::Mounted => mounted += 1,
                Outcome::Refused => refused += 1,
                Outcome::Differs(how) => wrong.push(format!("seed {seed} tear {tear}: {how}")),
            }
        }
    }
    eprintln!("{mounted} mounted, {refused} refused");
    assert!(wrong.is_empty(), "{} differ: {}", wrong.len(), wrong.join("\n"));
    assert!(mounted > 0, "none was mounted");
}

enum Outcome {
    Mounted,
    Refused,
    Differs(String),
}

/// Two moments of one filesystem, and which sectors of its log changed between them.
struct Disk<'a> {
    work: &'a Path,
    log: std::ops::Range<u64>,
    changed: Vec<u64>,
}

impl<'a> Disk<'a> {
    fn new(work: &'a Path, seed: u64) -> Self {
        let [image, earlier, later, place] =
            ["image", "earlier", "later", "place"].map(|name| work.join(name));
        // Records of 32 KiB, so that there are many; every second log has been around before.
        disk::make(&image, 200, &[]);
        let mount = Mount::new(&image, &place, "logbsize=32k");
        let mut workload = Workload::new(mount.path(), seed);
        workload.run(if seed.is_multiple_of(2) { 5000 } else { 500 });
        disk::snapshot(&image, &earlier);
        workload.run(150);
        disk::stop(mount.path(), true);
        disk::snapshot(&image, &later);
        drop(mount);
        let superblock = Superblock::read(&FileSource::open(&later).unwrap()).unwrap();
        let start = superblock.block_offset(superblock.log_start).unwrap();
        let log = start..start + u64::from(superblock.log_blocks) * superblock.block_size;
        let changed = changed(&earlier, &later, &log);
        assert!(changed.len() > 100);
        Self { work, log, changed }
    }

    fn tear(&self, seed: u64) -> Outcome {
        let [later, torn, patched, place] =
            ["later", "torn", "patched", "place"].map(|name| self.work.join(name));
        disk::snapshot(&later, &torn);
        let what = self.damage(&torn, &mut Random::new(seed));
        disk::snapshot(&torn, &patched);
        let state = patch::patch(&torn, &patched).state;
        let partly = matches!(state, State::Partly { .. });
        let Some(mount) = Mount::try_new(&torn, &place) else {
            eprintln!("{what}: refused, {state:?}");
            return if partly { Outcome::Refused } else { differs(&what, "refused", &state) };
        };
        eprintln!("{what}: mounted, {state:?}");
        let kernel = tree::by_kernel(mount.path());
        drop(mount);
        if partly {
            return differs(&what, "mounted", &state);
        }
        let replayed = Mount::new(&patched, &place, "ro,norecovery");
        let ours = tree::by_kernel(replayed.path());
        match tree::difference(&kernel, &ours) {
            None => Outcome::Mounted,
            Some(how) => differs(&what, &how, &state),
        }
    }

    /// Takes back or spoils some sectors that were written last, and says which.
    fn damage(&self, torn: &Path, random: &mut Random) -> String {
        let file = OpenOptions::new().write(true).open(torn).unwrap();
        let earlier = File::open(self.work.join("earlier")).unwrap();
        // Sectors in the order of the ring: those before a gap were written last.
        let reach = [10, 60, 250, 1 << 20][random.below(4) as usize];
        let near = self.changed.len().saturating_sub(reach);
        let count = 1 + random.below(6);
        let how = random.below(3);
        let mut what = format!("{} of sectors", ["loss", "zeroing", "flips"][how as usize]);
        for _ in 0..count {
            let index = near + random.below((self.changed.len() - near) as u64) as usize;
            let at = self.changed[index];
            let block = (at - self.log.start) / SECTOR as u64;
            write!(what, " {block}").unwrap();
            let mut sector = [0; SECTOR];
            match how {
                0 => earlier.read_exact_at(&mut sector, at).unwrap(),
                1 => {}
                _ => {
                    File::open(torn).unwrap().read_exact_at(&mut sector, at).unwrap();
                    sector[random.below(SECTOR as u64) as usize] ^= 1 << random.below(8);
                }
            }
            file.write_all_at(&sector, at).unwrap();
        }
        what
    }
}

fn differs(what: &str, how: &str, state: &State) -> Outcome {
    Outcome::Differs(format!("{what}: {how}, {state:?}"))
}

/// Offsets of the sectors that changed, from the oldest to the newest.
fn changed(earlier: &Path, later: &Path, log: &std::ops::Range<u64>) -> Vec<u64> {
    let length = (log.end - log.start) as usize;
    let (mut before, mut after) = (vec![0; length], vec![0; length]);
    File::open(earlier).unwrap().read_exact_at(&mut before, log.start).unwrap();
    File::open(later).unwrap().read_exact_at(&mut after, log.start).unwrap();
    let sectors = (0..length).step_by(SECTOR);
    let differs = |at: &usize| before[*at..*at + SECTOR] != after[*at..*at + SECTOR];
    let changed: Vec<u64> = sectors.filter(differs).map(|at| log.start + at as u64).collect();
    // Written around the end: what comes after the largest gap is older.
    let gap = changed.windows(2).enumerate().max_by_key(|(_, pair)| pair[1] - pair[0]);
    match gap {
        Some((at, pair)) if pair[1] - pair[0] > 1 << 20 => {
            [&changed[at + 1..], &changed[..=at]].concat()
        }
        _ => changed,
    }
}
