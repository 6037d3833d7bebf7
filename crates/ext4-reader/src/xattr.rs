//! Extended attributes, in the inode, in a block of their own, or in an inode of their own; and
//! small files kept in the inode, whose second part is such an attribute.
//! <https://docs.kernel.org/filesystems/ext4/dynamic.html#extended-attributes>

use crate::bytes::{u16_at, u32_at};
use crate::superblock::incompat;
use crate::{Error, Ext4, Inode, InodeNumber};

const MAGIC: u32 = 0xea02_0000;
const BLOCK_HEADER: usize = 32;
const ENTRY_HEADER: usize = 16;
const MOST_VALUE: u64 = 1 << 20;
const PREFIXES: [&[u8]; 9] = [
    b"",
    b"user.",
    b"system.posix_acl_access",
    b"system.posix_acl_default",
    b"trusted.",
    b"",
    b"security.",
    b"system.",
    b"system.richacl",
];

/// An extended attribute: whole name and value.
pub type Xattr = (Vec<u8>, Vec<u8>);

impl Ext4 {
    /// An attribute by its whole name, such as `security.capability`.
    pub fn xattr(&self, inode: &Inode, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        for entry in self.entries(inode)? {
            if entry.name == name {
                return self.value(inode, entry).map(Some);
            }
        }
        Ok(None)
    }

    /// All attributes, in the order in which they are stored, but for the one that holds data of
    /// a small file.
    pub fn xattrs(&self, inode: &Inode) -> Result<Vec<Xattr>, Error> {
        let entries = self.entries(inode)?.into_iter().filter(|entry| entry.name != b"system.data");
        entries.map(|entry| Ok((entry.name.clone(), self.value(inode, entry)?))).collect()
    }

    /// The bytes of a small file or directory that lives in its inode.
    pub(crate) fn inline_data(&self, inode: &Inode) -> Result<Vec<u8>, Error> {
        let mut data = inode.block.to_vec();
        data.extend(self.xattr(inode, b"system.data")?.unwrap_or_default());
        Ok(data)
    }

    fn entries(&self, inode: &Inode) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        if u32_at(&inode.body, 0) == MAGIC {
            parse(&inode.body[4..], 0, inode, &mut entries)?;
        }
        if inode.xattr_block != 0 {
            let block = self.read_block(inode.xattr_block)?;
            if u32_at(&block, 0) != MAGIC {
                return Err(corrupt(inode));
            }
            parse(&block, BLOCK_HEADER, inode, &mut entries)?;
        }
        Ok(entries)
    }

    fn value(&self, inode: &Inode, entry: Entry) -> Result<Vec<u8>, Error> {
        let (number, size) = match entry.value {
            Value::Here(bytes) => return Ok(bytes),
            Value::Inode { number, size } => (number, size),
        };
        if !self.superblock.has(incompat::EA_INODE) {
            return Err(corrupt(inode));
        }
        let holder = self.inode(number)?;
        if size > MOST_VALUE || holder.size != size {
            return Err(corrupt(inode));
        }
        let mut bytes = vec![0; size as usize];
        self.read_at(&holder, 0, &mut bytes)?;
        Ok(bytes)
    }
}

struct Entry {
    name: Vec<u8>,
    value: Value,
}

enum Value {
    Here(Vec<u8>),
    Inode { number: InodeNumber, size: u64 },
}

/// Entries of `area` from `at` up to four zero bytes; value offsets count from the area's start.
fn parse(area: &[u8], mut at: usize, inode: &Inode, entries: &mut Vec<Entry>) -> Result<(), Error> {
    while at + ENTRY_HEADER <= area.len() && u32_at(area, at) != 0 {
        let name_length = usize::from(area[at]);
        let prefix = PREFIXES.get(usize::from(area[at + 1])).ok_or_else(|| corrupt(inode))?;
        let name_at = at + ENTRY_HEADER;
        let suffix = area.get(name_at..name_at + name_length).ok_or_else(|| corrupt(inode))?;
        let (number, size) = (u32_at(area, at + 4), u32_at(area, at + 8));
        let value = if number == 0 {
            let start = usize::from(u16_at(area, at + 2));
            let bytes = area.get(start..start + size as usize).ok_or_else(|| corrupt(inode))?;
            Value::Here(bytes.to_vec())
        } else {
            Value::Inode { number: InodeNumber(number), size: u64::from(size) }
        };
        entries.push(Entry { name: [*prefix, suffix].concat(), value });
        at = (name_at + name_length).next_multiple_of(4);
    }
    Ok(())
}

fn corrupt(inode: &Inode) -> Error {
    Error::corrupt("extended attributes of inode", inode.number.0)
}
