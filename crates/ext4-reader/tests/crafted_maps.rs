//! Maps that no driver writes, made to keep a reader busy: nodes that are shared, that lead back
//! to themselves, that are empty. Each request must end after few reads.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

use ext4_reader::{Error, Ext4, InodeNumber};
use std::process::Command;
use std::sync::Arc;
use test_material::Counting;

const BLOCK: usize = 1024;
/// Entries of an extent node in a block.
const FULL: u16 = 84;
const DEPTH: u16 = 5;
const EXTENTS: u32 = 0x8_0000;
/// The first of some blocks near the end, which are free.
const FREE: usize = 8000;
const FILE: u16 = 0o100_644;
const FOLDER: u16 = 0o040_755;

/// A filesystem with an inode 11 whose map can be overwritten.
fn image() -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(8 << 20).unwrap();
    let status = Command::new("mke2fs")
        .args(["-q", "-F", "-t", "ext2", "-b", "1024", "-O", "extent"])
        .arg(file.path())
        .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()))
        .status();
    assert!(status.expect("e2fsprogs is installed").success());
    let image = std::fs::read(file.path()).unwrap();
    assert!(image[FREE * BLOCK..(FREE + 20) * BLOCK].iter().all(|byte| *byte == 0));
    image
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A node whose entries all lead to `child`, the first from `start` on, each `step` later.
fn node(room: u16, count: u16, depth: u16, child: usize, (start, step): (u32, u32)) -> Vec<u8> {
    let mut node = Vec::new();
    for number in [0xf30a, count, room, depth, 0, 0] {
        node.extend(u16::to_le_bytes(number));
    }
    for index in 0..u32::from(count) {
        node.extend((start + index * step).to_le_bytes());
        if depth == 0 {
            node.extend([1, 0, 0, 0]);
        }
        node.extend((child as u32).to_le_bytes());
        if depth > 0 {
            node.extend([0; 4]);
        }
    }
    node
}

/// Makes inode 11 a huge file or folder with this map.
fn craft(image: &mut [u8], mode: u16, flags: u32, map: &[u8]) -> (Ext4, Counting) {
    let place = {
        let ext4 = Ext4::open(Arc::new(image.to_vec())).unwrap();
        ext4.inode_range(InodeNumber(11)).unwrap().start as usize
    };
    put(image, place, &mode.to_le_bytes());
    put(image, place + 0x4, &u32::MAX.to_le_bytes());
    put(image, place + 0x6c, &0x3f_u32.to_le_bytes());
    put(image, place + 0x20, &flags.to_le_bytes());
    put(image, place + 0x28, map);
    let device = Counting::new(image.to_vec());
    (Ext4::open(Arc::new(device.clone())).unwrap(), device)
}

/// All requests, and the most blocks that one of them read.
fn most_blocks(ext4: &Ext4, device: &Counting) -> u64 {
    let inode = ext4.inode(InodeNumber(11)).unwrap();
    device.take();
    let mut most = 0;
    let mut note = || most = most.max(device.take().bytes / BLOCK as u64);
    let _ = ext4.ranges(&inode, 0, inode.size);
    note();
    let _ = ext4.read_at(&inode, 1 << 30, &mut vec![0; 1 << 16]);
    note();
    let _ = ext4.read_dir(&inode);
    note();
    let _ = ext4.lookup(&inode, b"name");
    note();
    most
}

#[test]
fn extent_nodes_that_share_a_child_end_after_few_reads() {
    let starts = [(0, 0), (0, 1), (0, 1000), (0, 1_000_000)];
    let counts = [(FULL, FULL), (FULL, 1), (FULL, 0), (1, 0), (0, 0)];
    for (start, (inner, leaves)) in starts.iter().flat_map(|s| counts.map(|counts| (*s, counts))) {
        for mode in [FILE, FOLDER] {
            let mut image = image();
            for depth in 0..DEPTH {
                let count = if depth == 0 { leaves } else { inner };
                let child = FREE + usize::from(depth);
                let bytes = node(FULL, count, depth, child.saturating_sub(1), start);
                put(&mut image, child * BLOCK, &bytes);
            }
            let root = node(4, 4, DEPTH, FREE + usize::from(DEPTH) - 1, start);
            let (ext4, device) = craft(&mut image, mode, EXTENTS, &root);
            let blocks = most_blocks(&ext4, &device);
            assert!(blocks < 3000, "{blocks} blocks, {start:?}, {inner}, {leaves}");
        }
    }
}

#[test]
fn an_extent_node_that_leads_to_itself_is_refused() {
    let mut image = image();
    put(&mut image, FREE * BLOCK, &node(FULL, FULL, 3, FREE, (0, 1000)));
    let (ext4, device) = craft(&mut image, FILE, EXTENTS, &node(4, 1, 4, FREE, (0, 1)));
    let inode = ext4.inode(InodeNumber(11)).unwrap();
    assert!(matches!(ext4.ranges(&inode, 0, inode.size), Err(Error::Corrupt { .. })));
    assert!(most_blocks(&ext4, &device) < 1000);
}

/// Nothing in a block map says where a node belongs, so shared ones cannot be told; their number
/// is limited instead.
#[test]
fn block_maps_that_share_tables_end_at_the_limit() {
    let mut image = image();
    let pointers = |to: usize| (to as u32).to_le_bytes().repeat(BLOCK / 4);
    for level in 0..3 {
        put(&mut image, (FREE + level) * BLOCK, &pointers(FREE + level + 1));
    }
    let mut map = [0; 60];
    put(&mut map, 56, &(FREE as u32).to_le_bytes());
    let (ext4, device) = craft(&mut image, FILE, 0, &map);
    let inode = ext4.inode(InodeNumber(11)).unwrap();
    let ranges = ext4.ranges(&inode, 0, inode.size);
    assert!(matches!(ranges, Err(Error::Unsupported { .. })), "{ranges:?}");
    assert!(most_blocks(&ext4, &device) <= 1 << 16);
}
