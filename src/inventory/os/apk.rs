//! The apk database of Alpine and what is made from it: `/lib/apk/db/installed`, which is in
//! `/usr/lib` where the system's folders are merged.
//!
//! Format: one text file of records, as `apk-installed(5)` describes; see [`database`]. A record that
//! cannot be read is a gap with its line, and costs only itself; over 256 MiB of a file, 200,000
//! packages or 64 MiB of text the rest is a gap.

mod database;

use super::words::{Kept, distro, word};
use crate::host::{FileReader, Host, Located};
use crate::inventory::{Cataloger, Owners, PathPattern, Problems, purl::purl};
use crate::model::{Ecosystem, Gap, GapReason, Os, Package, Partial, SourcePackage, printable};
use database::{Found, Record};
use std::io::Read;
use std::ops::ControlFlow;

/// The cataloger.
pub struct Apk;

const DATABASES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];
const MOST_FILE: u64 = 256 << 20;
/// Problems of one file that are listed.
const MOST_PROBLEMS: usize = 100;

impl Cataloger for Apk {
    fn name(&self) -> &'static str {
        "apk"
    }

    fn patterns(&self) -> &[PathPattern] {
        const PATTERNS: &[PathPattern] =
            &[PathPattern::File(DATABASES[0]), PathPattern::File(DATABASES[1])];
        PATTERNS
    }

    /// A link leads from one path to the other where folders are merged.
    fn choose(&self, host: &Host, files: Vec<Vec<u8>>) -> Partial<Vec<Vec<u8>>> {
        let mut seen: Vec<Located> = Vec::new();
        let is_new = |path: &Vec<u8>| {
            let Ok(Some(at)) = host.tree.find(path) else { return true };
            let is_new = !seen.iter().any(|other| host.tree.is_same(*other, at));
            seen.push(at);
            is_new
        };
        Partial::whole(files.into_iter().filter(is_new).collect())
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        read(host, path, &mut |_, _| {})
    }

    fn catalog_owning(
        &self,
        host: &Host,
        path: &[u8],
        owners: &mut Owners,
    ) -> Partial<Vec<Package>> {
        read(host, path, &mut |package, path| owners.note(package, path))
    }
}

/// All packages of the database at a path; their files are shown.
fn read(host: &Host, path: &[u8], show: &mut dyn FnMut(&str, &[u8])) -> Partial<Vec<Package>> {
    let place = printable(path);
    let mut problems = Problems::new(&place, MOST_PROBLEMS);
    let mut kept = Kept::new(&place);
    let Some(file) = open(host, path, &mut problems) else {
        return Partial { found: Vec::new(), gaps: problems.into_gaps() };
    };
    database::read(file.take(MOST_FILE), &mut |found| {
        let gap = match found {
            Found::File { package, path } => {
                show(package, path);
                return ControlFlow::Continue(());
            }
            Found::Problem { reason, detail } => Gap::new(&place, reason, detail),
            Found::Package(record) => match package(&record, &place, &host.context.os) {
                Ok(package) => match kept.keep(package) {
                    Ok(()) => return ControlFlow::Continue(()),
                    Err(gap) => {
                        problems.push(gap);
                        return ControlFlow::Break(());
                    }
                },
                Err(detail) => {
                    let detail = format!("line {}: {detail}", record.line);
                    Gap::new(&place, GapReason::Limit, detail)
                }
            },
        };
        problems.push(gap);
        ControlFlow::Continue(())
    });
    Partial { found: kept.found, gaps: problems.into_gaps() }
}

/// The file, and the gap of what of it will not be read.
fn open(host: &Host, path: &[u8], problems: &mut Problems) -> Option<FileReader> {
    let place = printable(path);
    match host.tree.open(path) {
        Ok(Some(file)) => {
            let size = file.size();
            if size > MOST_FILE {
                let detail = format!("{size} bytes; only the first {MOST_FILE} were read");
                problems.push(Gap::new(place, GapReason::Limit, detail));
            }
            return Some(file);
        }
        Ok(None) => problems.push(Gap::new(place, GapReason::Missing, "not a regular file")),
        Err(error) => problems.push(Gap::new(place, error.reason(), error)),
    }
    None
}

/// The package, or which of its words is too long. One source may make several packages, all of one
/// version.
fn package(record: &Record, evidence: &str, os: &Os) -> Result<Package, String> {
    let name = word("name", &record.name)?;
    let version = word("version", &record.version)?;
    let arch = word("architecture", &record.arch)?;
    let origin = word("source package", &record.origin)?;
    let source = if origin.is_empty() { name.clone() } else { origin };
    let upstream = if source == name { "" } else { source.as_str() };
    let tag = distro(os);
    let qualifiers = [("arch", arch.as_str()), ("distro", &tag), ("upstream", upstream)];
    Ok(Package {
        purl: purl(Ecosystem::Apk.purl_type(), &os.id, &name, &version, &qualifiers),
        arch,
        source: SourcePackage { name: source, version: version.clone() },
        ..Package::new(Ecosystem::Apk, name, version, evidence.to_owned())
    })
}
