//! The dpkg database: `/var/lib/dpkg/status`, and the `status.d` folder of images without dpkg.
//!
//! Format: deb822 stanzas, as `dpkg(1)` and `deb-control(5)` describe. A package counts when the
//! third word of its `Status` is `installed`; in `status.d`, which has no such field, when it has
//! a name and a version. The file is read as a stream; a stanza over 1 MiB or a file over 256 MiB
//! ends as a gap.

use crate::host::Host;
use crate::inventory::{Cataloger, PathPattern, purl::purl};
use crate::model::{Ecosystem, Gap, GapReason, Package, Partial, SourcePackage, printable};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

/// The cataloger.
pub struct Dpkg;

const STATUS: &str = "/var/lib/dpkg/status";
const STATUS_FOLDER: &str = "/var/lib/dpkg/status.d";
const MOST_FILE: u64 = 256 << 20;
const MOST_STANZA: usize = 1 << 20;
const FIELDS: &[&str] = &["package", "status", "version", "architecture", "source", "origin"];

impl Cataloger for Dpkg {
    fn name(&self) -> &'static str {
        "dpkg"
    }

    fn patterns(&self) -> &[PathPattern] {
        // `status.d/NAME.md5sums` stands beside `status.d/NAME` and is no stanza.
        const PATTERNS: &[PathPattern] = &[
            PathPattern::File(STATUS),
            PathPattern::Folder { path: STATUS_FOLDER, except: ".md5sums" },
        ];
        PATTERNS
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let evidence = printable(path);
        let nothing = |reason, detail: String| Partial {
            found: Vec::new(),
            gaps: vec![Gap::new(&evidence, reason, detail)],
        };
        let file = match host.tree.open(path) {
            Ok(Some(file)) => file,
            Ok(None) => return nothing(GapReason::Missing, "not a regular file".to_owned()),
            Err(error) => return nothing(error.reason(), error.to_string()),
        };
        let needs_status = path == STATUS.as_bytes();
        let (os, size) = (&host.context.os, file.size());
        let mut stanzas = Stanzas::new(file.take(MOST_FILE));
        let mut all = Partial::<Vec<Package>>::default();
        while let Some(stanza) = stanzas.next() {
            match stanza.and_then(|stanza| package(&stanza, needs_status, &os.id, &os.version_id)) {
                Ok(Some(found)) => {
                    all.found.push(Package { evidence: vec![evidence.clone()], ..found });
                }
                Ok(None) => {}
                Err(problem) => all.gaps.push(Gap::new(&evidence, problem.reason, problem.detail)),
            }
        }
        if size > MOST_FILE {
            let detail = format!("{size} bytes; only the first {MOST_FILE} were read");
            all.gaps.push(Gap::new(&evidence, GapReason::Limit, detail));
        }
        all
    }
}

/// The fields of one stanza that matter, names in lower case.
type Stanza = HashMap<&'static str, String>;

struct Problem {
    reason: GapReason,
    detail: String,
}

fn corrupt(detail: String) -> Problem {
    Problem { reason: GapReason::Corrupt, detail }
}

/// The package of a stanza; `None` if it is not installed.
fn package(
    stanza: &Stanza,
    needs_status: bool,
    distro: &str,
    release: &str,
) -> Result<Option<Package>, Problem> {
    let field = |name: &str| stanza.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let Some(name) = field("package") else {
        return Err(corrupt("stanza without a package name".to_owned()));
    };
    let state = field("status").map(|status| status.split_whitespace().nth(2));
    match state {
        Some(Some("installed")) => {}
        Some(Some(_)) => return Ok(None),
        Some(None) => return Err(corrupt(format!("package {name}: broken status"))),
        None if needs_status => return Err(corrupt(format!("package {name}: no status"))),
        None => {}
    }
    let Some(version) = field("version") else {
        return Err(corrupt(format!("package {name}: no version")));
    };
    let arch = field("architecture").unwrap_or_default();
    let source = source(field("source"), name, version);
    let distro_tag = if release.is_empty() { String::new() } else { format!("{distro}-{release}") };
    let qualifiers = [("arch", arch), ("distro", distro_tag.as_str())];
    Ok(Some(Package {
        name: name.to_owned(),
        version: version.to_owned(),
        arch: arch.to_owned(),
        ecosystem: Ecosystem::Deb,
        purl: purl(Ecosystem::Deb.purl_type(), distro, name, version, &qualifiers),
        source,
        origin: field("origin").map(str::to_owned),
        evidence: Vec::new(),
    }))
}

/// `Source: name (version)`; either part is left out where it equals the binary package's.
fn source(field: Option<&str>, name: &str, version: &str) -> SourcePackage {
    let (source, inside) = match field.map(|field| field.split_once('(').unwrap_or((field, ""))) {
        Some((source, rest)) => (source.trim(), rest.trim_end().trim_end_matches(')').trim()),
        None => (name, ""),
    };
    let version = if inside.is_empty() { version } else { inside };
    SourcePackage { name: source.to_owned(), version: version.to_owned() }
}

/// Splits a stream into stanzas, in memory bounded by one stanza.
struct Stanzas<R> {
    lines: BufReader<R>,
    line_number: u64,
    done: bool,
}

impl<R: Read> Stanzas<R> {
    fn new(file: R) -> Self {
        Self { lines: BufReader::with_capacity(64 * 1024, file), line_number: 0, done: false }
    }

    fn next(&mut self) -> Option<Result<Stanza, Problem>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let mut stanzas = Stanzas::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(stanza) = stanzas.next() {
            match stanza.and_then(|stanza| package(&stanza, true, "debian", "12")) {
                Ok(Some(p)) => found.push(format!(
                    "{} {} {} {}",
                    p.name, p.version, p.source.name, p.source.version
                )),
                Ok(None) => {}
                Err(problem) => found.push(problem.detail),
            }
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn only_the_installed_ones_by_whole_word() {
        check(
            "Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: install ok not-installed\nVersion: 1\n\nPackage: c\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: d\nStatus: hold ok installed\nVersion: 2\nSource: dd (1:3)\n",
            &["a 1 a 1", "d 2 dd 1:3"],
        );
    }

    #[test]
    fn a_broken_stanza_loses_only_itself() {
        check(
            "Package: a\nStatus: install ok installed\nVersion: 1\nrubbish\n\n\n\nPackage: b\r\nStatus: install ok installed\r\nversion: 1\r\nDescription: x\n y: z\n .\n\nVersion: 3\n\nPackage: c\nStatus: install ok installed\n",
            &[
                "line 4: neither a field nor its continuation",
                "b 1 b 1",
                "stanza without a package name",
                "package c: no version",
            ],
        );
    }

    #[test]
    fn an_endless_line_is_a_limit_and_the_rest_is_read() {
        let long = format!(
            "Package: {}\n\nPackage: b\nStatus: install ok installed\nVersion: 1\n",
            "x".repeat(3 << 20)
        );
        check(&long, &["stanza of 1048577 bytes that ends at line 2", "b 1 b 1"]);
    }
}
