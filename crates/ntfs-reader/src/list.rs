//! Attribute lists, of files whose attributes need more than one record:
//! <https://flatcap.github.io/linux-ntfs/ntfs/attributes/attribute_list.html>.

use crate::bytes::{part, u16_at, u32_at, u64_at, units};
use crate::record::{Form, RawAttribute};
use crate::{Error, FileReference};

/// Windows makes no longer lists.
pub const MOST_BYTES: u64 = 256 << 10;

/// An entry of an attribute list.
pub struct Listed {
    pub kind: u32,
    pub name: Vec<u16>,
    pub first: u64,
    pub record: FileReference,
}

impl Listed {
    pub fn is(&self, attribute: &RawAttribute) -> bool {
        let first = match &attribute.form {
            Form::Resident(_) => 0,
            Form::Stored(stored) => stored.first,
        };
        self.kind == attribute.kind && self.name == attribute.name && self.first == first
    }
}

/// The entries of a list up to the first damaged one, and that damage.
pub fn parse(list: &[u8], file: FileReference) -> Result<(Vec<Listed>, Option<Error>), Error> {
    let mut entries = Vec::new();
    let mut rest = list;
    while rest.len() >= 0x1a && u32_at(rest, 0) != 0 {
        let length = usize::from(u16_at(rest, 4));
        let entry = rest.get(..length).filter(|entry| entry.len() >= 0x1a);
        let name =
            entry.and_then(|bytes| part(bytes, usize::from(bytes[7]), usize::from(bytes[6]) * 2));
        let (Some(entry), Some(name)) = (entry, name) else {
            let flaw = Error::corrupt("damaged attribute list of file", file.number());
            return Ok((entries, Some(flaw)));
        };
        entries.push(Listed {
            kind: u32_at(entry, 0),
            name: units(name),
            first: u64_at(entry, 8),
            record: FileReference(u64_at(entry, 0x10)),
        });
        rest = &rest[length..];
    }
    if entries.is_empty() {
        return Err(Error::corrupt("empty attribute list of file", file.number()));
    }
    Ok((entries, None))
}
