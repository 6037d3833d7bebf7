//! The newest boot in `/var/log/wtmp`: each is a record of the type `BOOT_TIME`, whose host is the
//! kernel's release (`utmp(5)`). Records have 384 bytes, on arm64 400; the newest stand last.
//!
//! Where it has none, the files that logrotate put away are read, the newest first, up to one with a boot, or one that
//! may have boots and is not read: a packed one, a damaged one.

use super::Start;
use crate::host::Tree;
use crate::model::{Gap, GapReason, printable, printable_str};
use std::cmp::Reverse;

const FOLDER: &str = "/var/log";
const WTMP: &str = "/var/log/wtmp";
/// Files of before that are read.
const MOST_BEFORE: usize = 12;
/// Bytes at the end of the file that are read.
const MOST: u64 = 1 << 20;
/// Length of a record, and where its time is.
const SHAPES: [(usize, usize); 2] = [(384, 340), (400, 344)];
const BOOT_TIME: u16 = 2;
/// The highest type of a record.
const MOST_TYPE: u16 = 9;
const USER: std::ops::Range<usize> = 44..76;
const HOST: std::ops::Range<usize> = 76..332;

/// What a file says.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Boot(Start),
    /// It holds none.
    None,
    /// It may hold one.
    Unknown,
}

/// The newest boot that any file tells.
pub fn newest(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<Start> {
    match read(tree, WTMP, gaps) {
        Told::Boot(start) => return Some(start),
        Told::Unknown => return None,
        Told::None => {}
    }
    for (count, name) in before(tree, gaps).into_iter().enumerate() {
        if count == MOST_BEFORE {
            let detail = format!("no boot in the newest {MOST_BEFORE} files of wtmp");
            gaps.push(Gap::new(FOLDER, GapReason::Limit, detail));
            break;
        }
        match name.map_or(Told::Unknown, |name| read(tree, &format!("{FOLDER}/{name}"), gaps)) {
            Told::Boot(start) => return Some(start),
            Told::Unknown => return None,
            Told::None => {}
        }
    }
    None
}

/// A file that was put away, in the order of such: the newest first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Before {
    date: Reverse<u64>,
    number: u64,
    /// Of one that is not packed.
    name: Option<String>,
}

impl Before {
    /// `wtmp.1`, `wtmp-20240101`, `wtmp.2.gz`.
    fn parse(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        let (kind, rest) = name.strip_prefix("wtmp")?.split_at_checked(1)?;
        let (stem, is_packed) =
            rest.split_once('.').map_or((rest, false), |(stem, _)| (stem, true));
        let digits: String = stem.chars().filter(|it| *it != '-').collect();
        let number: u64 = digits.parse().ok()?;
        let (date, number) = match kind {
            "." => (Reverse(0), number),
            "-" => (Reverse(number), 0),
            _ => return None,
        };
        Some(Self { date, number, name: (!is_packed).then(|| name.to_owned()) })
    }
}

/// The names of those files; none of one that is packed.
fn before(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<Option<String>> {
    let entries = tree.list(FOLDER.as_bytes(), gaps);
    let mut files: Vec<_> = entries.iter().filter_map(|it| Before::parse(&it.name)).collect();
    files.sort();
    files.into_iter().map(|it| it.name).collect()
}

fn read(tree: &Tree, path: &str, gaps: &mut Vec<Gap>) -> Told {
    match end(tree, path.as_bytes()) {
        Ok(Some((bytes, is_whole))) => match parse(&bytes, path) {
            Some(start) => Told::Boot(start),
            None if is_whole && is_wtmp(&bytes) => Told::None,
            None => Told::Unknown,
        },
        Ok(None) => Told::None,
        Err(error) => {
            gaps.push(Gap::new(printable_str(path), error.reason(), error));
            Told::Unknown
        }
    }
}

/// The end of the file, and whether that is all of it; records of any shape start at a multiple of their length from
/// the end.
fn end(tree: &Tree, path: &[u8]) -> Result<Option<(Vec<u8>, bool)>, crate::host::PathError> {
    let Some(file) = tree.open(path)? else { return Ok(None) };
    let start = file.size().saturating_sub(MOST);
    let bytes = tree.read_part(path, start, MOST.min(file.size()) as usize)?;
    Ok(bytes.map(|bytes| (bytes, start == 0)))
}

fn is_wtmp(bytes: &[u8]) -> bool {
    let is_shape = |(length, _): &(usize, usize)| {
        bytes.len().is_multiple_of(*length) && bytes.chunks(*length).all(|it| kind(it) <= MOST_TYPE)
    };
    SHAPES.iter().any(is_shape)
}

fn parse(bytes: &[u8], path: &str) -> Option<Start> {
    SHAPES.iter().find_map(|(length, time)| {
        let records: Vec<&[u8]> = bytes.rchunks_exact(*length).collect();
        let is_shape = !records.is_empty() && records.iter().all(|it| kind(it) <= MOST_TYPE);
        let boot = |record: &&&[u8]| kind(record) == BOOT_TIME && text(&record[USER]) == "reboot";
        let newest = records.iter().find(boot).filter(|_| is_shape)?;
        let kernel = text(&newest[HOST]);
        let second = newest.get(*time..*time + 4)?.try_into().ok()?;
        let is_release = kernel.starts_with(|first: char| first.is_ascii_digit());
        is_release.then(|| start(kernel, u32::from_le_bytes(second), path))
    })
}

fn start(kernel: String, second: u32, path: &str) -> Start {
    let place = printable_str(path);
    Start { kernel: Some(kernel), second: second.into(), boot: [0; 16], place }
}

fn kind(record: &[u8]) -> u16 {
    u16::from_le_bytes([record[0], record[1]])
}

/// Text up to its first zero.
fn text(field: &[u8]) -> String {
    printable(field.split(|byte| *byte == 0).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(
        (length, time): (usize, usize),
        kind: u16,
        user: &str,
        host: &str,
        second: u32,
    ) -> Vec<u8> {
        let mut record = vec![0; length];
        record[..2].copy_from_slice(&kind.to_le_bytes());
        record[44..44 + user.len()].copy_from_slice(user.as_bytes());
        record[76..76 + host.len()].copy_from_slice(host.as_bytes());
        record[time..time + 4].copy_from_slice(&second.to_le_bytes());
        record
    }

    #[test]
    fn the_newest_boot_of_either_shape() {
        for shape in SHAPES {
            let records = [
                record(shape, 2, "reboot", "5.10.0-1-amd64", 100),
                record(shape, 7, "admin", "10.0.0.1", 150),
                record(shape, 2, "reboot", "6.1.0-18-amd64", 200),
                record(shape, 1, "shutdown", "6.1.0-18-amd64", 300),
                record(shape, 7, "admin", "10.0.0.1", 350),
            ];
            let whole = records.concat();
            let expected = start("6.1.0-18-amd64".to_owned(), 200, WTMP);
            assert_eq!(parse(&whole, WTMP), Some(expected.clone()));
            // What precedes the part that is read may be cut anywhere.
            assert_eq!(parse(&whole[7..], WTMP), Some(expected));
            assert_eq!(parse(&records[1], WTMP), None);
        }
    }

    #[test]
    fn damage_tells_no_boot() {
        let whole = record(SHAPES[0], 2, "reboot", "6.1.0", 1);
        assert_eq!(parse(&[], WTMP), None);
        for length in 1..whole.len() {
            assert_eq!(parse(&whole[whole.len() - length..], WTMP), None);
        }
        assert_eq!(parse(&vec![0xff; 4096], WTMP), None);
        assert_eq!(parse(&record(SHAPES[0], 2, "reboot", "~", 1), WTMP), None);
    }

    type Files<'a> = &'a [(&'a str, Vec<u8>)];

    /// The names are logrotate's, by number or by date, packed or not.
    #[test]
    fn files_that_were_put_away_are_read_from_the_newest() {
        let boot = |kernel| record(SHAPES[0], 2, "reboot", kernel, 9);
        let login = || record(SHAPES[0], 7, "admin", "10.0.0.1", 10);
        let cases: [(Files<'_>, Option<&str>); 9] = [
            (&[("wtmp", boot("6.1.0")), ("wtmp.1", boot("5.1.0"))], Some("6.1.0")),
            (&[("wtmp", login()), ("wtmp.1", boot("5.1.0"))], Some("5.1.0")),
            (&[("wtmp", Vec::new()), ("wtmp.1", boot("5.1.0"))], Some("5.1.0")),
            (&[("wtmp.2", boot("4.1.0")), ("wtmp.10", boot("3.1.0"))], Some("4.1.0")),
            (&[("wtmp.1", login()), ("wtmp.2.gz", b"?".to_vec())], None),
            (&[("wtmp.1.gz", b"?".to_vec()), ("wtmp.2", boot("4.1.0"))], None),
            (&[("wtmp", b"damaged".to_vec()), ("wtmp.1", boot("5.1.0"))], None),
            (&[("wtmp-20240101", boot("4.1.0")), ("wtmp-20240201", boot("5.1.0"))], Some("5.1.0")),
            (&[("wtmpdb", boot("4.1.0")), ("wtmp-old", boot("5.1.0"))], None),
        ];
        for (files, expected) in cases {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("var/log");
            std::fs::create_dir_all(&folder).unwrap();
            for (name, bytes) in files {
                std::fs::write(folder.join(name), bytes).unwrap();
            }
            let mut gaps = Vec::new();
            let found = newest(&Tree::of_directory(root.path()).unwrap(), &mut gaps);
            let kernel = found.and_then(|it| it.kernel);
            assert_eq!((kernel.as_deref(), gaps), (expected, Vec::new()), "{files:?}");
        }
    }
}
