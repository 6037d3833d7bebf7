//! Values and their data.
//!
//! On-disk format: <https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md#key-value>.
//! Data of up to four bytes is in the value itself, more in a cell, and more than 16,344 bytes in
//! segments, if the version is 1.4 or later.

use crate::bytes::{le16, le32, le32s, part};
use crate::data::{Data, Kind};
use crate::error::{Error, corrupt, unsupported};
use crate::image::{Image, SIZE, file_offset};
use crate::text::Name;
use std::collections::HashSet;
use std::sync::Arc;

/// Bytes of a value before its name.
const HEADER: usize = 20;
/// Bytes of the largest value: a name has 16 bits of length.
const MOST: u32 = HEADER as u32 + 0xffff;
/// The bit of a length that says that the data is in place of its offset.
const RESIDENT: u32 = 1 << 31;
/// Bytes of a segment.
const SEGMENT: u32 = 16_344;
/// Data of less is read for whoever points to it.
const SMALL: u32 = 4096;

/// A value of a key.
#[derive(Clone)]
pub struct Value {
    image: Arc<Image>,
    offset: u32,
    name: Name,
    kind: Kind,
    length: u32,
    place: [u8; 4],
}

impl Value {
    pub(crate) fn read(image: &Arc<Image>, offset: u32) -> Result<Self, Error> {
        let cell = image.cell(offset, MOST)?;
        let wrong = |what| corrupt(what, file_offset(offset));
        if cell.len() < HEADER || !cell.starts_with(b"vk") {
            return Err(wrong("no value"));
        }
        let name = part(&cell, HEADER, usize::from(le16(&cell, 2)));
        let name = name.ok_or_else(|| wrong("name that is longer than its cell"))?;
        let name = match le16(&cell, 16) & 1 {
            0 => Name::from_utf16(name),
            _ => Name::from_latin1(name),
        };
        Ok(Self {
            image: Arc::clone(image),
            offset,
            name,
            kind: Kind::from(le32(&cell, 12)),
            length: le32(&cell, 4),
            place: le32(&cell, 8).to_le_bytes(),
        })
    }

    /// Its name, with U+FFFD for what is no character; empty for the default value.
    pub fn name(&self) -> &str {
        &self.name.text
    }

    /// Whether the name is all that is stored.
    pub fn name_is_exact(&self) -> bool {
        self.name.is_exact
    }

    /// The kind of its data.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Bytes of its data, as the value says.
    pub fn length(&self) -> u32 {
        self.length & !RESIDENT
    }

    /// Byte of the file at which it stands.
    pub fn at(&self) -> u64 {
        file_offset(self.offset)
    }

    /// The bytes of its data.
    pub fn data(&self) -> Result<Vec<u8>, Error> {
        let length = self.length();
        if self.length & RESIDENT != 0 {
            let data = self.place.get(..length as usize);
            return Ok(data.ok_or_else(|| self.wrong("too much data in a value"))?.to_vec());
        }
        if length == 0 {
            return Ok(Vec::new());
        }
        if length > self.image.bins {
            return Err(self.wrong("data that is longer than the hive"));
        }
        if length > crate::MOST_DATA {
            return Err(unsupported(format!("data of {length} bytes at {:#x}", self.at())));
        }
        let data = self.cell(u32::from_le_bytes(self.place), length)?;
        if data.len() == length as usize {
            return Ok(data);
        }
        if self.image.minor < 4 || length <= SEGMENT || !data.starts_with(b"db") {
            return Err(self.wrong("data that is longer than its cell"));
        }
        self.segments(&data, length)
    }

    /// Its data by its kind.
    pub fn decode(&self) -> Result<Data, Error> {
        Data::decode(self.kind, self.data()?).ok_or_else(|| self.wrong("number of a wrong length"))
    }

    fn segments(&self, big: &[u8], length: u32) -> Result<Vec<u8>, Error> {
        let count = u32::from(le16(big, 2));
        if count != length.div_ceil(SEGMENT) {
            return Err(self.wrong("wrong number of segments"));
        }
        let list = self.cell(le32(big, 4), 4 * count)?;
        if list.len() < 4 * count as usize {
            return Err(self.wrong("list of segments that is longer than its cell"));
        }
        let (mut data, mut seen) = (Vec::new(), HashSet::new());
        for segment in le32s(&list) {
            if !seen.insert(segment) {
                return Err(self.wrong("segment that comes twice"));
            }
            let want = SEGMENT.min(length - data.len() as u32);
            let part = self.own(segment, want)?;
            if part.len() < want as usize {
                return Err(self.wrong("segment that is too short"));
            }
            data.extend(part);
        }
        Ok(data)
    }

    fn cell(&self, offset: u32, length: u32) -> Result<Vec<u8>, Error> {
        if length <= SMALL { self.image.cell(offset, length) } else { self.own(offset, length) }
    }

    /// A cell that no other value may have, and that this one has once.
    fn own(&self, offset: u32, length: u32) -> Result<Vec<u8>, Error> {
        self.image.own_cell(offset, length, self.offset)
    }

    fn wrong(&self, what: &'static str) -> Error {
        corrupt(what, self.at())
    }
}

// A cell's size is part of what is claimed.
const _: () = assert!(SEGMENT + SIZE < 1 << 14);
