//! Extended attributes, in the inode, in a block of their own, or in an inode of their own; and
//! small files kept in the inode, whose second part is such an attribute.
//! <https://docs.kernel.org/filesystems/ext4/dynamic.html#extended-attributes>
//!
//! Told as `listxattr` and `getxattr` tell them. Attributes of namespaces that the kernel does
//! not give to programs (encryption, Lustre, Hurd, unknown ones) are passed over.

use crate::bytes::{u16_at, u32_at};
use crate::superblock::incompat;
use crate::{Error, Ext4, Inode, InodeNumber, acl, checksum};
use std::ops::Range;

const MAGIC: u32 = 0xea02_0000;
const BLOCK_HEADER: usize = 32;
const ENTRY_HEADER: usize = 16;
/// The kernel gives programs values of at most 64 KiB.
const MOST_VALUE: u64 = 1 << 20;
/// Bytes of all values of one inode.
const MOST_BYTES: usize = 16 << 20;

/// What a name starts with, by the number of its namespace.
fn prefix(namespace: u8) -> Option<&'static [u8]> {
    Some(match namespace {
        1 => b"user.",
        2 => ACCESS_LIST,
        3 => DEFAULT_LIST,
        4 => b"trusted.",
        6 => b"security.",
        7 => b"system.",
        8 => b"system.richacl",
        _ => return None,
    })
}

const ACCESS_LIST: &[u8] = b"system.posix_acl_access";
const DEFAULT_LIST: &[u8] = b"system.posix_acl_default";
const INLINE_DATA: &[u8] = b"system.data";

/// An extended attribute: whole name and value.
pub type Xattr = (Vec<u8>, Vec<u8>);

impl Ext4 {
    /// An attribute by its whole name, such as `security.capability`.
    pub fn xattr(&self, inode: &Inode, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let stored = self.stored(inode)?;
        let entry = stored.entries.iter().find(|entry| entry.name == name);
        entry.map(|entry| self.value(inode, &stored, entry)).transpose()
    }

    /// All attributes, in the order in which they are stored, but for the one that holds data of
    /// a small file.
    pub fn xattrs(&self, inode: &Inode) -> Result<Vec<Xattr>, Error> {
        let stored = self.stored(inode)?;
        let mut attributes = Vec::new();
        let mut bytes = 0_usize;
        for entry in stored.entries.iter().filter(|entry| entry.name != INLINE_DATA) {
            let value = self.value(inode, &stored, entry)?;
            bytes = bytes.saturating_add(value.len());
            if bytes > MOST_BYTES {
                let feature = format!("extended attributes of more than {MOST_BYTES} bytes");
                return Err(Error::unsupported(feature));
            }
            attributes.push((entry.name.clone(), value));
        }
        Ok(attributes)
    }

    /// The bytes of a small file or directory that lives in its inode.
    pub(crate) fn inline_data(&self, inode: &Inode) -> Result<Vec<u8>, Error> {
        let mut data = inode.block.to_vec();
        data.extend(self.inline_rest(inode)?);
        Ok(data)
    }

    /// The part of them that is not in the place of the block map.
    pub(crate) fn inline_rest(&self, inode: &Inode) -> Result<Vec<u8>, Error> {
        Ok(self.xattr(inode, INLINE_DATA)?.unwrap_or_default())
    }

    fn stored(&self, inode: &Inode) -> Result<Stored, Error> {
        let mut stored = Stored::default();
        if u32_at(&inode.body, 0) == MAGIC {
            stored.take(inode.body[4..].to_vec(), 0, inode)?;
        }
        if inode.xattr_block != 0 {
            let block = self.read_block(inode.xattr_block)?;
            let sound = |seed| checksum::xattrs_hold(seed, inode.xattr_block, &block);
            if u32_at(&block, 0) != MAGIC || !self.superblock.checksum_seed.is_none_or(sound) {
                return Err(corrupt(inode));
            }
            stored.take(block, BLOCK_HEADER, inode)?;
        }
        Ok(stored)
    }

    fn value(&self, inode: &Inode, stored: &Stored, entry: &Entry) -> Result<Vec<u8>, Error> {
        let bytes = match &entry.value {
            Value::Here { area, range } => stored.areas[*area][range.clone()].to_vec(),
            Value::Inode { number, size } => self.value_in_inode(inode, *number, *size)?,
        };
        if entry.name == ACCESS_LIST || entry.name == DEFAULT_LIST {
            return acl::as_given(&bytes).ok_or_else(|| corrupt(inode));
        }
        Ok(bytes)
    }

    fn value_in_inode(
        &self,
        inode: &Inode,
        number: InodeNumber,
        size: u64,
    ) -> Result<Vec<u8>, Error> {
        if !self.superblock.has(incompat::EA_INODE) {
            return Err(corrupt(inode));
        }
        let holder = self.inode(number)?;
        if size > MOST_VALUE || holder.size != size || !holder.holds_attribute() {
            return Err(corrupt(inode));
        }
        let mut bytes = vec![0; size as usize];
        self.read_at(&holder, 0, &mut bytes)?;
        Ok(bytes)
    }
}

/// Entries, and the one or two areas that their values are in.
#[derive(Default)]
struct Stored {
    areas: Vec<Vec<u8>>,
    entries: Vec<Entry>,
}

struct Entry {
    name: Vec<u8>,
    value: Value,
}

enum Value {
    Here { area: usize, range: Range<usize> },
    Inode { number: InodeNumber, size: u64 },
}

impl Stored {
    /// Takes the entries of an area from `at` up to four zero bytes; offsets of values count from
    /// the start of the area. Each entry takes room in the area, which bounds their number.
    fn take(&mut self, area: Vec<u8>, mut at: usize, inode: &Inode) -> Result<(), Error> {
        while at + ENTRY_HEADER <= area.len() && u32_at(&area, at) != 0 {
            let name_length = usize::from(area[at]);
            let name_at = at + ENTRY_HEADER;
            let suffix = area.get(name_at..name_at + name_length).ok_or_else(|| corrupt(inode))?;
            if let Some(prefix) = prefix(area[at + 1]) {
                let value = self.locate(&area, at, inode)?;
                self.entries.push(Entry { name: [prefix, suffix].concat(), value });
            }
            at = (name_at + name_length).next_multiple_of(4);
        }
        self.areas.push(area);
        Ok(())
    }

    fn locate(&self, area: &[u8], at: usize, inode: &Inode) -> Result<Value, Error> {
        let (number, size) = (u32_at(area, at + 4), u32_at(area, at + 8));
        if number != 0 {
            return Ok(Value::Inode { number: InodeNumber(number), size: u64::from(size) });
        }
        let start = usize::from(u16_at(area, at + 2));
        let range = start..start + size as usize;
        if range.end > area.len() {
            return Err(corrupt(inode));
        }
        Ok(Value::Here { area: self.areas.len(), range })
    }
}

fn corrupt(inode: &Inode) -> Error {
    Error::corrupt("extended attributes of inode", inode.number.0)
}
