//! Lines of a stream, of which none is kept longer than real ones are.

use std::io::{self, BufRead, BufReader, Read};

/// Bytes of a line that are kept. Lines of dependencies have some thousand.
const MOST_LINE: usize = 1 << 16;

/// A stream, line by line.
pub(super) struct Lines<R> {
    file: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

/// One line, without its end.
pub(super) struct Line<'a> {
    /// From one.
    pub(super) number: u64,
    pub(super) bytes: &'a [u8],
    /// Whether it goes on beyond what was kept.
    pub(super) is_cut: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(file: R) -> Self {
        Self { file: BufReader::with_capacity(64 << 10, file), line: Vec::new(), number: 0 }
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let limit = MOST_LINE as u64 + 1;
        if self.file.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let is_cut = self.line.len() > MOST_LINE && self.line.last() != Some(&b'\n');
        if is_cut {
            self.file.skip_until(b'\n')?;
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let bytes = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some(Line { number: self.number, bytes, is_cut }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_taken_off_and_long_lines_cut() {
        let text = format!("a\r\n\n{}\nb", "x".repeat(3 * MOST_LINE));
        let mut lines = Lines::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push((line.number, line.bytes.len(), line.is_cut));
        }
        assert_eq!(found, [(1, 1, false), (2, 0, false), (3, MOST_LINE + 1, true), (4, 1, false)]);
    }
}
