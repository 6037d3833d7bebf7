//! Tables of equal entries (owners, fragments, sets of attributes): metadata blocks, and a list of
//! where these are.

use crate::Squashfs;
use crate::error::{Error, corrupt};
use crate::metadata::{Cursor, SIZE};
use crate::superblock::long;

/// A fragment block: ends of several files, packed together.
pub struct Fragment {
    /// Where it begins.
    pub at: u64,
    /// Its size word, as of a data block.
    pub size: u32,
}

impl Squashfs {
    /// The owner or group at an index.
    pub(crate) fn id(&self, index: u16) -> Result<u32, Error> {
        let superblock = &self.superblock;
        if index >= superblock.ids {
            return Err(corrupt("index of an owner", u64::from(index)));
        }
        self.entry(superblock.id_table, u64::from(index), 4)?.word()
    }

    /// The fragment block at an index.
    pub(crate) fn fragment(&self, index: u32) -> Result<Fragment, Error> {
        let table = self.superblock.fragment_table.filter(|_| index < self.superblock.fragments);
        let table = table.ok_or_else(|| corrupt("index of a fragment", u64::from(index)))?;
        let mut entry = self.entry(table, u64::from(index), 16)?;
        Ok(Fragment { at: entry.long()?, size: entry.word()? })
    }

    /// A cursor at an entry of a table whose list of blocks is at byte `list`.
    pub(crate) fn entry(&self, list: u64, index: u64, size: u64) -> Result<Cursor<'_>, Error> {
        let at = index * size;
        let place = list.checked_add(at / SIZE as u64 * 8);
        let place = place.ok_or_else(|| corrupt("place of a table", list))?;
        let block = self.pointers.get(place, || {
            let mut bytes = vec![0; 8];
            self.source.read_exact_at(place, &mut bytes).map(|()| bytes)
        })?;
        Ok(Cursor::new(self, long(&block, 0), (at % SIZE as u64) as usize))
    }
}
