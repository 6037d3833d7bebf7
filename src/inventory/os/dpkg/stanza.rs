//! Splits deb822 text into stanzas, in memory bounded by one stanza.

use crate::model::{Gap, GapReason, printable};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

const MOST_STANZA: usize = 1 << 20;
const FIELDS: &[&str] =
    &["package", "status", "version", "architecture", "multi-arch", "source", "origin"];

/// The fields of one stanza that matter, names in lower case.
pub(super) type Stanza = HashMap<&'static str, String>;

/// What is wrong with a stanza.
pub(super) struct Problem {
    reason: GapReason,
    pub(super) detail: String,
}

impl Problem {
    pub(super) fn gap(self, place: &str) -> Gap {
        Gap::new(place, self.reason, self.detail)
    }
}

pub(super) fn corrupt(detail: String) -> Problem {
    Problem { reason: GapReason::Corrupt, detail }
}

/// The stanzas of a stream.
pub(super) struct Stanzas<R> {
    lines: BufReader<R>,
    line_number: u64,
    done: bool,
}

impl<R: Read> Stanzas<R> {
    pub(super) fn new(file: R) -> Self {
        Self { lines: BufReader::with_capacity(64 * 1024, file), line_number: 0, done: false }
    }

    pub(super) fn next(&mut self) -> Option<Result<Stanza, Problem>> {
        let mut stanza = Stanza::new();
        let (mut size, mut any, mut broken) = (0, false, None);
        while !self.done {
            let line = match self.line() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(problem) => {
                    self.done = true;
                    return Some(Err(problem));
                }
            };
            if line.is_empty() {
                if any {
                    break;
                }
                continue;
            }
            any = true;
            size += line.len();
            if size <= MOST_STANZA {
                broken = broken.or(self.field(&line, &mut stanza));
            }
        }
        if size > MOST_STANZA {
            let detail = format!("stanza of {size} bytes that ends at line {}", self.line_number);
            return Some(Err(Problem { reason: GapReason::Limit, detail }));
        }
        any.then(|| broken.map_or(Ok(stanza), Err))
    }

    /// A line without its end; of one that is too long only the start is kept.
    fn line(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let mut line = Vec::new();
        let limit = MOST_STANZA as u64 + 1;
        let number = self.line_number + 1;
        let fail = |error: std::io::Error| Problem {
            reason: GapReason::Unreadable,
            detail: format!("line {number}: {error}"),
        };
        if self.lines.by_ref().take(limit).read_until(b'\n', &mut line).map_err(fail)? == 0 {
            self.done = true;
            return Ok(None);
        }
        self.line_number = number;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() as u64 == limit {
            self.lines.skip_until(b'\n').map_err(fail)?;
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    /// Takes one line into the stanza; gives back what is wrong with it.
    fn field(&self, line: &[u8], stanza: &mut Stanza) -> Option<Problem> {
        if matches!(line[0], b' ' | b'\t' | b'#') {
            return None;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            let detail = format!("line {}: neither a field nor its continuation", self.line_number);
            return Some(corrupt(detail));
        };
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        if let Some(name) = FIELDS.iter().find(|field| **field == name) {
            stanza.insert(name, printable(line[colon + 1..].trim_ascii()));
        }
        None
    }
}
