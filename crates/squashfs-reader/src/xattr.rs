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

/// The value of a whole name. The others are passed over: many may share one large value, so that all
/// of them could be far more than the image.
pub fn find(image: &Squashfs, inode: &Inode, name: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let Some(index) = inode.xattrs else { return Ok(None) };
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
    for _ in 0..count {
        if let Some(value) = attribute(image, &table, &mut cursor, name)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The value of the attribute at the cursor, if it has this name; the cursor is behind it then.
fn attribute(
    image: &Squashfs,
    table: &Table,
    cursor: &mut Cursor,
    wanted: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    let (kind, length) = (cursor.short()?, cursor.short()?);
    let prefix: &[u8] = match kind & !ELSEWHERE {
        0 => b"user.",
        1 => b"trusted.",
        2 => b"security.",
        _ => return Err(corrupt("kind of an attribute", cursor.place())),
    };
    let is_wanted = [prefix, &cursor.bytes(length)?].concat() == wanted;
    let own = value(cursor)?;
    if !is_wanted || kind & ELSEWHERE == 0 {
        return Ok(is_wanted.then_some(own));
    }
    let reference = own.get(..8).ok_or_else(|| corrupt("place of a value", cursor.place()))?;
    let mut elsewhere = Cursor::of_reference(image, table.values, long(reference, 0))?;
    value(&mut elsewhere).map(Some)
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
