//! The table of tables, whose root is the first page: kind, name, name of its table, root, SQL.

use super::record;
use super::store::Store;
use super::tree::Rows;
use crate::error::{Error, corrupt};

/// Rows of it that are looked at; rpm makes about sixty.
const MOST_ROWS: usize = 10_000;
/// Bytes of a row of it.
const MOST_ROW: u64 = 1 << 20;

/// The root page of a table.
pub fn root_of(store: &Store, table: &[u8], problems: &mut Vec<Error>) -> Result<u32, Error> {
    let mut rows = Rows::new(store, 1);
    for _ in 0..MOST_ROWS {
        let Some(row) = rows.next() else { break };
        let row = row.and_then(|row| match row.length {
            0..=MOST_ROW => rows.payload(&row),
            _ => Err(corrupt("length of a row", row.at)),
        });
        match row {
            Ok(row) if is_table(&row.bytes, table) => return root(&row.bytes),
            Ok(_) => {}
            Err(error) => problems.push(error),
        }
    }
    // What hid it is a better answer than that it is not there.
    Err(problems.pop().unwrap_or_else(|| corrupt("no table of packages", 0)))
}

pub fn is_table(row: &[u8], name: &[u8]) -> bool {
    record::text(row, 0) == Some(b"table")
        && record::text(row, 1).is_some_and(|found| found.eq_ignore_ascii_case(name))
}

pub fn root(row: &[u8]) -> Result<u32, Error> {
    let root = record::integer(row, 3).and_then(|root| u32::try_from(root).ok());
    root.filter(|root| *root > 0).ok_or_else(|| corrupt("root of a table", 0))
}
