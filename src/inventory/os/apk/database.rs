//! Records of the apk database: lines of a letter, a colon and a value, with an empty line between
//! records.
//!
//! `P` name, `V` version, `A` architecture, `o` source package (origin). After them come the files: `F`
//! a folder, then `R` each file in it. Other letters are passed over.

use super::super::lines::{Line, Lines};
use crate::model::GapReason;
use std::io::Read;
use std::ops::ControlFlow;

/// What a record says of its package.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Line on which it begins.
    pub(super) line: u64,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) arch: String,
    pub(super) origin: String,
}

/// What the database is made of.
pub(super) enum Found<'a> {
    /// A file, before its package.
    File { package: &'a str, path: &'a [u8] },
    /// A package with a name and a version.
    Package(Record),
    /// A record, or all that follows, that could not be read.
    Problem { reason: GapReason, detail: String },
}

/// Shows all that is in a database, until told to stop.
pub(super) fn read(file: impl Read, visit: &mut dyn FnMut(Found) -> ControlFlow<()>) {
    let mut lines = Lines::new(file);
    let mut reader = Reader::default();
    loop {
        let flow = match lines.next() {
            Ok(Some(line)) if line.bytes.is_empty() => reader.end(visit),
            Ok(Some(line)) => reader.line(&line, visit),
            Ok(None) => {
                let _ = reader.end(visit);
                return;
            }
            Err(error) => {
                let _ = reader.end(visit);
                let (reason, detail) = (GapReason::Unreadable, error.to_string());
                let _ = visit(Found::Problem { reason, detail });
                return;
            }
        };
        if flow.is_break() {
            return;
        }
    }
}

#[derive(Default)]
struct Reader {
    record: Option<Record>,
    folder: Vec<u8>,
    broken: Option<(GapReason, String)>,
}

impl Reader {
    fn line(
        &mut self,
        line: &Line,
        visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let record =
            self.record.get_or_insert_with(|| Record { line: line.number, ..<_>::default() });
        let text = || String::from_utf8_lossy(&line.bytes[2..]).trim().to_owned();
        match line.bytes {
            // Long lists of what a package provides do no harm.
            [letter, b':', ..] if line.is_cut && !b"PVAoFR".contains(letter) => {}
            [_, b':', ..] if line.is_cut => {
                let detail =
                    format!("line {}: a name of more than {} bytes", line.number, line.bytes.len());
                self.broken.get_or_insert((GapReason::Limit, detail));
            }
            [b'P', b':', ..] => record.name = text(),
            [b'V', b':', ..] => record.version = text(),
            [b'A', b':', ..] => record.arch = text(),
            [b'o', b':', ..] => record.origin = text(),
            [b'F', b':', folder @ ..] => self.folder = folder.to_vec(),
            [b'R', b':', name @ ..] => {
                let path = path(&self.folder, name);
                return visit(Found::File { package: &record.name, path: &path });
            }
            [letter, b':', ..] if letter.is_ascii_alphabetic() => {}
            _ => {
                let detail = format!("line {}: not a field", line.number);
                self.broken.get_or_insert((GapReason::Corrupt, detail));
            }
        }
        ControlFlow::Continue(())
    }

    fn end(&mut self, visit: &mut dyn FnMut(Found) -> ControlFlow<()>) -> ControlFlow<()> {
        self.folder.clear();
        let broken = self.broken.take();
        let Some(record) = self.record.take() else { return ControlFlow::Continue(()) };
        let problem = |reason, detail| Found::Problem { reason, detail };
        let lacks = |what| format!("record at line {}: no {what}", record.line);
        visit(match broken {
            Some((reason, detail)) => problem(reason, detail),
            None if record.name.is_empty() => problem(GapReason::Corrupt, lacks("package name")),
            None if record.version.is_empty() => problem(GapReason::Corrupt, lacks("version")),
            None => Found::Package(record),
        })
    }
}

fn path(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { [b"/", name].concat() } else { [b"/", folder, b"/", name].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut found = Vec::new();
        read(text.as_bytes(), &mut |it| {
            found.push(match it {
                Found::File { package, path } => {
                    format!("{package} owns {}", String::from_utf8_lossy(path))
                }
                Found::Package(it) => [it.name, it.version, it.arch, it.origin].join(" "),
                Found::Problem { detail, .. } => detail,
            });
            ControlFlow::Continue(())
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn records_and_their_files() {
        check(
            "C:Q1x\nP:a\nV:1-r0\nA:x86_64\no:src\nF:\nR:top\nF:etc/a\nR:b\na:0:0:644\nZ:Q1y\n\n\nP:c\nV:2\nF:etc\nM:0:0:700\n",
            &["a owns /top", "a owns /etc/a/b", "a 1-r0 x86_64 src", "c 2  "],
        );
    }

    #[test]
    fn a_broken_record_costs_only_itself() {
        check(
            "P:a\nrubbish\nV:1\n\nV:1\n\nP:b\n\nP:c\nV:\n\n\u{1}:\n\nP:d\nV:1\n",
            &[
                "line 2: not a field",
                "record at line 5: no package name",
                "record at line 7: no version",
                "record at line 9: no version",
                "line 12: not a field",
                "d 1  ",
            ],
        );
    }

    #[test]
    fn a_long_list_does_no_harm_and_a_long_name_is_a_limit() {
        let long = "x".repeat(1 << 20);
        check(
            &format!("P:a\nV:1\nD:{long}\n\nP:{long}\nV:1\n\nP:b\nV:1\n"),
            &["a 1  ", "line 5: a name of more than 65537 bytes", "b 1  "],
        );
    }

    #[test]
    fn a_stop_is_obeyed() {
        let mut count = 0;
        read("P:a\nV:1\n\nP:b\nV:1\n".as_bytes(), &mut |_| {
            count += 1;
            ControlFlow::Break(())
        });
        assert_eq!(count, 1);
    }
}
