//! Inodes: fourteen kinds, seven of them extended, named by their place in the table of inodes.

use crate::Squashfs;
use crate::error::{Error, corrupt};
use crate::metadata::Cursor;

/// No fragment, no extended attributes.
const NONE: u32 = u32::MAX;
/// Longest target of a link that is read; the kernel takes no longer ones.
const LONGEST_LINK: u32 = 65_535;

/// Place of an inode: block from the start of the table of inodes, and offset in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeRef(pub u64);

/// What an inode is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Directory.
    Directory(Directory),
    /// Regular file.
    File(File),
    /// Symbolic link and its target.
    Symlink(Vec<u8>),
    /// Block device: major and minor number.
    BlockDevice(u32, u32),
    /// Character device.
    CharDevice(u32, u32),
    /// Pipe.
    Fifo,
    /// Socket.
    Socket,
}

/// Where a directory's entries are.
#[derive(Debug, Clone)]
pub struct Directory {
    pub(crate) block: u32,
    pub(crate) offset: u16,
    pub(crate) size: u32,
    /// Entries of the index that follows the inode.
    pub(crate) indexes: u16,
    pub(crate) index: (u64, usize),
}

/// Where a file's bytes are.
#[derive(Debug, Clone)]
pub struct File {
    pub(crate) start: u64,
    pub(crate) size: u64,
    pub(crate) fragment: Option<(u32, u32)>,
    /// Where the sizes of its blocks are listed.
    pub(crate) list: (u64, usize),
}

/// An inode.
#[derive(Debug, Clone)]
pub struct Inode {
    /// Its place.
    pub at: InodeRef,
    /// Inode number.
    pub number: u32,
    /// Permission bits with set-id and sticky.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Seconds since 1970.
    pub modified: u32,
    /// Hard links.
    pub links: u32,
    /// What it is.
    pub kind: Kind,
    pub(crate) xattrs: Option<u32>,
}

impl Inode {
    /// Size in bytes, as `stat` tells it.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::Directory(directory) => u64::from(directory.size),
            Kind::File(file) => file.size,
            Kind::Symlink(target) => target.len() as u64,
            _ => 0,
        }
    }

    pub(crate) fn read(image: &Squashfs, at: InodeRef) -> Result<Self, Error> {
        let mut cursor = Cursor::of_reference(image, image.superblock.inode_table, at.0)?;
        let number_of_kind = cursor.short()?;
        let mode = cursor.short()? & 0o7777;
        let (owner, group) = (cursor.short()?, cursor.short()?);
        let (modified, number) = (cursor.word()?, cursor.word()?);
        let Parts { kind, links, xattrs } = parts(image, &mut cursor, number_of_kind)?;
        let (uid, gid) = (image.id(owner)?, image.id(group)?);
        let xattrs = Some(xattrs).filter(|index| *index != NONE);
        Ok(Self { at, number, mode, uid, gid, modified, links, kind, xattrs })
    }
}

/// What differs by kind.
struct Parts {
    kind: Kind,
    links: u32,
    xattrs: u32,
}

fn parts(image: &Squashfs, cursor: &mut Cursor, kind: u16) -> Result<Parts, Error> {
    let (place, extended) = (cursor.place(), kind > 7);
    let mut xattrs = NONE;
    let (links, found) = match kind {
        1 => small_directory(cursor)?,
        2 => small_file(image, cursor)?,
        8 => large_directory(cursor, &mut xattrs)?,
        9 => large_file(image, cursor, &mut xattrs)?,
        3 | 10 => link(cursor)?,
        4 | 11 => {
            let (links, (major, minor)) = (cursor.word()?, device(cursor.word()?));
            (links, Kind::BlockDevice(major, minor))
        }
        5 | 12 => {
            let (links, (major, minor)) = (cursor.word()?, device(cursor.word()?));
            (links, Kind::CharDevice(major, minor))
        }
        6 | 13 => (cursor.word()?, Kind::Fifo),
        7 | 14 => (cursor.word()?, Kind::Socket),
        _ => return Err(corrupt("kind of an inode", place)),
    };
    // Of directories and files it is among the rest.
    if extended && kind > 9 {
        xattrs = cursor.word()?;
    }
    Ok(Parts { kind: found, links, xattrs })
}

fn small_directory(cursor: &mut Cursor) -> Result<(u32, Kind), Error> {
    let (block, links) = (cursor.word()?, cursor.word()?);
    let (size, offset) = (u32::from(cursor.short()?), cursor.short()?);
    let directory = Directory { block, offset, size, indexes: 0, index: (0, 0) };
    Ok((links, Kind::Directory(directory)))
}

fn large_directory(cursor: &mut Cursor, xattrs: &mut u32) -> Result<(u32, Kind), Error> {
    let (links, size, block) = (cursor.word()?, cursor.word()?, cursor.word()?);
    let _parent = cursor.word()?;
    let (indexes, offset) = (cursor.short()?, cursor.short()?);
    *xattrs = cursor.word()?;
    let directory = Directory { block, offset, size, indexes, index: cursor.position() };
    Ok((links, Kind::Directory(directory)))
}

fn small_file(image: &Squashfs, cursor: &mut Cursor) -> Result<(u32, Kind), Error> {
    let (start, fragment, offset) = (u64::from(cursor.word()?), cursor.word()?, cursor.word()?);
    let size = u64::from(cursor.word()?);
    Ok((1, file(image, cursor, start, size, (fragment, offset))))
}

fn large_file(
    image: &Squashfs,
    cursor: &mut Cursor,
    xattrs: &mut u32,
) -> Result<(u32, Kind), Error> {
    let (start, size, _sparse) = (cursor.long()?, cursor.long()?, cursor.long()?);
    let (links, fragment, offset) = (cursor.word()?, cursor.word()?, cursor.word()?);
    *xattrs = cursor.word()?;
    Ok((links, file(image, cursor, start, size, (fragment, offset))))
}

fn file(image: &Squashfs, cursor: &Cursor, start: u64, size: u64, fragment: (u32, u32)) -> Kind {
    // A file of whole blocks may name a fragment that it has nothing in.
    let tail = size % u64::from(image.superblock.block_size);
    let fragment = Some(fragment).filter(|it| it.0 != NONE && tail > 0);
    Kind::File(File { start, size, fragment, list: cursor.position() })
}

fn link(cursor: &mut Cursor) -> Result<(u32, Kind), Error> {
    let (links, size) = (cursor.word()?, cursor.word()?);
    let length = u16::try_from(size).ok().filter(|_| size <= LONGEST_LINK);
    let length = length.ok_or_else(|| corrupt("length of a link", cursor.place()))?;
    Ok((links, Kind::Symlink(cursor.bytes(length)?)))
}

/// Twelve bits of major number amid twenty of minor, as Linux keeps them in 32 bits.
fn device(number: u32) -> (u32, u32) {
    (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xf_ff00)
}
