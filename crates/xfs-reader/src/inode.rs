//! Inodes: "XFS Algorithms & Data Structures", "On-disk Inode".

use crate::bytes::{be16, be32, be64, uuid};
use crate::fork::{Fork, Form};
use crate::{Error, Superblock, Time, Xfs, checksum, incompat};
use std::ops::Range;

/// Number of an inode, which says where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeNumber(pub u64);

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

const MAGIC: u16 = 0x494e;
const CHECKSUM: usize = 100;
/// Where the forks start, in versions 1 and 2, and in version 3.
const OLD_CORE: usize = 100;
const CORE: usize = 176;

const FLAG_REALTIME: u16 = 0x1;
const FLAG2_BIGTIME: u64 = 0x8;
const FLAG2_NREXT64: u64 = 0x10;

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
    /// Project, for quotas.
    pub project: u32,
    /// Size in bytes.
    pub size: u64,
    /// Hard links.
    pub links: u32,
    /// Last access.
    pub accessed: Time,
    /// Last change of the inode.
    pub changed: Time,
    /// Last change of the data.
    pub modified: Time,
    /// Creation, which inodes of version 3 keep.
    pub created: Option<Time>,
    /// Flags as stored.
    pub flags: u16,
    /// More flags, of inodes of version 3.
    pub flags2: u64,
    /// Generation, for network filesystems.
    pub generation: u32,
    pub(crate) data: Fork,
    pub(crate) attributes: Option<Fork>,
}

impl Xfs {
    /// Reads an inode.
    pub fn inode(&self, number: InodeNumber) -> Result<Inode, Error> {
        let range = self.inode_range(number)?;
        let mut raw = vec![0; self.superblock.inode_size as usize];
        self.device.read_exact_at(range.start, &mut raw)?;
        Inode::parse(number, &raw, &self.superblock)
    }

    /// Where an inode is on the device, as its number says.
    pub fn inode_range(&self, number: InodeNumber) -> Result<Range<u64>, Error> {
        let at = self.superblock.inode_offset(number.0);
        let at = at.ok_or(Error::corrupt("inode number outside the filesystem", number.0))?;
        Ok(at..at + self.superblock.inode_size)
    }
}

impl Inode {
    fn parse(number: InodeNumber, raw: &[u8], superblock: &Superblock) -> Result<Self, Error> {
        check_identity(number, raw, superblock)?;
        let version = raw[4];
        let flags2 = if version == 3 { be64(raw, 120) } else { 0 };
        let big = flags2 & FLAG2_BIGTIME != 0 && superblock.has(incompat::BIGTIME);
        let time = |at| Time::parse(raw, at, big);
        let mode = be16(raw, 2);
        let (data, attributes) = forks(number, raw, superblock, flags2)?;
        Ok(Self {
            number,
            kind: kind(mode).ok_or(Error::corrupt("inode of no known kind", number.0))?,
            mode: mode & 0o7777,
            uid: be32(raw, 8),
            gid: be32(raw, 12),
            project: if version == 1 {
                0
            } else {
                u32::from(be16(raw, 22)) << 16 | u32::from(be16(raw, 20))
            },
            size: be64(raw, 56),
            links: if version == 1 { u32::from(be16(raw, 6)) } else { be32(raw, 16) },
            accessed: time(32),
            changed: time(48),
            modified: time(40),
            created: (version == 3).then(|| time(144)),
            flags: be16(raw, 90),
            flags2,
            generation: be32(raw, 92),
            data,
            attributes,
        })
    }

    /// Major and minor number of a device node.
    pub fn device(&self) -> Option<(u32, u32)> {
        let is_device = matches!(self.kind, Kind::CharDevice | Kind::BlockDevice);
        if !is_device || self.data.form != Form::Device {
            return None;
        }
        let number = be32(&self.data.bytes, 0);
        Some((number >> 18 & 0x3fff, number & 0x3_ffff))
    }

    pub(crate) fn is_realtime(&self) -> bool {
        self.kind == Kind::File && self.flags & FLAG_REALTIME != 0
    }
}

/// Whether this is the inode that it should be.
fn check_identity(number: InodeNumber, raw: &[u8], superblock: &Superblock) -> Result<(), Error> {
    let corrupt = |what| Err(Error::corrupt(what, number.0));
    if be16(raw, 0) != MAGIC {
        return corrupt("no inode magic at inode");
    }
    let modern = superblock.has_checksums();
    match raw[4] {
        3 if modern => {}
        1 | 2 if !modern => return Ok(()),
        _ => return corrupt("version of inode"),
    }
    if !checksum::holds(raw, CHECKSUM) {
        return corrupt("checksum of inode");
    }
    if be64(raw, 152) != number.0 {
        return corrupt("another number in inode");
    }
    if uuid(raw, 160) != superblock.meta_uuid {
        return corrupt("another filesystem's UUID in inode");
    }
    Ok(())
}

/// The data fork and the attribute fork, which starts where the inode says, if at all.
fn forks(
    number: InodeNumber,
    raw: &[u8],
    superblock: &Superblock,
    flags2: u64,
) -> Result<(Fork, Option<Fork>), Error> {
    let area = &raw[if raw[4] == 3 { CORE } else { OLD_CORE }..];
    let split = usize::from(raw[82]) * 8;
    if split > area.len() {
        return Err(Error::corrupt("place of the attributes of inode", number.0));
    }
    let large = flags2 & FLAG2_NREXT64 != 0 && superblock.has(incompat::NREXT64);
    let (extents, attribute_extents) = if large {
        (be64(raw, 24), u64::from(be32(raw, 76)))
    } else {
        (u64::from(be32(raw, 76)), u64::from(be16(raw, 80)))
    };
    let fork = |bytes: &[u8], form: u8, extents| Fork {
        owner: number,
        form: Form::parse(form),
        bytes: bytes.to_vec(),
        extents,
    };
    if split == 0 {
        return Ok((fork(area, raw[5], extents), None));
    }
    let attributes = fork(&area[split..], raw[83], attribute_extents);
    Ok((fork(&area[..split], raw[5], extents), Some(attributes)))
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
