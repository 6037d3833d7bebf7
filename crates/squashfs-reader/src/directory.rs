//! Directories: runs of entries sorted by name, each run behind a header; large ones have an index
//! of where runs begin and with which name.

use crate::Squashfs;
use crate::error::{Error, corrupt};
use crate::inode::{Directory, Inode, InodeRef, Kind};
use crate::metadata::{Cursor, MOST_ON_DISK, SIZE};
use std::ops::{ControlFlow, Range};

/// `.` and `..` are counted in a directory's size, and not there.
const UNREAL: u32 = 3;
const HEADER: u32 = 12;
const ENTRY: u32 = 8;
/// Entries behind one header.
const MOST_IN_RUN: u32 = 256;
/// Entries of one directory that are kept: packed, four gigabytes of them are some megabytes.
const MOST_KEPT: usize = 1 << 20;

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: Vec<u8>,
    /// The inode's place.
    pub inode: InodeRef,
}

/// What a directory holds, as far as it could be read.
#[derive(Debug, Default)]
pub struct Listing {
    /// The entries.
    pub entries: Vec<Entry>,
    /// What ended the reading too early.
    pub damage: Option<Error>,
}

pub fn list(image: &Squashfs, inode: &Inode) -> Result<Listing, Error> {
    let directory = of(inode)?;
    let mut listing = Listing::default();
    let mut is_full = false;
    let walked = walk(image, directory, &Start::first(image, directory), &mut |entry| {
        is_full = listing.entries.len() >= MOST_KEPT;
        if is_full {
            return ControlFlow::Break(());
        }
        listing.entries.push(entry);
        ControlFlow::Continue(())
    });
    let too_many = || {
        let feature = format!("squashfs directories of more than {MOST_KEPT} entries");
        Error::Unsupported { feature }
    };
    listing.damage = walked.err().or_else(|| is_full.then(too_many));
    Ok(listing)
}

pub fn lookup(image: &Squashfs, inode: &Inode, name: &[u8]) -> Result<Option<InodeRef>, Error> {
    let directory = of(inode)?;
    let start = Start::by_index(image, directory, name)?;
    let mut found = None;
    walk(image, directory, &start, &mut |entry| {
        // Names are in order.
        if entry.name.as_slice() < name {
            return ControlFlow::Continue(());
        }
        found = (entry.name == name).then_some(entry.inode);
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// From the first metadata block with entries to where the last could end, if nothing were packed.
pub fn ranges(image: &Squashfs, directory: &Directory, bytes: &Range<u64>) -> Vec<Range<u64>> {
    let end = bytes.end.min(directory.size.saturating_sub(UNREAL).into());
    if bytes.start >= end {
        return Vec::new();
    }
    let first = Start::first(image, directory);
    let blocks = (first.offset as u64 + end).div_ceil(SIZE as u64);
    let end = first.block.saturating_add(blocks * MOST_ON_DISK);
    let range = first.block..end.min(image.superblock.bytes_used);
    if range.is_empty() { Vec::new() } else { vec![range] }
}

fn of(inode: &Inode) -> Result<&Directory, Error> {
    match &inode.kind {
        Kind::Directory(directory) => Ok(directory),
        _ => Err(corrupt("no directory", inode.at.0)),
    }
}

/// Where in a directory to begin.
#[derive(Clone, Copy)]
struct Start {
    block: u64,
    offset: usize,
    /// Bytes of the directory before.
    skipped: u32,
}

impl Start {
    fn first(image: &Squashfs, directory: &Directory) -> Self {
        let block = image.superblock.directory_table.saturating_add(u64::from(directory.block));
        Self { block, offset: usize::from(directory.offset), skipped: 0 }
    }

    /// The last run whose first name is not above `name`.
    fn by_index(image: &Squashfs, directory: &Directory, name: &[u8]) -> Result<Self, Error> {
        let mut start = Self::first(image, directory);
        let (block, offset) = directory.index;
        let mut cursor = Cursor::new(image, block, offset);
        for _ in 0..directory.indexes {
            let (skipped, block, length) = (cursor.word()?, cursor.word()?, cursor.word()?);
            let length = u16::try_from(length).ok().filter(|length| *length < 256);
            let length = length.ok_or_else(|| corrupt("name in an index", cursor.place()))?;
            if cursor.bytes(length + 1)?.as_slice() > name {
                break;
            }
            let block = image.superblock.directory_table.saturating_add(u64::from(block));
            let offset = (usize::from(directory.offset) + skipped as usize) % SIZE;
            start = Self { block, offset, skipped };
        }
        Ok(start)
    }
}

fn walk(
    image: &Squashfs,
    directory: &Directory,
    start: &Start,
    visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut cursor = Cursor::new(image, start.block, start.offset);
    let mut left = directory.size.saturating_sub(UNREAL).saturating_sub(start.skipped);
    while left > 0 {
        let (count, block, _first) = (cursor.word()?, cursor.word()?, cursor.word()?);
        let place = cursor.place();
        let count = count.checked_add(1).filter(|count| *count <= MOST_IN_RUN);
        let count = count.ok_or_else(|| corrupt("number of entries", place))?;
        left = left.checked_sub(HEADER).ok_or_else(|| corrupt("size of a directory", place))?;
        for _ in 0..count {
            let (offset, _number, _kind) = (cursor.short()?, cursor.short()?, cursor.short()?);
            let length = cursor.short()?.checked_add(1).filter(|length| *length <= 256);
            let length = length.ok_or_else(|| corrupt("length of a name", place))?;
            let name = cursor.bytes(length)?;
            if name.contains(&b'/') || name.contains(&0) {
                return Err(corrupt("name", place));
            }
            let taken = ENTRY + u32::from(length);
            left = left.checked_sub(taken).ok_or_else(|| corrupt("size of a directory", place))?;
            let inode = InodeRef(u64::from(block) << 16 | u64::from(offset));
            if visit(Entry { name, inode }).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
