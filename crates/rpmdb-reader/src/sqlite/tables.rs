//! Tables of any SQLite file that package managers keep beside rpm's, dnf's history above all: their rows in
//! order, columns by name.
//!
//! Names of columns are taken from the text that made the table. Tables without row numbers are not read, and
//! neither are rows of more than 1 MiB.

use super::record;
use super::store::Store;
use super::tree::Rows;
use crate::Beside;
use crate::error::{Error, corrupt, unsupported};
use block_source::BlockSource;
use std::sync::Arc;

/// Bytes of a row.
const MOST_ROW: u64 = 1 << 20;
/// Rows of the table of tables that are looked at.
const MOST_TABLES: usize = 10_000;
const MOST_COLUMNS: usize = 1000;
/// What a part of a table that is no column begins with.
const CONSTRAINTS: [&str; 5] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];

/// An open file of tables.
pub struct Tables {
    store: Store,
    problems: Vec<Error>,
}

impl Tables {
    /// Opens a file, with its log where it has one.
    pub fn open(source: Arc<dyn BlockSource>, beside: Beside) -> Result<Self, Error> {
        let mut problems = Vec::new();
        if super::is_hot(beside.journal.as_deref())? {
            problems.push(unsupported("rollback journal of an unfinished transaction"));
        }
        let store = Store::open(source, beside.wal, &mut problems)?;
        Ok(Self { store, problems })
    }

    /// What is wrong with the file as a whole.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }

    /// A table by its name; `None` if there is none.
    pub fn table(&self, name: &str) -> Result<Option<Table<'_>>, Error> {
        let mut rows = Rows::new(&self.store, 1);
        let mut hidden = None;
        for _ in 0..MOST_TABLES {
            let Some(row) = rows.next() else { break };
            match row.and_then(|row| whole(&mut rows, &row)) {
                Ok(row) if super::schema::is_table(&row, name.as_bytes()) => {
                    let made = record::text(&row, 4).unwrap_or_default();
                    let columns = columns(&String::from_utf8_lossy(made));
                    let root = super::schema::root(&row)?;
                    return Ok(Some(Table { rows: Rows::new(&self.store, root), columns }));
                }
                Ok(_) => {}
                Err(error) => hidden = Some(error),
            }
        }
        // What hid it is a better answer than that it is not there.
        hidden.map_or(Ok(None), Err)
    }
}

/// The rows of a table. Errors cost the rows that they hit.
pub struct Table<'a> {
    rows: Rows<'a>,
    columns: Vec<String>,
}

impl Table<'_> {
    /// The place of a column among the others.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))
    }
}

impl Iterator for Table<'_> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        Some(row.and_then(|row| {
            let number = row.number;
            Ok(Record { number, bytes: whole(&mut self.rows, &row)? })
        }))
    }
}

/// A row of a table.
pub struct Record {
    /// Its number, which a column `INTEGER PRIMARY KEY` is another name of.
    pub number: i64,
    bytes: Vec<u8>,
}

impl Record {
    /// A column's whole number.
    pub fn integer(&self, column: usize) -> Option<i64> {
        record::integer(&self.bytes, column)
    }

    /// The number of a column that is the key of its table: mostly that of the row, and then the column
    /// itself holds nothing.
    pub fn key(&self, column: usize) -> Option<i64> {
        let is_row = record::is_null(&self.bytes, column);
        self.integer(column).or_else(|| is_row.then_some(self.number))
    }

    /// A column's text.
    pub fn text(&self, column: usize) -> Option<&[u8]> {
        record::text(&self.bytes, column)
    }

    /// A column's bytes, which are text or not: some programs write the one where the table has the other.
    pub fn bytes(&self, column: usize) -> Option<&[u8]> {
        let blob = || record::blob(&self.bytes, column).and_then(|range| self.bytes.get(range));
        self.text(column).or_else(blob)
    }
}

fn whole(rows: &mut Rows<'_>, row: &super::tree::Row) -> Result<Vec<u8>, Error> {
    if row.length > MOST_ROW {
        return Err(corrupt("length of a row", row.at));
    }
    let payload = rows.payload(row)?;
    payload.shared.map_or(Ok(payload.bytes), |at| Err(corrupt("page that two rows use", at)))
}

/// The columns of `CREATE TABLE name (...)`: the first word of each part between commas, up to the first
/// constraint. Comments are left out.
fn columns(made: &str) -> Vec<String> {
    let text = without_comments(made);
    let Some((_, inside)) = text.split_once('(') else { return Vec::new() };
    let (mut depth, mut parts) = (0_u32, vec![String::new()]);
    for character in inside.chars() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            ',' if depth == 0 && parts.len() < MOST_COLUMNS => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
    }
    let names = parts.iter().map(|part| {
        let word = part.split_whitespace().next().unwrap_or_default();
        word.trim_matches(['"', '`', '[', ']', '\'']).to_owned()
    });
    let is_column = |name: &String| !CONSTRAINTS.iter().any(|word| word.eq_ignore_ascii_case(name));
    names.take_while(is_column).collect()
}

fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let next = [("/*", "*/"), ("--", "\n")].into_iter();
        let next = next.filter_map(|(start, end)| Some((rest.find(start)?, end))).min();
        let Some((at, end)) = next else { break };
        kept.push_str(&rest[..at]);
        kept.push(' ');
        rest = rest[at + 2..].split_once(end).map_or("", |(_, after)| after);
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_as_dnf_makes_them() {
        let check = |made, expected: &[&str]| assert_eq!(columns(made), expected, "{made}");
        check(
            "CREATE TABLE rpm (item_id INTEGER UNIQUE NOT NULL, name TEXT NOT NULL,\n epoch INTEGER, /* empty, (or) 0 */ x DECIMAL(1,2), FOREIGN KEY(item_id) REFERENCES item(id), CONSTRAINT u UNIQUE (name, epoch))",
            &["item_id", "name", "epoch", "x"],
        );
        check(
            "CREATE TABLE \"trans_item\" ( \"id\" INTEGER, -- 1, 2\n [a] TEXT, PRIMARY KEY(\"id\" AUTOINCREMENT) )",
            &["id", "a"],
        );
        check("CREATE TABLE t (a, comment TEXT DEFAULT '') garbage", &["a", "comment"]);
        for made in ["", "CREATE", "(", "/*", "--", "((((", "a(/*"] {
            let _ = columns(made);
        }
    }
}
