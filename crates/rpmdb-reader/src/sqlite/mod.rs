//! `rpmdb.sqlite` (rpm since 4.16): the table `Packages` of numbers and headers, with what is only
//! in the write-ahead log. A reader of b-tree pages; no SQL, no C.
//!
//! On-disk format: <https://www.sqlite.org/fileformat2.html>. The freelist and other tables are not
//! looked at. Refused: text other than UTF-8, tables without row numbers, format versions after
//! 2. A rollback journal of an unfinished transaction is told, not rolled back.

mod file_header;
mod page;
mod record;
mod schema;
mod store;
mod tables;
mod tree;
mod wal;

use crate::error::{Error, corrupt, unsupported};
use crate::{Beside, Blob};
use block_source::BlockSource;
use std::sync::Arc;
use store::Store;
use tree::{Row, Rows};

pub use file_header::MAGIC;
pub use tables::{Record, Table, Tables};

/// An open database.
pub struct Sqlite {
    store: Store,
    root: u32,
}

impl Sqlite {
    pub fn open(
        source: Arc<dyn BlockSource>,
        beside: Beside,
        problems: &mut Vec<Error>,
    ) -> Result<Self, Error> {
        if is_hot(beside.journal.as_deref())? {
            problems.push(unsupported("rollback journal of an unfinished transaction"));
        }
        let store = Store::open(source, beside.wal, problems)?;
        let root = schema::root_of(&store, b"Packages", problems)?;
        Ok(Self { store, root })
    }

    pub fn headers(&self) -> Headers<'_> {
        Headers { rows: Rows::new(&self.store, self.root), late: None, before: 0 }
    }
}

/// Whether a rollback journal has something to roll back: its head is not wiped.
fn is_hot(journal: Option<&dyn BlockSource>) -> Result<bool, Error> {
    let mut first = [0];
    match journal.filter(|journal| journal.size() > 0) {
        Some(journal) => journal.read_exact_at(0, &mut first)?,
        None => return Ok(false),
    }
    Ok(first[0] != 0)
}

/// The headers, in the order of their numbers.
pub struct Headers<'a> {
    rows: Rows<'a>,
    /// A header that is doubted, which was told.
    late: Option<Blob>,
    /// The number of the row before.
    before: u32,
}

impl Iterator for Headers<'_> {
    type Item = Result<Blob, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(blob) = self.late.take() {
            return Some(Ok(blob));
        }
        let row = match self.rows.next()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        Some(self.blob(&row))
    }
}

impl Headers<'_> {
    fn blob(&mut self, row: &Row) -> Result<Blob, Error> {
        let number = u32::try_from(row.number).map_err(|_| corrupt("number of a row", row.at))?;
        let payload = self.rows.payload(row)?;
        let column = record::blob(&payload.bytes, 1);
        let column = column.ok_or_else(|| corrupt("row without a header", row.at))?;
        let mut bytes = payload.bytes;
        bytes.truncate(column.end);
        bytes.drain(..column.start);
        let blob = Blob { number, at: row.at, bytes };
        let in_order = std::mem::replace(&mut self.before, number) < number;
        let doubt = match payload.shared {
            Some(at) => corrupt("page that two rows use", at),
            None if !in_order => corrupt("rows that are out of order", row.at),
            None => return Ok(blob),
        };
        self.late = Some(blob);
        Err(doubt)
    }
}
