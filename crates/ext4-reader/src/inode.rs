//! Inodes: <https://docs.kernel.org/filesystems/ext4/dynamic.html#index-nodes>.

use crate::bytes::{joined, u16_at, u32_at};
use crate::extent::Run;
use crate::{Error, Ext4, checksum};
use std::sync::Arc;

/// Number of an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeNumber(pub u32);

/// Kind of an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pipe.
    Fifo,
    /// Character device.
    CharDevice,
    /// Directory.
    Directory,
    /// Block device.
    BlockDevice,
    /// Regular file.
    File,
    /// Symbolic link.
    Symlink,
    /// Socket.
    Socket,
}

/// Seconds since 1970, which may be negative, and nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// Nanoseconds, below 1,000,000,000 on a sound disk.
    pub nanoseconds: u32,
}

const ENCRYPTED: u32 = 0x800;
const COMPRESSED: u32 = 0x4;
const INDEX: u32 = 0x1000;
const EXTENTS: u32 = 0x8_0000;
const EA_INODE: u32 = 0x20_0000;
const INLINE_DATA: u32 = 0x1000_0000;
const CASEFOLD: u32 = 0x4000_0000;

/// An inode that was read.
#[derive(Debug, Clone)]
pub struct Inode {
    /// Its number.
    pub number: InodeNumber,
    /// Kind.
    pub kind: Kind,
    /// Permission bits, with set-id and sticky.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Hard links.
    pub links: u16,
    /// Last access.
    pub accessed: Time,
    /// Last change of the inode.
    pub changed: Time,
    /// Last change of the data.
    pub modified: Time,
    /// Creation, where inodes are large enough to keep it.
    pub created: Option<Time>,
    /// Flags as stored.
    pub flags: u32,
    /// Generation, for network filesystems.
    pub generation: u32,
    pub(crate) block: [u8; 60],
    pub(crate) xattr_block: u64,
    /// The part of the record after the fixed fields, which may hold extended attributes.
    pub(crate) body: Vec<u8>,
    /// Its map, if that is not the one on the device.
    pub(crate) runs: Option<Arc<Vec<Run>>>,
}

impl Ext4 {
    /// Reads an inode.
    pub fn inode(&self, number: InodeNumber) -> Result<Inode, Error> {
        if let Some((raw, runs)) = self.changes.inode(number) {
            return Ok(Inode { runs: Some(runs), ..Inode::parse(number, raw)? });
        }
        let range = self.inode_range(number)?;
        let mut raw = vec![0; (range.end - range.start) as usize];
        self.device.read_exact_at(range.start, &mut raw)?;
        self.checked(number, &raw)
    }

    /// The inode of a record that was read.
    fn checked(&self, number: InodeNumber, raw: &[u8]) -> Result<Inode, Error> {
        let inode = Inode::parse(number, raw)?;
        match self.superblock.checksum_seed {
            // What a wrong map leads to may be another file's.
            Some(seed) if !checksum::inode_holds(seed, &inode, raw) => {
                Err(Error::corrupt("checksum of inode", number.0))
            }
            _ => Ok(inode),
        }
    }

    /// The inode that a record holds, if it is a directory that is in use and sound.
    pub(crate) fn directory(&self, number: InodeNumber, raw: &[u8]) -> Option<Inode> {
        let linked = u16_at(raw, 0x1a) > 0 && kind(u16_at(raw, 0)) == Some(Kind::Directory);
        (linked && self.changes.inode(number).is_none())
            .then(|| self.checked(number, raw).ok())
            .flatten()
    }
}

impl Inode {
    pub(crate) fn parse(number: InodeNumber, raw: &[u8]) -> Result<Self, Error> {
        let mode = u16_at(raw, 0);
        let extra = if raw.len() > 128 { usize::from(u16_at(raw, 0x80)) } else { 0 };
        let end = 128 + extra;
        if end > raw.len() {
            return Err(Error::corrupt("inode's extra size out of range", number.0));
        }
        // Fields past the inode's own end are old bytes that mean nothing.
        let fixed = &raw[..end];
        let time = |low, high| Time::parse(u32_at(fixed, low), u32_at(fixed, high));
        Ok(Self {
            number,
            kind: kind(mode).ok_or(Error::corrupt("inode of no known kind", number.0))?,
            mode: mode & 0o7777,
            uid: u32::from(u16_at(raw, 0x2)) | u32::from(u16_at(raw, 0x78)) << 16,
            gid: u32::from(u16_at(raw, 0x18)) | u32::from(u16_at(raw, 0x7a)) << 16,
            size: joined(u32_at(raw, 0x4), size_high(mode, raw)),
            links: u16_at(raw, 0x1a),
            accessed: time(0x8, 0x8c),
            changed: time(0xc, 0x84),
            modified: time(0x10, 0x88),
            created: (end >= 0x94).then(|| time(0x90, 0x94)),
            flags: u32_at(raw, 0x20),
            generation: u32_at(raw, 0x64),
            block: std::array::from_fn(|index| raw[0x28 + index]),
            xattr_block: joined(u32_at(raw, 0x68), u32::from(u16_at(raw, 0x76))),
            body: raw[end..].to_vec(),
            runs: None,
        })
    }

    /// Major and minor number of a device node.
    pub fn device(&self) -> Option<(u32, u32)> {
        if !matches!(self.kind, Kind::CharDevice | Kind::BlockDevice) {
            return None;
        }
        let (old, new) = (u32_at(&self.block, 0), u32_at(&self.block, 4));
        Some(if old != 0 {
            (old >> 8 & 0xff, old & 0xff)
        } else {
            (new >> 8 & 0xfff, new & 0xff | new >> 12 & 0xf_ff00)
        })
    }

    pub(crate) fn uses_extents(&self) -> bool {
        self.flags & EXTENTS != 0
    }

    /// Whether all extents are in the inode.
    pub(crate) fn has_flat_map(&self) -> bool {
        u16_at(&self.block, 6) == 0
    }

    /// Whether a directory has an index of hashed names.
    pub(crate) fn is_indexed(&self) -> bool {
        self.flags & INDEX != 0
    }

    /// Whether it holds the value of an extended attribute.
    pub(crate) fn holds_attribute(&self) -> bool {
        self.flags & EA_INODE != 0
    }

    pub(crate) fn folds_case(&self) -> bool {
        self.flags & CASEFOLD != 0
    }

    pub(crate) fn is_inline(&self) -> bool {
        self.flags & INLINE_DATA != 0
    }

    pub(crate) fn check_readable(&self) -> Result<(), Error> {
        if self.flags & ENCRYPTED != 0 {
            return Err(Error::unsupported("an encrypted file"));
        }
        if self.flags & COMPRESSED != 0 {
            return Err(Error::unsupported("a compressed file"));
        }
        Ok(())
    }
}

/// Only files and directories have a size of 64 bits; elsewhere the field means other things.
fn size_high(mode: u16, raw: &[u8]) -> u32 {
    if matches!(kind(mode), Some(Kind::File | Kind::Directory)) { u32_at(raw, 0x6c) } else { 0 }
}

fn kind(mode: u16) -> Option<Kind> {
    Some(match mode >> 12 {
        0x1 => Kind::Fifo,
        0x2 => Kind::CharDevice,
        0x4 => Kind::Directory,
        0x6 => Kind::BlockDevice,
        0x8 => Kind::File,
        0xa => Kind::Symlink,
        0xc => Kind::Socket,
        _ => return None,
    })
}

impl Time {
    /// The low word is signed; two bits of the extra word carry it on to the year 2446.
    fn parse(low: u32, extra: u32) -> Self {
        let seconds = i64::from(low.cast_signed()) + (i64::from(extra & 3) << 32);
        Self { seconds, nanoseconds: extra >> 2 }
    }
}
