//! Java archives: `.jar`, `.war`, `.ear` and the like, and those that lie in them.
//!
//! Of an archive its end, its directory and the few entries that name packages are read. An archive in
//! an archive is read where it lies if it is stored, as Spring Boot does; else it is unpacked in memory.
//! All of one file is bounded ([`Limits`]), and what stays unread is a gap. Evidence is
//! `path!inner.jar`. What the entries say is told by [`artifact`].

mod artifact;
mod file_name;
mod groups;
mod manifest;

use super::Collector;
use crate::host::{Host, Part, read_reason};
use crate::inventory::{Cataloger, PathPattern, Problems};
use crate::model::{Ecosystem, Gap, GapReason, Package, PackageState, Partial, printable};
use artifact::{Facts, Kind};
use block_source::BlockSource;
use std::sync::Arc;
use zip_reader::{Archive, Entry, Error};

/// The cataloger.
pub struct Java;

const ENDINGS: &[&str] =
    &[".jar", ".war", ".ear", ".par", ".sar", ".jpi", ".hpi", ".kar", ".nar", ".lpkg", ".aar"];
const PATTERNS: [PathPattern; ENDINGS.len()] = {
    let mut patterns = [PathPattern::Ending(""); ENDINGS.len()];
    let mut index = 0;
    while index < ENDINGS.len() {
        patterns[index] = PathPattern::Ending(ENDINGS[index]);
        index += 1;
    }
    patterns
};
/// Problems of one file that are listed.
const MOST_PROBLEMS: usize = 100;

/// What is left of the bounds of one file.
struct Limits {
    /// Archives, itself among them.
    archives: usize,
    /// Entries of all directories.
    entries: usize,
    /// Bytes that are unpacked.
    bytes: u64,
}

/// Archives in one another.
const MOST_DEPTH: usize = 8;
/// Bytes of archives that are held unpacked at one time.
const MOST_HELD: u64 = 256 << 20;

/// Archives in an archive whose blocks are asked for before they are read.
const AHEAD: usize = 16;
/// Entries of an archive that are asked for at once.
const MOST_TOLD: usize = 64;

impl Limits {
    const WHOLE: Self = Self { archives: 10_000, entries: 2_000_000, bytes: 1 << 30 };
}

impl Cataloger for Java {
    fn name(&self) -> &'static str {
        "java"
    }

    fn patterns(&self) -> &[PathPattern] {
        &PATTERNS
    }

    fn part(&self) -> Part {
        Part::End(64 << 10)
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        match host.tree.open_positioned(path) {
            Ok(Some(file)) => archives(Arc::new(file.in_parts()), path),
            Ok(None) => Partial::default(),
            Err(error) => {
                let gap = Gap::new(printable(path), error.reason(), error);
                Partial { found: Vec::new(), gaps: vec![gap] }
            }
        }
    }
}

/// The packages that an archive and those in it prove.
pub fn archives(source: Arc<dyn BlockSource>, path: &[u8]) -> Partial<Vec<Package>> {
    let problems = Problems::new(&printable(path), MOST_PROBLEMS);
    let mut walk = Walk { limits: Limits::WHOLE, found: Vec::new(), problems, waiting: Vec::new() };
    walk.archive(source, path, 0, 0);
    for turn in 0.. {
        if turn % (AHEAD / 2) == 0 {
            walk.tell();
        }
        let Some(inner) = walk.waiting.pop() else { break };
        walk.unpack(&inner);
    }
    Partial { found: walk.found, gaps: walk.problems.into_gaps() }
}

/// The way through one file.
struct Walk {
    limits: Limits,
    found: Vec<Package>,
    problems: Problems,
    /// What waits to be looked into; the last one first, so that little is held at one time.
    waiting: Vec<Inner>,
}

/// An archive in an archive.
struct Inner {
    outer: Arc<Archive>,
    entry: Entry,
    path: Vec<u8>,
    depth: usize,
    /// Bytes that are held unpacked for the archives that it lies in.
    held: u64,
}

impl Walk {
    fn archive(&mut self, source: Arc<dyn BlockSource>, path: &[u8], depth: usize, held: u64) {
        if self.limits.archives == 0 {
            return self.limit(path, "more archives in one another than are read");
        }
        self.limits.archives -= 1;
        let archive = match Archive::open(source) {
            Ok(archive) => Arc::new(archive),
            // A file may bear any name.
            Err(Error::NotZip) => return,
            Err(error) => return self.error(path, &error),
        };
        let (wanted, inner) = self.directory(&archive, path);
        archive.will_need(wanted.iter().map(|(_, entry)| entry).take(MOST_TOLD));
        let facts = self.facts(&archive, &wanted, path);
        let mut collector = Collector::new(Ecosystem::Maven, PackageState::Installed, path);
        for found in facts.artifacts(path) {
            collector.add_of(&found.group, &found.full_name(), &found.version);
        }
        let Partial { found, gaps } = collector.into_found();
        self.found.extend(found);
        for gap in gaps {
            self.problems.push(gap);
        }
        if depth >= MOST_DEPTH && !inner.is_empty() {
            return self.limit(path, &format!("archives in it, which is the {depth}th in another"));
        }
        self.waiting.extend(inner.into_iter().rev().map(|entry| {
            let path = [path, b"!", &entry.name].concat();
            Inner { outer: archive.clone(), entry, path, depth: depth + 1, held }
        }));
    }

    /// The entries that say what the archive is, and the archives in it.
    fn directory(&mut self, archive: &Archive, path: &[u8]) -> (Vec<(Kind, Entry)>, Vec<Entry>) {
        let (mut wanted, mut inner, mut packed) = (Vec::new(), Vec::new(), 0u64);
        for entry in archive.entries() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.error(path, &error);
                    break;
                }
            };
            if self.limits.entries == 0 {
                self.limit(path, "more entries than are read");
                break;
            }
            self.limits.entries -= 1;
            let (kind, is_archive) = (Kind::of(&entry.name), is_archive(&entry.name));
            if kind.is_none() && !is_archive {
                continue;
            }
            packed = packed.saturating_add(entry.packed);
            if packed > archive.size() {
                let detail = "entries overlap: together they are larger than the archive";
                self.problems.push(Gap::new(printable(path), GapReason::Corrupt, detail));
                break;
            }
            match kind {
                Some(kind) => wanted.push((kind, entry)),
                None => inner.push(entry),
            }
        }
        (wanted, inner)
    }

    fn facts(&mut self, archive: &Archive, wanted: &[(Kind, Entry)], path: &[u8]) -> Facts {
        let mut facts = Facts::default();
        for (kind, entry) in wanted {
            match self.read(archive, entry, kind.most()) {
                Ok(bytes) => facts.add(*kind, &entry.name, &bytes),
                Err(error) => self.error(&[path, b"!", &entry.name].concat(), &error),
            }
        }
        facts
    }

    fn unpack(&mut self, inner: &Inner) {
        let Inner { outer, entry, path, depth, held } = inner;
        match outer.stored(entry) {
            Ok(Some(window)) => return self.archive(Arc::new(window), path, *depth, *held),
            Ok(None) => {}
            Err(error) => return self.error(path, &error),
        }
        match self.read(outer, entry, MOST_HELD.saturating_sub(*held)) {
            Ok(bytes) => self.archive(Arc::new(bytes), path, *depth, held + entry.size),
            Err(error) => self.error(path, &error),
        }
    }

    /// Has the archives that are read next fetched.
    fn tell(&self) {
        let next = &self.waiting[self.waiting.len().saturating_sub(AHEAD)..];
        for some in next.chunk_by(|one, other| Arc::ptr_eq(&one.outer, &other.outer)) {
            some[0].outer.will_need(some.iter().rev().map(|inner| &inner.entry));
        }
    }

    fn read(&mut self, archive: &Archive, entry: &Entry, most: u64) -> Result<Vec<u8>, Error> {
        if entry.size > self.limits.bytes {
            let what = "more bytes in the archives of one file than are unpacked".to_owned();
            return Err(Error::Limit { what });
        }
        let bytes = archive.read(entry, most)?;
        self.limits.bytes -= entry.size;
        Ok(bytes)
    }

    fn error(&mut self, path: &[u8], error: &Error) {
        self.problems.push(Gap::new(printable(path), reason(error), error));
    }

    fn limit(&mut self, path: &[u8], detail: &str) {
        self.problems.push(Gap::new(printable(path), GapReason::Limit, detail));
    }
}

/// Why a gap is one.
pub fn reason(error: &Error) -> GapReason {
    match error {
        Error::Read(error) => read_reason(error),
        Error::NotZip | Error::Corrupt { .. } => GapReason::Corrupt,
        Error::Unsupported { .. } => GapReason::Unsupported,
        Error::Limit { .. } => GapReason::Limit,
    }
}

fn is_archive(name: &[u8]) -> bool {
    PATTERNS.iter().any(|pattern| pattern.takes(b"", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_archive_is_no_gap_and_one_that_is_cut_off_is_one() {
        let read = |bytes: &[u8]| archives(Arc::new(bytes.to_vec()), b"/app.jar");
        assert_eq!(read(b"version https://git-lfs.github.com/spec/v1"), Partial::default());
        assert_eq!(read(b"PK\x03\x04 and then nothing").gaps[0].reason, GapReason::Corrupt);
    }
}
