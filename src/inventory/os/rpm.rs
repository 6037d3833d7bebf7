//! The rpm database: `rpmdb.sqlite` with its write-ahead log, `Packages.db` (ndb) or `Packages`
//! (Berkeley DB), in any of the folders that distributions keep it in.
//!
//! Which repository a package came from the tools above rpm tell ([`origins`]).
//! The formats are those of the crate `rpmdb-reader`, which says what is refused. Of several databases
//! one is read ([`places`]). Keys that rpm trusts (`gpg-pubkey`) are no packages. A header that
//! cannot be read is a gap with its place, and costs only itself; over 4 GiB of a file, 200,000 packages,
//! 64 MiB of text, or more bytes of headers than the files have, the rest is a gap.

mod history;
mod origins;
mod package;
mod places;

use crate::host::{Host, PathError, PositionedFile, read_reason};
use crate::inventory::{Cataloger, MOST_PACKAGES, Owners, PathPattern, Problems};
use crate::model::{Gap, GapReason, Package, Partial, printable};
use block_source::BlockSource;
use rpmdb_reader::{Beside, Blob, Database, Error, File, Files, State};
use std::sync::Arc;

/// The cataloger.
pub struct Rpm;

/// Name of what rpm keeps a trusted key as.
const KEY: &str = "gpg-pubkey";
const MOST_FILE: u64 = 4 << 30;
/// Bytes of text that packages may say of themselves; those of a large host say one or two million.
const MOST_TEXT: usize = 64 << 20;
/// Problems of one database that are listed.
const MOST_PROBLEMS: usize = 100;

impl Cataloger for Rpm {
    fn name(&self) -> &'static str {
        "rpm"
    }

    fn patterns(&self) -> &[PathPattern] {
        places::DATABASES
    }

    fn elsewhere(&self) -> &[PathPattern] {
        places::ELSEWHERE
    }

    fn beside(&self) -> &[&'static str] {
        places::LOGS
    }

    fn choose(&self, host: &Host, files: Vec<Vec<u8>>) -> Partial<Vec<Vec<u8>>> {
        places::choose(&host.tree, files)
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        Reader::new(host, path, None).read(path)
    }

    fn catalog_owning(
        &self,
        host: &Host,
        path: &[u8],
        owners: &mut Owners,
    ) -> Partial<Vec<Package>> {
        let mut all = Reader::new(host, path, Some(owners)).read(path);
        origins::note(host, &mut all.found, &mut all.gaps);
        all
    }
}

/// Reads one database.
struct Reader<'a> {
    host: &'a Host,
    /// The path of the database, printable.
    place: String,
    problems: Problems,
    found: Vec<Package>,
    /// Bytes of the headers that were read.
    headers: u64,
    /// Bytes of text of the packages that were found.
    text: usize,
    /// Where it notes which files are whose, if that is wanted.
    owners: Option<&'a mut Owners>,
}

impl<'a> Reader<'a> {
    fn new(host: &'a Host, path: &[u8], owners: Option<&'a mut Owners>) -> Self {
        let place = printable(path);
        let problems = Problems::new(&place, MOST_PROBLEMS);
        Self { host, place, problems, found: Vec::new(), headers: 0, text: 0, owners }
    }

    fn read(mut self, path: &[u8]) -> Partial<Vec<Package>> {
        if let Err(gap) = self.database(path) {
            self.problems.push(gap);
        }
        Partial { found: self.found, gaps: self.problems.into_gaps() }
    }

    /// All packages; an error is one after which the rest is left.
    fn database(&mut self, path: &[u8]) -> Result<(), Gap> {
        let Some(file) = self.open(path)? else {
            return Err(Gap::new(&self.place, GapReason::Missing, "not a regular file"));
        };
        let beside = Beside {
            wal: self.open(&[path, b"-wal"].concat())?,
            journal: self.open(&[path, b"-journal"].concat())?,
        };
        let log = beside.wal.as_ref().map_or(0, BlockSource::size);
        let most_headers = file.size().saturating_add(log);
        let database = Database::open(file, beside).map_err(|error| self.gap("", &error))?;
        for problem in database.problems() {
            self.push("", problem);
        }
        for header in database.headers() {
            match header {
                Ok(blob) => self.header(&blob, most_headers)?,
                Err(error) => self.push("", &error),
            }
        }
        Ok(())
    }

    /// A file of the database, if it is there.
    fn open(&self, path: &[u8]) -> Result<Option<Arc<dyn BlockSource>>, Gap> {
        let fail = |error: PathError| Gap::new(printable(path), error.reason(), error);
        let file = self.host.tree.open_positioned(path).map_err(fail)?;
        if let Some(size) = file.as_ref().map(PositionedFile::size).filter(|it| *it > MOST_FILE) {
            let detail = format!("{size} bytes, more than the {MOST_FILE} that are read");
            return Err(Gap::new(printable(path), GapReason::Limit, detail));
        }
        Ok(file.map(|file| Arc::new(file) as Arc<dyn BlockSource>))
    }

    fn header(&mut self, blob: &Blob, most_headers: u64) -> Result<(), Gap> {
        self.headers = self.headers.saturating_add(blob.bytes.len() as u64);
        if self.headers > most_headers {
            return Err(self.limit("headers overlap: together they are larger than the database"));
        }
        let at = format!("header {} at {:#x}: ", blob.number, blob.at);
        let files = if self.owners.is_some() { Files::Wanted } else { Files::Left };
        let package = match rpmdb_reader::Package::parse(&blob.bytes, files) {
            Ok(package) if package.name == KEY => return Ok(()),
            Ok(package) => package,
            Err(error) => {
                self.push(&at, &error);
                return Ok(());
            }
        };
        for problem in &package.problems {
            self.push(&format!("{at}package {}: ", printable(package.name.as_bytes())), problem);
        }
        if let Some(owners) = self.owners.as_deref_mut() {
            note(&package, owners);
        }
        match package::package(package, &self.place, &self.host.context.os) {
            Ok(package) => self.keep(package),
            Err(long) => {
                let detail = format!("{at}{long}");
                self.problems.push(Gap::new(&self.place, GapReason::Limit, detail));
                Ok(())
            }
        }
    }

    fn keep(&mut self, package: Package) -> Result<(), Gap> {
        self.text += package::length(&package);
        if self.found.len() >= MOST_PACKAGES {
            let detail = format!("more than {MOST_PACKAGES} packages; the rest was not read");
            return Err(self.limit(&detail));
        }
        if self.text > MOST_TEXT {
            let detail =
                format!("packages with more than {MOST_TEXT} bytes of text; the rest was not read");
            return Err(self.limit(&detail));
        }
        self.found.push(package);
        Ok(())
    }

    fn push(&mut self, at: &str, error: &Error) {
        let gap = self.gap(at, error);
        self.problems.push(gap);
    }

    fn gap(&self, at: &str, error: &Error) -> Gap {
        Gap::new(&self.place, reason(error), format!("{at}{error}"))
    }

    fn limit(&self, detail: &str) -> Gap {
        Gap::new(&self.place, GapReason::Limit, detail)
    }
}

fn reason(error: &Error) -> GapReason {
    match error {
        Error::Read(error) => read_reason(error),
        Error::Unsupported { .. } => GapReason::Unsupported,
        Error::Corrupt { .. } => GapReason::Corrupt,
    }
}

/// Notes the files of a package that it installed.
fn note(package: &rpmdb_reader::Package, owners: &mut Owners) {
    const GHOST: u32 = 64;
    owners.package(&printable(package.name.as_bytes()));
    let there = |file: &File| {
        file.flags & GHOST == 0 && !matches!(file.state, State::NotInstalled | State::Replaced)
    };
    for file in package.files.iter().filter(there) {
        owners.file(&file.path());
    }
}
