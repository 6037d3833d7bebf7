//! Directories: <https://docs.kernel.org/filesystems/ext4/dynamic.html#directory-entries>.
//!
//! A hashed directory reads as a linear one, since its index hides in entries that are unused.

use crate::bytes::{u16_at, u32_at};
use crate::{Error, Ext4, Inode, InodeNumber, Kind};

/// A name and the inode it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name: bytes, not necessarily UTF-8.
    pub name: Vec<u8>,
    /// The inode.
    pub inode: InodeNumber,
}

/// Larger directories are refused: three million entries and more.
const MOST_BYTES: u64 = 128 << 20;
/// A directory is read in pieces of this size, so that a lookup can stop early.
const PIECE: u64 = 256 << 10;
const HEADER: usize = 8;

impl Ext4 {
    /// All entries but `.` and `..`, in stored order.
    pub fn read_dir(&self, inode: &Inode) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        self.visit(inode, &mut |name, number| {
            entries.push(Entry { name: name.to_vec(), inode: number });
            false
        })?;
        Ok(entries)
    }

    /// The inode that a directory gives a name to.
    pub fn lookup(&self, directory: &Inode, name: &[u8]) -> Result<Option<InodeNumber>, Error> {
        let mut found = None;
        self.visit(directory, &mut |entry, number| {
            let hit = entry == name;
            if hit {
                found = Some(number);
            }
            hit
        })?;
        Ok(found)
    }

    /// Shows entries to `see` until it says that it has seen enough.
    fn visit(
        &self,
        inode: &Inode,
        see: &mut dyn FnMut(&[u8], InodeNumber) -> bool,
    ) -> Result<(), Error> {
        if inode.kind != Kind::Directory {
            return Err(Error::corrupt("not a directory: inode", inode.number.0));
        }
        inode.check_readable()?;
        if inode.is_inline() {
            return self.visit_inline(inode, see);
        }
        if inode.size > MOST_BYTES {
            return Err(Error::unsupported(format!("a directory of {} bytes", inode.size)));
        }
        self.device.will_need(&self.ranges(inode, 0, inode.size)?);
        let mut piece = vec![0; PIECE.min(inode.size) as usize];
        let mut offset = 0;
        while offset < inode.size {
            let length = self.read_at(inode, offset, &mut piece)?;
            for block in piece[..length].chunks(self.superblock.block_size as usize) {
                if parse(block, inode, see)? {
                    return Ok(());
                }
            }
            offset += length as u64;
        }
        Ok(())
    }

    /// The number of the parent comes first; the entries follow, in two parts.
    fn visit_inline(
        &self,
        inode: &Inode,
        see: &mut dyn FnMut(&[u8], InodeNumber) -> bool,
    ) -> Result<(), Error> {
        let data = self.inline_data(inode)?;
        let (first, second) = data.split_at(inode.block.len());
        if !parse(&first[4..], inode, see)? {
            parse(second, inode, see)?;
        }
        Ok(())
    }
}

/// Entries of one block; whether enough was seen.
fn parse(
    block: &[u8],
    inode: &Inode,
    see: &mut dyn FnMut(&[u8], InodeNumber) -> bool,
) -> Result<bool, Error> {
    let mut at = 0;
    while at + HEADER <= block.len() {
        let length = record_length(u16_at(block, at + 4), block.len());
        let name_length = usize::from(block[at + 6]);
        if length < HEADER + name_length || at + length > block.len() {
            // A hole in a directory reads as zeroes; nothing can be in it.
            if block[at..].iter().all(|byte| *byte == 0) {
                return Ok(false);
            }
            return Err(Error::corrupt("entry of directory inode", inode.number.0));
        }
        let number = u32_at(block, at);
        let name = &block[at + HEADER..at + HEADER + name_length];
        let real = number != 0 && name_length > 0 && name != b"." && name != b"..";
        if real
            && !name.iter().any(|byte| matches!(byte, 0 | b'/'))
            && see(name, InodeNumber(number))
        {
            return Ok(true);
        }
        at += length;
    }
    Ok(false)
}

/// Lengths are multiples of four; in blocks of 64 KiB the two low bits carry the length on.
fn record_length(stored: u16, block_size: usize) -> usize {
    let stored = usize::from(stored);
    if block_size < 65536 {
        stored
    } else if stored == 0 || stored == 65535 {
        block_size
    } else {
        stored & 0xfffc | (stored & 3) << 16
    }
}
