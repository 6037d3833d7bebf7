//! All directories at once, by the inode tables: whoever reads a whole tree needs not wait for each directory to learn
//! where those in it are.

use crate::{Ext4, Inode, InodeNumber};
use std::ops::Range;

/// Bytes that are read at once.
const PIECE: u64 = 512 << 10;
/// Pieces that are told to the device ahead of those that are read.
const AHEAD: usize = 64;
/// Groups whose descriptors are looked at.
const MOST_GROUPS: u64 = 1 << 16;

impl Ext4 {
    /// Shows the directories of the filesystem in the order of the device, until `show` says `false`. It reads the
    /// tables of groups that have some; if these are more than `most` bytes, nothing. It is a help for what comes
    /// after: of what is damaged, or newer in a fast commit, nothing is shown, and some of what is shown may belong to no tree.
    pub fn directories(&self, most: u64, show: &mut dyn FnMut(Inode) -> bool) {
        let pieces = self.pieces(most);
        let ranges: Vec<_> = pieces.iter().map(|piece| piece.bytes.clone()).collect();
        for (index, piece) in pieces.iter().enumerate() {
            if index.is_multiple_of(8) {
                self.device.will_need(&ranges[index..ranges.len().min(index + AHEAD)]);
            }
            let mut raw = vec![0; (piece.bytes.end - piece.bytes.start) as usize];
            // Of a piece that cannot be read, each inode is a matter of its own, later.
            if self.device.read_exact_at(piece.bytes.start, &mut raw).is_err() {
                continue;
            }
            let records = raw.chunks_exact(self.superblock.inode_size as usize);
            for (number, record) in (piece.first..).zip(records) {
                let number = u32::try_from(number).ok().map(InodeNumber);
                let found = number.and_then(|number| self.directory(number, record));
                if found.is_some_and(|inode| !show(inode)) {
                    return;
                }
            }
        }
    }

    /// The parts of inode tables to be read, in the order of the device; none if they are too much.
    fn pieces(&self, most: u64) -> Vec<Piece> {
        let (size, mut left, mut pieces) = (self.superblock.inode_size, most, Vec::new());
        let groups = self.superblock.inodes.div_ceil(self.superblock.inodes_per_group);
        for group in 0..u64::from(groups).min(MOST_GROUPS) {
            let Ok(table) = self.table_with_directories(group) else { continue };
            let Some(rest) = left.checked_sub(table.end - table.start) else { return Vec::new() };
            left = rest;
            let first = group * u64::from(self.superblock.inodes_per_group) + 1;
            pieces.extend(
                split(&table, size).map(|bytes| Piece {
                    first: first + (bytes.start - table.start) / size,
                    bytes,
                }),
            );
        }
        pieces.sort_by_key(|piece| piece.bytes.start);
        pieces
    }
}

/// Some records of an inode table, and the number of the first of them.
struct Piece {
    first: u64,
    bytes: Range<u64>,
}

/// Pieces of whole records.
fn split(table: &Range<u64>, record: u64) -> impl Iterator<Item = Range<u64>> {
    let (step, end) = ((PIECE / record).max(1) * record, table.end);
    let starts = (table.start..end).step_by(step as usize);
    starts.map(move |start| start..end.min(start + step))
}
