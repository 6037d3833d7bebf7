//! Well-known programs, by a text that stands in their file: `known.tsv` says which file names are
//! searched, and for what.
//!
//! A name is the gate: no other file is searched. Read-only data come first, where nearly all such texts
//! are, then the whole program, piece by piece. Programs of more than [`MOST_SEARCHED`] bytes are searched
//! so far.

use executable_reader::{Error, Executable};
use regex::bytes::{Regex, RegexBuilder};
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes of a program that are searched.
const MOST_SEARCHED: u64 = 256 << 20;
const PIECE: u64 = 1 << 20;
/// Bytes that are asked for before they are read.
const AHEAD: u64 = 4 << 20;
/// Bytes of the longest text that a row matches, with room.
const OVERLAP: usize = 512;

/// A program that was told.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Its vendor, as the CPE dictionary writes it.
    pub vendor: &'static str,
    /// Its name, likewise.
    pub product: &'static str,
    /// Its version.
    pub version: String,
}

/// A row of the table.
struct Row {
    names: Regex,
    version: Regex,
    vendor: &'static str,
    product: &'static str,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let lines = include_str!("known.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| row(line).expect("a test reads all rows")).collect()
});

fn row(line: &'static str) -> Option<Row> {
    let mut columns = line.split('\t');
    let (names, version) = (columns.next()?, columns.next()?);
    let (vendor, product) = (columns.next()?, columns.next()?);
    let expression =
        |text: &str| RegexBuilder::new(text).unicode(false).dot_matches_new_line(true).build().ok();
    let names = expression(&format!("^(?:{names})$"))?;
    Some(Row { names, version: expression(version)?, vendor, product })
}

/// What the program at a path is, if its name is known: each product once.
pub fn find(program: &Executable, path: &[u8]) -> Result<Vec<Found>, Error> {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let mut found = Vec::<Found>::new();
    for row in ROWS.iter().filter(|row| row.names.is_match(name)) {
        if found.iter().any(|found| found.product == row.product) {
            continue;
        }
        if let Some(version) = search(program, &row.version)? {
            found.push(Found { vendor: row.vendor, product: row.product, version });
        }
    }
    Ok(found)
}

fn search(program: &Executable, version: &Regex) -> Result<Option<String>, Error> {
    let names = [".rodata", "__cstring", ".rdata"];
    let data = names.iter().find_map(|name| program.section(name));
    if let Some(part) = data {
        let end = part.offset.saturating_add(part.size).min(program.size());
        if let Some(found) = search_in(program, version, part.offset..end)? {
            return Ok(Some(found));
        }
    }
    search_in(program, version, 0..program.size())
}

fn search_in(
    program: &Executable,
    version: &Regex,
    range: Range<u64>,
) -> Result<Option<String>, Error> {
    let end = range.end.min(range.start.saturating_add(MOST_SEARCHED));
    let (mut at, mut bytes) = (range.start, Vec::new());
    while at < end {
        if (at - range.start).is_multiple_of(AHEAD / 2) && end - at > PIECE {
            program.will_need(&(at..end.min(at + AHEAD)));
        }
        let length = PIECE.min(end - at);
        bytes.extend(program.bytes(at, length as usize)?);
        at += length;
        // One that ends with the piece may go on in the next.
        let found = version
            .captures(&bytes)
            .filter(|found| at == end || found[0].len() < OVERLAP && !ends(found, &bytes));
        if let Some(text) = found.and_then(|found| found.get(1)) {
            return Ok(Some(String::from_utf8_lossy(text.as_bytes()).into_owned()));
        }
        bytes.drain(..bytes.len().saturating_sub(OVERLAP));
    }
    Ok(None)
}

fn ends(found: &regex::bytes::Captures<'_>, bytes: &[u8]) -> bool {
    found.get(0).is_some_and(|whole| whole.end() == bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// The start of an ELF without tables, then these bytes.
    fn program(bytes: &[u8]) -> Executable {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file.extend_from_slice(bytes);
        executable_reader::open(Arc::new(file)).unwrap().remove(0)
    }

    #[test]
    fn every_row_is_whole() {
        assert!(ROWS.iter().all(|row| row.version.captures_len() == 2 && !row.product.is_empty()));
        assert!(ROWS.iter().all(|row| !row.names.is_match(b"app") && !row.names.is_match(b"")));
    }

    #[test]
    fn only_a_file_of_the_name_is_searched() {
        let program = program(b"nginx/1.22.1\0");
        let nginx = Found { vendor: "nginx", product: "nginx", version: "1.22.1".to_owned() };
        assert_eq!(find(&program, b"/opt/nginx").unwrap(), [nginx]);
        assert_eq!(find(&program, b"/opt/nginx/module").unwrap(), []);
        assert_eq!(find(&program, b"/opt/bash").unwrap(), []);
    }

    #[test]
    fn a_text_across_two_pieces_is_found_whole() {
        let text = b"\x00v5.36.10\x00";
        for before in PIECE as usize - 80..PIECE as usize {
            let program = program(&[vec![b'x'; before].as_slice(), text].concat());
            assert_eq!(find(&program, b"perl").unwrap()[0].version, "5.36.10", "{before}");
        }
    }
}
