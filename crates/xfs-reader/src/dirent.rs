//! Records of one block of a directory.
//! "XFS Algorithms & Data Structures", "Directory Data Block".

use crate::Kind;
use crate::bytes::{be16, be32, be64};

const UNUSED: u16 = 0xffff;
const ALIGNMENT: usize = 8;

/// A record in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub inode: u64,
    pub name: &'a [u8],
    /// Kind of the inode, as far as the record tells.
    pub kind: Option<Kind>,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It cannot end where it seems to, so nothing after it in the block can be read.
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

/// The records of a block, between its header and its end.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Offset of the first record.
    pub start: usize,
    /// Offset after the last record.
    pub end: usize,
    /// Whether records tell the kind of what they name.
    pub file_types: bool,
}

impl Layout {
    /// Where records end, in a block that also holds the index of all names, from its end on.
    pub fn before_index(block: &[u8], start: usize, file_types: bool) -> Option<Self> {
        let tail = block.len().checked_sub(8)?;
        let index = (be32(block, tail) as usize).checked_mul(8)?;
        let end = tail.checked_sub(index)?;
        (end >= start).then_some(Self { start, end, file_types })
    }

    /// The record at `at`, and where the next one starts; no record in space that is not used.
    pub fn record<'a>(
        &self,
        block: &'a [u8],
        at: usize,
    ) -> Result<(Option<Record<'a>>, usize), Flaw> {
        let rest = block.get(at..self.end).ok_or(Flaw::Length)?;
        if be16(rest, 0) == UNUSED {
            let length = usize::from(be16(rest, 2));
            return Ok((None, tagged(rest, at, length)?));
        }
        let name_length = usize::from(*rest.get(8).ok_or(Flaw::Length)?);
        let used = 9 + name_length + usize::from(self.file_types) + 2;
        let next = tagged(rest, at, used.next_multiple_of(ALIGNMENT))?;
        let kind = self.file_types.then(|| kind(rest[9 + name_length])).flatten();
        let record = Record { inode: be64(rest, 0), name: &rest[9..9 + name_length], kind };
        Ok((Some(record), next))
    }
}

/// What a stored kind means; no kind where records have none.
pub fn kind(stored: u8) -> Option<Kind> {
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

/// Where a record ends: its last two bytes say where it starts.
fn tagged(rest: &[u8], at: usize, length: usize) -> Result<usize, Flaw> {
    let sane = length.is_multiple_of(ALIGNMENT) && (ALIGNMENT..=rest.len()).contains(&length);
    if !sane || usize::from(be16(rest, length - 2)) != at {
        return Err(Flaw::Length);
    }
    Ok(at + length)
}

/// The records in use of a block. Ends after [`Flaw::Length`].
pub struct Records<'a> {
    block: &'a [u8],
    layout: Layout,
    at: usize,
    /// Whether the directory itself and its parent may be named: the first two entries may.
    dots: u8,
}

impl<'a> Records<'a> {
    /// `first` tells whether it is the first block, which names the directory and its parent.
    pub fn of(block: &'a [u8], layout: Layout, first: First) -> Self {
        let dots = if first == First::Yes { 2 } else { 0 };
        Self { block, layout, at: layout.start, dots }
    }

    fn judge(&mut self, record: Record<'a>) -> Option<Result<Record<'a>, Flaw>> {
        let expected: &[u8] = if self.dots == 2 { b"." } else { b".." };
        if self.dots > 0 && record.name == expected {
            self.dots -= 1;
            return None;
        }
        Some(if is_name(record.name) { Ok(record) } else { Err(Flaw::Name) })
    }
}

/// Whether a block is the first of its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    Yes,
    No,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.layout.end {
            match self.layout.record(self.block, self.at) {
                Ok((record, next)) => {
                    self.at = next;
                    let judged = record.and_then(|record| self.judge(record));
                    if judged.is_some() {
                        return judged;
                    }
                }
                Err(flaw) => {
                    self.at = self.layout.end;
                    return Some(Err(flaw));
                }
            }
        }
        None
    }
}

/// Whether a directory can hold these bytes as the name of something in it.
pub fn is_name(name: &[u8]) -> bool {
    let dots = name == b"." || name == b"..";
    !dots && (1..=255).contains(&name.len()) && !name.iter().any(|byte| matches!(byte, 0 | b'/'))
}
