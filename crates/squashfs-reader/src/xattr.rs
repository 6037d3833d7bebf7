//! Extended attributes: a table of sets, each a run of names and values; a value that several files
//! have may be elsewhere.

use crate::Squashfs;
use crate::error::{Error, corrupt};
use crate::inode::Inode;
use crate::metadata::Cursor;
use crate::superblock::{long, word};

/// Set in a kind: the value is elsewhere.
const ELSEWHERE: u16 = 0x100;
/// Largest value that Linux knows.
const MOST: u32 = 65_536;
/// Attributes of one file.
const MOST_COUNT: u32 = 65_536;

/// Where names and values begin, how many sets there are, and where the list of their blocks is.
struct Table {
    values: u64,
    count: u32,
    list: u64,
}

/// A whole name, and the value.
pub type Xattr = (Vec<u8>, Vec<u8>);

pub fn list(image: &Squashfs, inode: &Inode) -> Result<Vec<Xattr>, Error> {
    let Some(index) = inode.xattrs else { return Ok(Vec::new()) };
    let Some(at) = image.superblock.xattr_table else {
        return Err(corrupt("no table of attributes", inode.at.0));
    };
    let mut bytes = [0; 16];
    image.source.read_exact_at(at, &mut bytes)?;
    let list = at.checked_add(16).ok_or_else(|| corrupt("place of a table", at))?;
    let table = Table { values: long(&bytes, 0), count: word(&bytes, 8), list };
    if index >= table.count {
        return Err(corrupt("index of attributes", u64::from(index)));
    }
    let mut entry = image.entry(table.list, u64::from(index), 16)?;
    let (reference, count) = (entry.long()?, entry.word()?);
    if count > MOST_COUNT {
        return Err(corrupt("number of attributes", u64::from(index)));
    }
    let mut cursor = Cursor::of_reference(image, table.values, reference)?;
    (0..count).map(|_| attribute(image, &table, &mut cursor)).collect()
}

fn attribute(image: &Squashfs, table: &Table, cursor: &mut Cursor) -> Result<Xattr, Error> {
    let (kind, length) = (cursor.short()?, cursor.short()?);
    let prefix: &[u8] = match kind & !ELSEWHERE {
        0 => b"user.",
        1 => b"trusted.",
        2 => b"security.",
        _ => return Err(corrupt("kind of an attribute", cursor.place())),
    };
    let name = [prefix, &cursor.bytes(length)?].concat();
    let own = value(cursor)?;
    if kind & ELSEWHERE == 0 {
        return Ok((name, own));
    }
    let reference = own.get(..8).ok_or_else(|| corrupt("place of a value", cursor.place()))?;
    let mut elsewhere = Cursor::of_reference(image, table.values, long(reference, 0))?;
    Ok((name, value(&mut elsewhere)?))
}

fn value(cursor: &mut Cursor) -> Result<Vec<u8>, Error> {
    let length = cursor.word()?;
    if length > MOST {
        return Err(corrupt("size of an attribute", cursor.place()));
    }
    let mut value = vec![0; length as usize];
    cursor.fill(&mut value)?;
    Ok(value)
}
