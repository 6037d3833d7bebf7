//! XFS: a small disk, some of whose sectors are arbitrary bytes. Nothing may panic, run away, or
//! contradict itself. Half of the inputs get checksums that hold, so that what stands behind them
//! is reached.

#![no_main]

#[path = "../../crates/xfs-reader/tests/support/sparse.rs"]
mod sparse;
#[path = "../../crates/xfs-reader/tests/support/walk.rs"]
mod walk;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use sparse::{Sparse, is_sealed};
use std::sync::Arc;
use walk::Walk;
use xfs_reader::Xfs;

const MOST_NODES: usize = 100;
const MOST_ENTRIES: usize = 30;

fuzz_target!(|data: &[u8]| {
    let disk = Arc::new(Sparse::from_bytes(data));
    let may_lie = data.get(1).is_some_and(|byte| is_sealed(*byte));
    let _ = (Xfs::claims(&*disk), Xfs::claims_backup(&*disk));
    let walk = Walk { most_nodes: MOST_NODES, most_entries: MOST_ENTRIES, may_lie };
    for opened in [Xfs::open(disk.clone()), Xfs::open_unreplayed(disk)] {
        if let Ok(xfs) = opened {
            walk.walk(&xfs);
        }
    }
});

// Most of a filesystem is zeroes that nothing reads: bytes near others are changed more often.
// The megabytes stay, so that all inputs fit in memory.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut state = u64::from(seed) << 1 | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    if size < 64 {
        return fuzzer_mutate(data, size, max_size);
    }
    for _ in 0..=next() % 4 {
        let start = next() % size;
        let used = (start..size).chain(0..start).find(|at| data[*at] != 0).unwrap_or(start);
        let at = (used / 16 * 16 + next() % 16).clamp(1, size - 1);
        data[at] = match next() % 6 {
            0 => 0,
            1 => 0xff,
            2 => data[at].wrapping_add(1),
            3 => data[at].wrapping_sub(1),
            4 => data[at] ^ 1 << (next() % 8),
            _ => next() as u8,
        };
    }
    size
});
