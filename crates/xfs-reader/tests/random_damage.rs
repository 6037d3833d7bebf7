//! Thousands of small filesystems with random damage: nothing may panic, contradict itself or read
//! without end.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/small.rs"]
#[expect(dead_code, reason = "made here, compared elsewhere")]
mod small;
#[path = "support/sparse.rs"]
mod sparse;
#[path = "support/walk.rs"]
mod walk;

use sparse::Sparse;
use std::sync::Arc;
use walk::Walk;
use xfs_reader::Xfs;

/// Of each test; each harms up to four bytes.
const ROUNDS: u64 = 400;
const MOST_NODES: usize = 60;
/// A walk of a sound filesystem reads about 6 MiB.
const MOST_READ: u64 = 64 << 20;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    fn harm(&mut self, disk: &mut Sparse, sectors: &[u64]) {
        for _ in 0..=self.below(4) {
            let sector = sectors[self.below(sectors.len())];
            let byte = disk.byte(sector * 512 + self.below(512) as u64);
            *byte = match self.below(5) {
                0 => 0,
                1 => 0xff,
                2 => byte.wrapping_add(1),
                3 => *byte ^ 1 << self.below(8),
                _ => self.below(256) as u8,
            };
        }
    }
}

fn walk(disk: &Arc<Sparse>, may_lie: bool) {
    if let Ok(xfs) = Xfs::open(disk.clone()) {
        Walk { most_nodes: MOST_NODES, most_entries: 8, may_lie }.walk(&xfs);
    }
}

/// Harms what a walk reads, seals it or not, and walks again.
fn check(options: &[&str], seed: u64, sealed: bool) {
    let whole = Arc::new(Sparse::of(&small::make(options)));
    walk(&whole, false);
    let sectors: Vec<_> = whole.touched().into_iter().collect();
    assert!(sectors.len() > 100 && whole.read() < MOST_READ / 4, "{}", whole.read());
    let mut numbers = Numbers(seed);
    for round in 0..ROUNDS {
        let mut disk = Sparse::clone(&whole);
        numbers.harm(&mut disk, &sectors);
        if sealed {
            disk.seal();
        }
        let disk = Arc::new(disk);
        walk(&disk, sealed);
        assert!(disk.read() < MOST_READ, "round {round}: {} bytes", disk.read());
    }
}

#[test]
fn version_4() {
    check(&["-m", "crc=0", "-b", "size=1024"], 1, false);
}

#[test]
fn version_4_small_blocks() {
    check(&["-m", "crc=0", "-b", "size=512"], 2, false);
}

#[test]
fn version_5() {
    check(&["-b", "size=1024"], 3, false);
}

#[test]
fn version_5_with_checksums_that_hold() {
    check(&["-b", "size=1024"], 4, true);
}

#[test]
fn version_5_large_folder_blocks_with_checksums_that_hold() {
    check(&["-n", "size=16384"], 5, true);
}
