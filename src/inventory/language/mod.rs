//! Packages of languages: what the tools of a language left where they installed, and the lockfiles
//! of applications.
//!
//! Each cataloger reads one kind of evidence, wherever the walk finds it. What merely has the name
//! of evidence and is none, such as a `package.json` without a version, is no gap; what claims to be and cannot be
//! read is one.

mod egg;
mod executables;
mod java;
mod version_files;

use super::Cataloger;
use super::purl::purl;
use crate::host::Host;
use crate::model::{
    Ecosystem, Gap, GapReason, Package, PackageState, Partial, printable, printable_str,
};

/// All catalogers of languages. Adding one is a file and a line here.
#[rustfmt::skip]
pub const CATALOGERS: &[&dyn Cataloger] = &[
    &egg::Egg,
    &executables::Executables,
    &java::Java,
    &version_files::VersionFiles,
];

/// Bytes of a manifest or a lockfile. The largest real ones have some ten million.
pub const MOST_MANIFEST: u64 = 64 << 20;
/// Bytes of a name or a version of a package; real ones have some dozens.
const MOST_WORD: usize = 1024;

/// A manifest's bytes; one that cannot be read, or is too large, is a gap.
pub fn manifest(host: &Host, path: &[u8], gaps: &mut Vec<Gap>) -> Option<Vec<u8>> {
    match host.tree.read(path, MOST_MANIFEST) {
        Ok(bytes) => bytes,
        Err(error) => {
            gaps.push(Gap::new(printable(path), error.reason(), error));
            None
        }
    }
}

/// That a file is not what it claims to be.
pub fn corrupt(path: &[u8], detail: &str) -> Gap {
    Gap::new(printable(path), GapReason::Corrupt, printable_str(detail))
}

/// Collects the packages that one file proves.
pub struct Collector<'a> {
    ecosystem: Ecosystem,
    state: PackageState,
    path: &'a [u8],
    found: Partial<Vec<Package>>,
}

impl<'a> Collector<'a> {
    /// None yet, of the file at this path.
    pub fn new(ecosystem: Ecosystem, state: PackageState, path: &'a [u8]) -> Self {
        Self { ecosystem, state, path, found: Partial::default() }
    }

    /// Adds a package that is known by name and version alone.
    pub fn add(&mut self, name: &str, version: &str) {
        self.add_of("", name, version);
    }

    /// Adds a package whose purl has a namespace: the group of Maven, the scope of npm, the path of
    /// a Go module. `name` is the whole name that people write, of which the purl takes what follows the namespace.
    pub fn add_of(&mut self, namespace: &str, name: &str, version: &str) {
        let (name, version) = (name.trim(), version.trim());
        if name.is_empty() || version.is_empty() {
            return;
        }
        if name.len() > MOST_WORD || version.len() > MOST_WORD {
            let detail = format!(
                "a package whose name has {} bytes and whose version has {}",
                name.len(),
                version.len()
            );
            return self.gap(Gap::new(printable(self.path), GapReason::Limit, detail));
        }
        let (name, version) = (printable_str(name), printable_str(version));
        let namespace = printable_str(namespace);
        let bare = name
            .strip_prefix(namespace.as_str())
            .map_or(name.as_str(), |rest| rest.trim_start_matches(['/', ':']));
        let purl = purl(self.ecosystem.purl_type(), &namespace, bare, &version, &[]);
        let package = Package::new(self.ecosystem, name, version, printable(self.path));
        self.found.found.push(Package { purl, state: self.state, ..package });
    }

    /// Adds what could not be read.
    pub fn gap(&mut self, gap: Gap) {
        self.found.gaps.push(gap);
    }

    /// What was found.
    pub fn into_found(self) -> Partial<Vec<Package>> {
        self.found
    }
}
