//! Fast commits: small changes after the last whole transaction, written down as what was done
//! instead of as blocks. <https://docs.kernel.org/filesystems/ext4/journal.html#fast-commits>
//!
//! The area is read as the kernel scans it: a commit counts if its tail names the transaction that
//! it follows and has the right checksum; what comes after the last such tail never happened.

use super::log::Log;
use crate::bytes::{joined, u16_at, u32_at};
use crate::checksum::crc32c;
use crate::dirent::is_name;
use crate::extent::{MOST_WRITTEN, Run};
use crate::{Error, InodeNumber};

mod kind {
    pub const ADD_RANGE: u16 = 1;
    pub const DELETE_RANGE: u16 = 2;
    pub const CREATE: u16 = 3;
    pub const LINK: u16 = 4;
    pub const UNLINK: u16 = 5;
    pub const INODE: u16 = 6;
    pub const PAD: u16 = 7;
    pub const TAIL: u16 = 8;
    pub const HEAD: u16 = 9;
}

const TAG_HEADER: usize = 4;

/// Something that a fast commit did.
#[derive(Debug, Clone)]
pub enum Change {
    /// An inode changed in all but its map; the bytes are the start of its record.
    Inode { number: InodeNumber, raw: Vec<u8> },
    /// Blocks of a file are here now, or were allocated and not written, which is as a hole.
    AddRange { number: InodeNumber, run: Run, written: bool },
    /// Blocks of a file are a hole now.
    DeleteRange { number: InodeNumber, logical: u64, length: u64 },
    /// A new file or directory got its name.
    Create(Naming),
    /// A file got one more name.
    Link(Naming),
    /// A file lost a name.
    Unlink(Naming),
}

/// A name in a directory.
#[derive(Debug, Clone)]
pub struct Naming {
    pub parent: InodeNumber,
    pub number: InodeNumber,
    pub name: Vec<u8>,
}

/// What the fast commits after transaction `follows - 1` did.
#[derive(Default)]
pub struct FastCommits {
    /// In the order in which it was done.
    pub changes: Vec<Change>,
    pub problem: Option<Error>,
}

struct Scan {
    follows: u32,
    sum: u32,
    /// Changes since the last tail.
    pending: Vec<Change>,
    found: FastCommits,
}

/// Whether there is more to scan.
enum Step {
    On,
    End,
}

impl Log<'_> {
    /// Reads the area of fast commits.
    pub fn fast_commits(&self, follows: u32) -> FastCommits {
        let mut scan = Scan { follows, sum: 0, pending: Vec::new(), found: FastCommits::default() };
        for index in self.fast_commit_blocks() {
            match self.block(index) {
                Ok(block)
                    if index == self.fast_commit_blocks().start
                        && u16_at(&block, 0) != kind::HEAD =>
                {
                    break;
                }
                Ok(block) => {
                    if matches!(scan.block(&block), Step::End) {
                        break;
                    }
                }
                Err(problem) => {
                    scan.found.problem = Some(problem);
                    break;
                }
            }
        }
        scan.found
    }
}

impl Scan {
    fn block(&mut self, block: &[u8]) -> Step {
        let mut at = 0;
        while at + TAG_HEADER <= block.len() {
            let length = usize::from(u16_at(block, at + 2));
            let Some(tag) = block.get(at..at + TAG_HEADER + length) else { return Step::End };
            if matches!(self.tag(u16_at(tag, 0), tag), Step::End) {
                return Step::End;
            }
            at += tag.len();
        }
        Step::On
    }

    fn tag(&mut self, kind: u16, tag: &[u8]) -> Step {
        let value = &tag[TAG_HEADER..];
        match kind {
            kind::TAIL => return self.tail(tag),
            kind::HEAD => {
                if value.len() < 8 || u32_at(value, 4) != self.follows {
                    return Step::End;
                }
                if u32_at(value, 0) != 0 {
                    let feature = format!("features {:#x} of fast commits", u32_at(value, 0));
                    self.found.problem = Some(Error::unsupported(feature));
                    return Step::End;
                }
            }
            kind::PAD => {}
            _ => match change(kind, value) {
                Some(change) => self.pending.push(change),
                None => return Step::End,
            },
        }
        self.sum = crc32c(self.sum, tag);
        Step::On
    }

    /// The end of a commit: its changes count if the tail is sound. One of another transaction is
    /// left from before.
    fn tail(&mut self, tag: &[u8]) -> Step {
        let value = &tag[TAG_HEADER..];
        if value.len() < 8 || u32_at(value, 0) != self.follows {
            return Step::End;
        }
        if crc32c(self.sum, &tag[..8]) != u32_at(value, 4) {
            self.found.problem =
                Some(Error::corrupt("checksum of a fast commit after transaction", self.follows));
            return Step::End;
        }
        self.sum = 0;
        self.found.changes.append(&mut self.pending);
        Step::On
    }
}

fn change(kind: u16, value: &[u8]) -> Option<Change> {
    let number = InodeNumber(u32_at(value, 0));
    Some(match kind {
        kind::INODE if value.len() >= 4 + 128 => Change::Inode { number, raw: value[4..].to_vec() },
        kind::ADD_RANGE if value.len() == 16 => {
            let stored = u64::from(u16_at(value, 8));
            let written = stored <= MOST_WRITTEN;
            let length = if written { stored } else { stored - MOST_WRITTEN };
            let physical = joined(u32_at(value, 12), u32::from(u16_at(value, 10)));
            let run = Run { logical: u64::from(u32_at(value, 4)), physical, length };
            Change::AddRange { number, run, written }
        }
        kind::DELETE_RANGE if value.len() == 12 => Change::DeleteRange {
            number,
            logical: u64::from(u32_at(value, 4)),
            length: u64::from(u32_at(value, 8)),
        },
        kind::CREATE => Change::Create(naming(value)?),
        kind::LINK => Change::Link(naming(value)?),
        kind::UNLINK => Change::Unlink(naming(value)?),
        _ => return None,
    })
}

fn naming(value: &[u8]) -> Option<Naming> {
    let name = value.get(8..).filter(|name| is_name(name))?.to_vec();
    let (parent, number) = (InodeNumber(u32_at(value, 0)), InodeNumber(u32_at(value, 4)));
    Some(Naming { parent, number, name })
}
