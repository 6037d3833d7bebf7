//! The newest boot in `/var/log/wtmp`: each is a record of the type `BOOT_TIME`, whose host is the
//! kernel's release (`utmp(5)`). Records have 384 bytes, on arm64 400; the newest stand last.

use super::Start;
use crate::host::Tree;
use crate::model::{Gap, printable};

const WTMP: &[u8] = b"/var/log/wtmp";
/// Bytes at the end of the file that are read.
const MOST: u64 = 1 << 20;
/// Length of a record, and where its time is.
const SHAPES: [(usize, usize); 2] = [(384, 340), (400, 344)];
const BOOT_TIME: u16 = 2;
/// The highest type of a record.
const MOST_TYPE: u16 = 9;
const USER: std::ops::Range<usize> = 44..76;
const HOST: std::ops::Range<usize> = 76..332;

/// The newest boot of the file, if there is one and it tells any.
pub fn newest(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<Start> {
    match end(tree) {
        Ok(bytes) => parse(&bytes?),
        Err(error) => {
            gaps.push(Gap::new(printable(WTMP), error.reason(), error));
            None
        }
    }
}

/// The end of the file; records of any shape start at a multiple of their length from it.
fn end(tree: &Tree) -> Result<Option<Vec<u8>>, crate::host::PathError> {
    let Some(file) = tree.open(WTMP)? else { return Ok(None) };
    let start = file.size().saturating_sub(MOST);
    tree.read_part(WTMP, start, MOST.min(file.size()) as usize)
}

fn parse(bytes: &[u8]) -> Option<Start> {
    SHAPES.iter().find_map(|(length, time)| {
        let records: Vec<&[u8]> = bytes.rchunks_exact(*length).collect();
        let is_shape = !records.is_empty() && records.iter().all(|it| kind(it) <= MOST_TYPE);
        let boot = |record: &&&[u8]| kind(record) == BOOT_TIME && text(&record[USER]) == "reboot";
        let newest = records.iter().find(boot).filter(|_| is_shape)?;
        let kernel = text(&newest[HOST]);
        let second = newest.get(*time..*time + 4)?.try_into().ok()?;
        let is_release = kernel.starts_with(|first: char| first.is_ascii_digit());
        is_release.then(|| start(kernel, u32::from_le_bytes(second)))
    })
}

fn start(kernel: String, second: u32) -> Start {
    Start { kernel: Some(kernel), second: second.into(), boot: [0; 16], place: printable(WTMP) }
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
            let expected = start("6.1.0-18-amd64".to_owned(), 200);
            assert_eq!(parse(&whole), Some(expected.clone()));
            // What precedes the part that is read may be cut anywhere.
            assert_eq!(parse(&whole[7..]), Some(expected));
            assert_eq!(parse(&records[1]), None);
        }
    }

    #[test]
    fn damage_tells_no_boot() {
        let whole = record(SHAPES[0], 2, "reboot", "6.1.0", 1);
        assert_eq!(parse(&[]), None);
        for length in 1..whole.len() {
            assert_eq!(parse(&whole[whole.len() - length..]), None);
        }
        assert_eq!(parse(&vec![0xff; 4096]), None);
        assert_eq!(parse(&record(SHAPES[0], 2, "reboot", "~", 1)), None);
    }
}
