//! What is installed: catalogers turn files of a host into packages.

pub mod os;
mod purl;
mod unread;

use crate::host::Host;
use crate::model::{Gap, GapReason, Package, Partial};

/// Reads one package database format.
pub trait Cataloger: Send + Sync {
    /// Short name, such as `dpkg`.
    fn name(&self) -> &'static str;

    /// The files it reads.
    fn patterns(&self) -> &[PathPattern];

    /// The packages that the file at `path` proves.
    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>>;
}

/// Where a cataloger's files are. Data, so that exact paths are looked up before anything walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathPattern {
    /// One file.
    File(&'static str),
    /// All files directly in a folder, but for those with this ending.
    Folder {
        /// The folder.
        path: &'static str,
        /// Ending of names that are left out.
        except: &'static str,
    },
}

/// All catalogers. Adding one is a file and a line here.
pub const CATALOGERS: &[&dyn Cataloger] = &[&os::dpkg::Dpkg];

/// All packages of a host, sorted, each once. A database that is known and not read is a gap, and
/// so is none at all.
pub fn inventory(host: &Host) -> Partial<Vec<Package>> {
    let mut all = Partial::<Vec<Package>>::default();
    let mut databases = 0;
    for cataloger in CATALOGERS {
        for path in files(host, *cataloger, &mut all.gaps) {
            databases += 1;
            let found = cataloger.catalog(host, &path).into_found(&mut all.gaps);
            all.found.extend(found);
        }
    }
    let unread = unread::find(host);
    all.gaps.extend(unread.gaps);
    if databases == 0 && !unread.system {
        all.gaps.push(Gap::new("/", GapReason::Missing, no_database()));
    }
    all.found.sort();
    all.found.dedup();
    all
}

fn no_database() -> String {
    let read = CATALOGERS.iter().map(|cataloger| cataloger.name());
    let known: Vec<_> = read.chain(unread::systems()).collect();
    format!("no package database of a known kind ({})", known.join(", "))
}

/// The exact paths that catalogers read, so that their blocks can be asked for early.
pub fn paths() -> impl Iterator<Item = &'static str> {
    let patterns = CATALOGERS.iter().flat_map(|cataloger| cataloger.patterns());
    patterns.map(|pattern| match pattern {
        PathPattern::File(path) | PathPattern::Folder { path, .. } => *path,
    })
}

/// The paths on this host that a cataloger's patterns mean.
fn files(host: &Host, cataloger: &dyn Cataloger, gaps: &mut Vec<Gap>) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for pattern in cataloger.patterns() {
        match *pattern {
            PathPattern::File(path) => match host.tree.find(path.as_bytes()) {
                Ok(Some(_)) => files.push(path.as_bytes().to_vec()),
                Ok(None) => {}
                Err(error) => gaps.push(Gap::new(path, error.reason(), error)),
            },
            PathPattern::Folder { path, except } => {
                let entries = host.tree.list(path.as_bytes(), gaps).into_iter();
                let wanted = entries.filter(|entry| !entry.name.ends_with(except.as_bytes()));
                files.extend(wanted.map(|entry| [path.as_bytes(), b"/", &entry.name].concat()));
            }
        }
    }
    files
}
