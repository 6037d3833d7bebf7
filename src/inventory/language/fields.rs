//! `Field: value` lines, as Python's `METADATA` and R's `DESCRIPTION` have them, up to the first
//! empty line. Values that go on in the next line are cut at the first: no name or version does.

use crate::model::{Gap, GapReason, printable};
use std::io::{self, BufRead, BufReader, Read};

/// Bytes of such a header; those of long classifiers and licences have some ten thousand.
const MOST_HEADER: u64 = 1 << 20;

/// The first value of each of these fields; empty where there is none. Names are compared in
/// whatever case.
pub fn first<const N: usize>(file: impl Read, names: [&str; N]) -> io::Result<[String; N]> {
    let mut values = [const { String::new() }; N];
    let mut lines = BufReader::new(file.take(MOST_HEADER));
    let mut line = Vec::new();
    let mut is_start = true;
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(values);
        }
        let bytes = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| is_start).unwrap_or(&line);
        if bytes.trim_ascii().is_empty() && !is_start {
            return Ok(values);
        }
        is_start &= bytes.trim_ascii().is_empty();
        let Some(colon) = bytes.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&bytes[..colon], bytes[colon + 1..].trim_ascii());
        for (wanted, found) in names.iter().zip(&mut values) {
            if found.is_empty() && name.eq_ignore_ascii_case(wanted.as_bytes()) {
                *found = super::text::decode(value.to_vec());
            }
        }
    }
}

/// That a file could not be read to the end.
pub fn unreadable(path: &[u8], error: &io::Error) -> Gap {
    Gap::new(printable(path), GapReason::Unreadable, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: [&str; 2]) {
        assert_eq!(first(text.as_bytes(), ["Name", "Version"]).unwrap(), expected);
    }

    #[test]
    fn the_first_of_each_before_the_empty_line() {
        check(
            "Metadata-Version: 2.1\r\nname: a\r\nNAME: b\r\n Version: 9\r\nVersion: 1\r\n",
            ["a", "1"],
        );
        check("\u{feff}Name: a\n\nVersion: 1\n", ["a", ""]);
        check("Name\nrubbish\nVersion : 2\n", ["", ""]);
        check(&format!("X: {}\nName: a\n", "x".repeat(2 << 20)), ["", ""]);
    }
}
