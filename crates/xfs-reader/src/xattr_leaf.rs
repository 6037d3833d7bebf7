//! Attributes in the inode and in leaf blocks, and values in blocks of their own.
//! "XFS Algorithms & Data Structures", "Short Form Attributes" to "Remote Attribute Values".

use crate::block::{self, Identity};
use crate::bytes::{be16, be32};
use crate::index::IndexBlock;
use crate::xattr::MOST_VALUE;
use crate::{Error, Inode, Xfs};

const LOCAL: u8 = 0x1;
const TRUSTED: u8 = 0x2;
const SECURITY: u8 = 0x4;
const PARENT: u8 = 0x8;
const INCOMPLETE: u8 = 0x80;

const LEAF: u16 = 0xfbee;
const LEAF_CHECKED: u16 = 0x3bee;
const LEAF_HEADER: usize = 32;
const LEAF_HEADER_CHECKED: usize = 80;
const LEAF_ENTRY: usize = 8;

const REMOTE_MAGIC: u32 = 0x5841_524d;
const REMOTE_HEADER: u64 = 56;
const REMOTE: Identity = Identity { checksum: 12, place: 40, uuid: 16, owner: 32 };

/// An attribute as it is stored.
pub struct Stored {
    /// Its whole name.
    pub name: Vec<u8>,
    pub value: Value,
}

/// Where a value is.
pub enum Value {
    Here(Vec<u8>),
    Remote { block: u32, length: u32 },
}

impl Stored {
    /// Bytes that it takes here.
    pub fn bytes(&self) -> usize {
        let value = if let Value::Here(bytes) = &self.value { bytes.len() } else { 0 };
        self.name.len() + value
    }
}

/// The whole name; none for what the kernel does not tell.
fn whole_name(flags: u8, name: &[u8]) -> Option<Vec<u8>> {
    if flags & (PARENT | INCOMPLETE) != 0 {
        return None;
    }
    let prefix: &[u8] = match flags & (TRUSTED | SECURITY) {
        0 => b"user.",
        TRUSTED => b"trusted.",
        SECURITY => b"security.",
        _ => return None,
    };
    Some([prefix, name].concat())
}

/// The attributes of a fork that holds them itself.
pub fn short_form(fork: &[u8], inode: &Inode) -> Result<Vec<Stored>, Error> {
    let size = usize::from(be16(fork, 0));
    let area = fork.get(..size).filter(|area| area.len() >= 4).ok_or_else(|| corrupt(inode))?;
    let mut stored = Vec::new();
    let mut rest = &area[4..];
    for _ in 0..area[2] {
        let (head, after) = rest.split_at_checked(3).ok_or_else(|| corrupt(inode))?;
        let split = after.split_at_checked(usize::from(head[0]));
        let split = split.and_then(|(name, after)| {
            let (value, after) = after.split_at_checked(usize::from(head[1]))?;
            Some((name, value, after))
        });
        let (name, value, after) = split.ok_or_else(|| corrupt(inode))?;
        if let Some(name) = whole_name(head[2], name) {
            stored.push(Stored { name, value: Value::Here(value.to_vec()) });
        }
        rest = after;
    }
    if rest.is_empty() { Ok(stored) } else { Err(corrupt(inode)) }
}

impl IndexBlock {
    /// The attributes of a leaf.
    pub fn attributes(&self, inode: &Inode) -> Result<Vec<Stored>, Error> {
        let old = self.info == 12;
        let (magic, header) =
            if old { (LEAF, LEAF_HEADER) } else { (LEAF_CHECKED, LEAF_HEADER_CHECKED) };
        let count = usize::from(be16(&self.raw, self.info));
        let entries = self.raw.get(header..header + count * LEAF_ENTRY);
        let entries = entries.filter(|_| self.magic == magic).ok_or_else(|| corrupt(inode))?;
        let mut stored = Vec::with_capacity(count);
        // Many entries may name the same bytes, if someone made them so.
        let mut bytes = 0;
        for entry in entries.chunks_exact(LEAF_ENTRY) {
            let found = self.attribute(entry).ok_or_else(|| corrupt(inode))?;
            bytes += found.as_ref().map_or(0, Stored::bytes);
            if bytes > self.raw.len() + count * b"security.".len() {
                return Err(corrupt(inode));
            }
            stored.extend(found);
        }
        Ok(stored)
    }

    /// The attribute of an entry, or none if the kernel would not tell of it; no answer if it
    /// cannot be right.
    #[expect(clippy::option_option, reason = "damage, hidden, found")]
    fn attribute(&self, entry: &[u8]) -> Option<Option<Stored>> {
        let flags = entry[6];
        let body = self.raw.get(usize::from(be16(entry, 4))..)?;
        let (value, name) = if flags & LOCAL != 0 {
            let (length, name_length) = (usize::from(be16(body, 0)), usize::from(*body.get(2)?));
            let (name, rest) = body[3..].split_at_checked(name_length)?;
            (Value::Here(rest.get(..length)?.to_vec()), name)
        } else {
            let name_length = usize::from(*body.get(8)?);
            let name = body[9..].get(..name_length)?;
            (Value::Remote { block: be32(body, 0), length: be32(body, 4) }, name)
        };
        Some(whole_name(flags, name).map(|name| Stored { name, value }))
    }
}

impl Xfs {
    /// A value in blocks of its own, each with a header in version 5.
    pub(crate) fn remote_value(
        &self,
        inode: &Inode,
        block: u32,
        length: u32,
    ) -> Result<Vec<u8>, Error> {
        let fork = inode.attributes.as_ref().ok_or_else(|| corrupt(inode))?;
        if length > MOST_VALUE {
            return Err(corrupt(inode));
        }
        let size = self.superblock.block_size;
        let header = if self.superblock.has_checksums() { REMOTE_HEADER } else { 0 };
        let blocks = u64::from(length).div_ceil(size - header);
        let wanted = u64::from(block)..u64::from(block) + blocks;
        let mut value = Vec::with_capacity(length as usize);
        let mut next = wanted.start;
        for run in self.runs(fork, &wanted)? {
            if run.logical != next || !run.written {
                return Err(corrupt(inode));
            }
            next = run.end();
            let raw = self.read_bytes(run.offset, run.length * size)?;
            for (place, raw) in (run.offset..).step_by(size as usize).zip(raw.chunks(size as usize))
            {
                self.take_piece(inode, raw, place, length as usize, &mut value)?;
            }
        }
        if value.len() == length as usize { Ok(value) } else { Err(corrupt(inode)) }
    }

    /// Adds the part of a value that is in one block.
    fn take_piece(
        &self,
        inode: &Inode,
        raw: &[u8],
        at: u64,
        length: usize,
        value: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let left = length - value.len();
        if !self.superblock.has_checksums() {
            value.extend(&raw[..left.min(raw.len())]);
            return Ok(());
        }
        let piece = &raw[REMOTE_HEADER as usize..];
        let used = left.min(piece.len());
        let told = (be32(raw, 0), be32(raw, 4) as usize, be32(raw, 8) as usize);
        if told != (REMOTE_MAGIC, value.len(), used) {
            return Err(corrupt(inode));
        }
        block::check(raw, &REMOTE, &self.superblock, at, inode.number)?;
        value.extend(&piece[..used]);
        Ok(())
    }
}

fn corrupt(inode: &Inode) -> Error {
    Error::corrupt("extended attributes of inode", inode.number.0)
}
