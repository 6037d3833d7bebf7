//! Records of one directory block.
//! <https://docs.kernel.org/filesystems/ext4/dynamic.html#linear-classic-directories>

use crate::Kind;
use crate::bytes::{u16_at, u32_at};

const HEADER: usize = 8;
/// A record has room for a name of at least one byte, and starts at a multiple of four.
const SHORTEST: usize = 12;

/// A record in use.
pub struct Record<'a> {
    pub inode: u32,
    pub name: &'a [u8],
    /// Kind of the inode, as far as the record tells; without the feature `filetype` the byte is zero.
    pub kind: Option<Kind>,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Its length cannot be right, so nothing after it in the block can be read.
    Length,
    /// Its name cannot be a name; the records after it can be read.
    Name,
}

impl Flaw {
    pub fn what(self) -> &'static str {
        match self {
            Self::Length => "length of an entry in directory inode",
            Self::Name => "name of an entry in directory inode",
        }
    }
}

/// The records in use of a block, but for `.` and `..`. Ends after [`Flaw::Length`].
pub struct Records<'a> {
    block: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub fn of(block: &'a [u8]) -> Self {
        Self { block, at: 0 }
    }

    /// The record at `at`, and where the next one starts.
    fn record(&self) -> Option<(Record<'a>, usize)> {
        let rest = self.block.get(self.at..)?;
        let length = record_length(u16_at(rest, 4), self.block.len());
        let name_length = usize::from(*rest.get(6)?);
        let fits = length >= SHORTEST.max(HEADER + name_length) && length <= rest.len();
        if !fits || !length.is_multiple_of(4) {
            return None;
        }
        let name = &rest[HEADER..HEADER + name_length];
        Some((Record { inode: u32_at(rest, 0), name, kind: kind(rest[7]) }, self.at + length))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.block.len() {
            let Some((record, next)) = self.record() else {
                self.at = self.block.len();
                return Some(Err(Flaw::Length));
            };
            self.at = next;
            if record.inode == 0 || record.name == b"." || record.name == b".." {
                continue;
            }
            return Some(if is_name(record.name) { Ok(record) } else { Err(Flaw::Name) });
        }
        None
    }
}

fn kind(stored: u8) -> Option<Kind> {
    Some(match stored {
        1 => Kind::File,
        2 => Kind::Directory,
        3 => Kind::CharDevice,
        4 => Kind::BlockDevice,
        5 => Kind::Fifo,
        6 => Kind::Socket,
        7 => Kind::Symlink,
        _ => return None,
    })
}

/// Whether a directory can hold these bytes as a name.
pub fn is_name(name: &[u8]) -> bool {
    (1..=255).contains(&name.len()) && !name.iter().any(|byte| matches!(byte, 0 | b'/'))
}

/// Lengths are multiples of four; in blocks of 64 KiB the two low bits carry the length on.
pub fn record_length(stored: u16, block_size: usize) -> usize {
    let stored = usize::from(stored);
    if block_size < 65536 {
        stored
    } else if stored == 0 || stored == 65535 {
        block_size
    } else {
        stored & 0xfffc | (stored & 3) << 16
    }
}
