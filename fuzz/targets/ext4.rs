//! ext2, ext3 and ext4: arbitrary bytes as a device. Nothing may panic, run away, or contradict
//! itself.

#![no_main]

use ext4_reader::{Ext4, Inode, InodeNumber, Journal, Kind, Replay};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use std::sync::Arc;

const MOST_NODES: usize = 150;
const MOST_ENTRIES: usize = 40;

fuzz_target!(|data: &[u8]| {
    let device = Arc::new(data.to_vec());
    let size = data.len();
    let _ = Ext4::claims(&*device);
    let _ = Ext4::claims_backup(&*device);
    if let Ok(ext4) = Ext4::open(device) {
        let _ = (ext4.missing_bytes(), ext4.superblock().generation());
        if let Journal::Replayed(replay) = ext4.journal() {
            assert!(replay.problems.len() <= Replay::MOST_KEPT && replay.blocks <= size / 1024);
        }
        // Crafted superblocks may tell of many groups, which are cheap to look at, but not here.
        if ext4.superblock().inodes < 10_000 {
            let _ = ext4.check_descriptors();
        }
        walk(&ext4);
    }
});

// Most of a filesystem is zeroes that nothing reads: bytes near others are changed more often.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut state = u64::from(seed) << 1 | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    if size < 64 || next() % 4 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    for _ in 0..=next() % 4 {
        let start = next() % size;
        let used = (start..size).chain(0..start).find(|at| data[*at] != 0).unwrap_or(start);
        let at = (used / 16 * 16 + next() % 16).min(size - 1);
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

fn walk(ext4: &Ext4) {
    let mut todo = vec![ext4.root()];
    let mut seen = 0;
    while let Some(number) = todo.pop() {
        seen += 1;
        if seen > MOST_NODES {
            return;
        }
        let Ok(inode) = ext4.inode(number) else { continue };
        look(ext4, &inode);
        if inode.kind == Kind::Directory {
            todo.extend(list(ext4, &inode));
        }
    }
}

fn look(ext4: &Ext4, inode: &Inode) {
    let mut bytes = vec![0; 20_000];
    for offset in [0, inode.size / 2, inode.size.saturating_sub(5000)] {
        let read = ext4.read_at(inode, offset, &mut bytes);
        assert!(read.is_err() || read.unwrap() as u64 <= inode.size);
    }
    let _ = (ext4.read_link(inode), inode.device());
    let _ = ext4.ranges(inode, 0, inode.size.min(1 << 30));
    let named = ext4.xattr(inode, b"security.capability");
    if let (Ok(all), Ok(named)) = (ext4.xattrs(inode), named) {
        let listed = all.into_iter().find(|(name, _)| name == b"security.capability");
        assert_eq!(listed.map(|(_, value)| value), named);
    }
}

/// What a listing without damage names, a lookup must find.
fn list(ext4: &Ext4, folder: &Inode) -> Vec<InodeNumber> {
    let _ = ext4.lookup(folder, b"no such name");
    let Ok(listing) = ext4.read_dir(folder) else { return Vec::new() };
    for entry in listing.entries.iter().take(MOST_ENTRIES) {
        assert!(!entry.name.is_empty() && !entry.name.contains(&b'/'));
        let found = ext4.lookup(folder, &entry.name);
        // A damaged name may stand where its hash does not lead.
        assert!(matches!(found, Ok(Some(_))) || !listing.damage.is_empty(), "{found:?}");
    }
    listing.entries.iter().take(MOST_ENTRIES).map(|entry| entry.inode).collect()
}
