//! File records, of which each file has one, or more if its attributes need the room:
//! <https://flatcap.github.io/linux-ntfs/ntfs/concepts/file_record.html>, and attributes:
//! <https://flatcap.github.io/linux-ntfs/ntfs/concepts/attribute_header.html>.

use crate::bytes::{part, u16_at, u32_at, u64_at, units};
use crate::{Error, FileReference, fixup};

const IN_USE: u16 = 0x1;
const DIRECTORY: u16 = 0x2;
const LAST: u32 = 0xffff_ffff;

/// Types of attributes.
pub mod kind {
    pub const STANDARD_INFORMATION: u32 = 0x10;
    pub const ATTRIBUTE_LIST: u32 = 0x20;
    pub const FILE_NAME: u32 = 0x30;
    pub const VOLUME_NAME: u32 = 0x60;
    pub const VOLUME_INFORMATION: u32 = 0x70;
    pub const DATA: u32 = 0x80;
    pub const INDEX_ROOT: u32 = 0x90;
    pub const INDEX_ALLOCATION: u32 = 0xa0;
    pub const BITMAP: u32 = 0xb0;
    pub const REPARSE_POINT: u32 = 0xc0;
}

/// A record in use, its fixups undone.
#[derive(Debug)]
pub struct Record {
    pub number: u64,
    pub sequence: u16,
    flags: u16,
    /// The record that this one extends; zero if it is a base record.
    base: FileReference,
    first: usize,
    /// The record up to its last byte in use.
    bytes: Vec<u8>,
}

impl Record {
    pub fn parse(number: u64, mut bytes: Vec<u8>) -> Result<Self, Error> {
        fixup::undo(&mut bytes, *b"FILE").map_err(|what| Error::corrupt(what, number))?;
        let flags = u16_at(&bytes, 0x16);
        if flags & IN_USE == 0 {
            return Err(Error::corrupt("file record not in use", number));
        }
        let (first, used) = (usize::from(u16_at(&bytes, 0x14)), u32_at(&bytes, 0x18) as usize);
        if first < 0x2a || first % 8 != 0 || first > used || used > bytes.len() {
            return Err(Error::corrupt("bytes in use out of range in file record", number));
        }
        bytes.truncate(used);
        let base = FileReference(u64_at(&bytes, 0x20));
        Ok(Self { number, sequence: u16_at(&bytes, 0x10), flags, base, first, bytes })
    }

    pub fn reference(&self) -> FileReference {
        FileReference::new(self.number, self.sequence)
    }

    pub fn is_directory(&self) -> bool {
        self.flags & DIRECTORY != 0
    }

    /// Holds that this is the base record of the file that is meant, not of one that had the
    /// record before or has it since.
    pub fn check_base(&self, meant: FileReference) -> Result<(), Error> {
        self.check_sequence(meant)?;
        if self.base != FileReference(0) {
            return Err(Error::corrupt("record that extends another: record", self.number));
        }
        Ok(())
    }

    /// Holds that this record extends the base record `base`.
    pub fn check_extends(&self, meant: FileReference, base: FileReference) -> Result<(), Error> {
        self.check_sequence(meant)?;
        if self.base != base {
            return Err(Error::corrupt("record that belongs to another file: record", self.number));
        }
        Ok(())
    }

    fn check_sequence(&self, meant: FileReference) -> Result<(), Error> {
        if meant.sequence() != 0 && meant.sequence() != self.sequence {
            return Err(Error::corrupt("record of another sequence number: record", self.number));
        }
        Ok(())
    }

    pub fn attributes(&self) -> Attributes<'_> {
        Attributes { record: self, at: self.first, ended: false }
    }
}

/// One attribute as it stands in a record.
#[derive(Debug)]
pub struct RawAttribute<'a> {
    pub kind: u32,
    pub name: Vec<u16>,
    pub flags: u16,
    pub form: Form<'a>,
}

#[derive(Debug)]
pub enum Form<'a> {
    Resident(&'a [u8]),
    Stored(Stored<'a>),
}

/// An attribute, or a piece of one, whose data is in clusters.
#[derive(Debug)]
pub struct Stored<'a> {
    pub first: u64,
    /// The cluster after the last; not more than `first` if there are none.
    pub end: u64,
    pub unit: u8,
    /// Size, and how much of it was ever written; said only by the piece with the first cluster.
    pub size: u64,
    pub initialized: u64,
    pub pairs: &'a [u8],
}

/// The attributes of a record, up to the first damaged one.
pub struct Attributes<'a> {
    record: &'a Record,
    at: usize,
    ended: bool,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<RawAttribute<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.record.bytes.get(self.at..).unwrap_or(&[]);
        // Some writers leave the end mark out of the bytes in use.
        if self.ended || rest.len() < 4 || u32_at(rest, 0) == LAST {
            return None;
        }
        let length = u32_at(rest, 4) as usize;
        let attribute = rest.get(..length).filter(|all| all.len() >= 0x18).and_then(parse);
        self.ended = attribute.is_none();
        self.at += length;
        Some(
            attribute.ok_or(Error::corrupt("damaged attribute in file record", self.record.number)),
        )
    }
}

fn parse(bytes: &[u8]) -> Option<RawAttribute<'_>> {
    let name_length = usize::from(bytes[9]) * 2;
    let name = units(part(bytes, usize::from(u16_at(bytes, 0xa)), name_length)?);
    let form = if bytes[8] == 0 {
        let length = u32_at(bytes, 0x10) as usize;
        Form::Resident(part(bytes, usize::from(u16_at(bytes, 0x14)), length)?)
    } else {
        Form::Stored(parse_stored(bytes)?)
    };
    Some(RawAttribute { kind: u32_at(bytes, 0), name, flags: u16_at(bytes, 0xc), form })
}

fn parse_stored(bytes: &[u8]) -> Option<Stored<'_>> {
    let pairs = bytes.get(usize::from(u16_at(bytes, 0x20))..).filter(|_| bytes.len() >= 0x40)?;
    let (first, last) = (u64_at(bytes, 0x10), u64_at(bytes, 0x18));
    let (size, initialized) = (u64_at(bytes, 0x30), u64_at(bytes, 0x38));
    // All are signed numbers on disk; the last cluster is -1 where there are none.
    let sane = first >> 63 == 0 && (first != 0 || (size | initialized) >> 63 == 0);
    let end = last.wrapping_add(1);
    (sane && end >> 63 == 0).then_some(Stored {
        first,
        end,
        unit: bytes[0x22],
        size,
        initialized,
        pairs,
    })
}
