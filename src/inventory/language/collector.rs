//! The packages that one file proves: each once, with the purl of its ecosystem, in bounded memory.

use crate::inventory::{MOST_PACKAGES, Problems, purl::purl};
use crate::model::{
    Ecosystem, Gap, GapReason, Package, PackageState, Partial, printable, printable_str,
};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Bytes of a name or a version of a package; real ones have some dozens.
const MOST_WORD: usize = 1024;
/// Bytes of all names, versions and evidence of one file: a path may be long, and each package has it.
const MOST_TEXT: usize = 128 << 20;
/// Problems of one file that are listed.
const MOST_PROBLEMS: usize = 100;
/// Characters of what another library says of a damage, which may repeat what it read.
const MOST_DETAIL: usize = 200;

/// Collects the packages that one file proves.
pub struct Collector<'a> {
    ecosystem: Ecosystem,
    state: PackageState,
    path: &'a [u8],
    found: BTreeSet<Package>,
    problems: Problems,
    damages: usize,
    text: usize,
    /// Why the rest of the file does not count, once that is so.
    end: Option<Gap>,
}

impl<'a> Collector<'a> {
    /// None yet, of the file at this path.
    pub fn new(ecosystem: Ecosystem, state: PackageState, path: &'a [u8]) -> Self {
        let problems = Problems::new(&printable(path), MOST_PROBLEMS);
        let found = BTreeSet::new();
        Self { ecosystem, state, path, found, problems, damages: 0, text: 0, end: None }
    }

    /// The file.
    pub fn path(&self) -> &'a [u8] {
        self.path
    }

    /// Adds a package that is known by name and version alone.
    pub fn add(&mut self, name: &str, version: &str) {
        self.add_of("", name, version);
    }

    /// Adds a package whose purl has a namespace: the group of Maven, the scope of npm, the path of
    /// a Go module. `name` is the whole name that people write, of which the purl takes what follows the namespace.
    pub fn add_of(&mut self, namespace: &str, name: &str, version: &str) {
        let (name, version) = (name.trim(), version.trim());
        if name.is_empty() || version.is_empty() || self.end.is_some() {
            return;
        }
        if name.len() > MOST_WORD || version.len() > MOST_WORD || namespace.len() > MOST_WORD {
            let detail = format!(
                "a package whose name has {} bytes and whose version has {}",
                name.len().max(namespace.len()),
                version.len()
            );
            return self.gap(Gap::new(printable(self.path), GapReason::Limit, detail));
        }
        self.insert(self.package(namespace, name, version));
    }

    /// Adds a package of which a list of packages tells, with the purl that it has there.
    pub fn add_listed(&mut self, ecosystem: Ecosystem, name: &str, version: &str, purl: &str) {
        let longest = name.len().max(version.len()).max(purl.len());
        if name.is_empty() || version.is_empty() || self.end.is_some() {
            return;
        }
        if longest > MOST_WORD {
            let detail = format!("a package with a word of {longest} bytes");
            return self.gap(Gap::new(printable(self.path), GapReason::Limit, detail));
        }
        let (name, version) = (printable_str(name), printable_str(version));
        let package = Package::new(ecosystem, name, version, printable(self.path));
        self.insert(Package { purl: printable_str(purl), state: self.state, ..package });
    }

    fn insert(&mut self, package: Package) {
        let (name, version) = (&package.name, &package.version);
        let text =
            2 * (name.len() + version.len()) + package.evidence[0].len() + package.purl.len();
        if self.found.len() >= MOST_PACKAGES || self.text + text > MOST_TEXT {
            let count = self.found.len();
            return self.stop(&format!("only the first {count} packages were taken"));
        }
        if self.found.insert(package) {
            self.text += text;
        }
    }

    fn package(&self, namespace: &str, name: &str, version: &str) -> Package {
        let (name, version) = (printable_str(name), printable_str(version));
        let namespace = printable_str(namespace);
        let bare = name
            .strip_prefix(namespace.as_str())
            .filter(|rest| namespace.is_empty() || rest.starts_with(['/', ':']))
            .map_or(name.as_str(), |rest| rest.trim_start_matches(['/', ':']));
        let bare = purl_name(self.ecosystem, bare);
        let purl = purl(self.ecosystem.purl_type(), &namespace, &bare, &version, &[]);
        let package = Package::new(self.ecosystem, name, version, printable(self.path));
        Package { purl, state: self.state, ..package }
    }

    /// Adds what could not be read.
    pub fn gap(&mut self, gap: Gap) {
        self.problems.push(gap);
    }

    /// Takes no more from this file; the reason is told however many problems there were.
    pub fn stop(&mut self, detail: &str) {
        self.end = Some(Gap::new(printable(self.path), GapReason::Limit, detail));
    }

    /// Adds that something in the file is not what it claims to be.
    #[expect(clippy::needless_pass_by_value, reason = "takes errors and texts alike")]
    pub fn corrupt(&mut self, detail: impl ToString) {
        self.damages += 1;
        // From here on they are only counted, and a file may be nothing but damage.
        if self.damages > MOST_PROBLEMS {
            return self.gap(Gap::new("", GapReason::Corrupt, ""));
        }
        let detail: String = detail.to_string().chars().take(MOST_DETAIL).collect();
        self.gap(super::corrupt(self.path, &detail));
    }

    /// What was found.
    pub fn into_found(self) -> Partial<Vec<Package>> {
        let mut gaps = self.problems.into_gaps();
        gaps.extend(self.end);
        Partial { found: self.found.into_iter().collect(), gaps }
    }
}

/// The name as a purl has it, where the ecosystem has several writings of one name.
fn purl_name(ecosystem: Ecosystem, name: &str) -> Cow<'_, str> {
    match ecosystem {
        // PEP 503.
        Ecosystem::Pypi => {
            let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join("-").to_lowercase().into()
        }
        Ecosystem::Composer | Ecosystem::Hex => name.to_lowercase().into(),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ecosystem: Ecosystem) -> Collector<'static> {
        Collector::new(ecosystem, PackageState::Installed, b"/a/file")
    }

    #[test]
    fn each_package_once_and_its_purl_as_the_ecosystem_writes_it() {
        let mut found = of(Ecosystem::Pypi);
        found.add("Zope._Interface", "1.0");
        found.add(" Zope._Interface", "1.0\r");
        found.add("", "1");
        let found = found.into_found().found;
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].purl.as_str()),
            ("Zope._Interface", "pkg:pypi/zope-interface@1.0")
        );
        let mut found = of(Ecosystem::Npm);
        found.add_of("@a", "@a/b", "1.0+c");
        assert_eq!(found.into_found().found[0].purl, "pkg:npm/%40a/b@1.0%2Bc");
        let mut found = of(Ecosystem::Conan);
        found.add_of("z", "zlib", "1");
        assert_eq!(found.into_found().found[0].purl, "pkg:conan/z/zlib@1");
    }

    #[test]
    fn words_that_no_package_has_and_too_many_packages_are_limits() {
        let mut found = of(Ecosystem::Npm);
        found.add(&"x".repeat(64 << 10), "1");
        for index in 0..MOST_PACKAGES + 10 {
            found.add("a\u{1b}[2J", &index.to_string());
        }
        let Partial { found, gaps } = found.into_found();
        assert_eq!((found.len(), gaps.len()), (MOST_PACKAGES, 2));
        assert_eq!(found[0].name, "a\\x1b[2J");
        assert!(gaps.iter().all(|gap| gap.reason == GapReason::Limit));
    }

    #[test]
    fn a_long_path_does_not_multiply() {
        let path = vec![b'p'; 60_000];
        let mut found = Collector::new(Ecosystem::Npm, PackageState::Locked, &path);
        for index in 0..10_000 {
            found.add("a", &index.to_string());
        }
        let Partial { found, gaps } = found.into_found();
        assert!(found.len() < 3000);
        assert_eq!(gaps[0].reason, GapReason::Limit);
    }
}
