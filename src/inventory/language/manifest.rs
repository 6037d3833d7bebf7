//! The kind of cataloger that most are: a file whose text alone tells the packages.

use super::{Collector, manifest, text};
use crate::host::Host;
use crate::inventory::{Cataloger, PathPattern};
use crate::model::{Ecosystem, Package, PackageState, Partial};

/// A kind of file.
pub struct Manifest {
    /// Short name.
    pub name: &'static str,
    /// Its files.
    pub patterns: &'static [PathPattern],
    /// Which of those files count, by their path.
    pub takes: fn(&[u8]) -> bool,
    /// Whose packages they name.
    pub ecosystem: Ecosystem,
    /// How sure it is that they are there.
    pub state: PackageState,
    /// Reads one.
    pub read: fn(&str, &mut Collector),
}

impl Cataloger for Manifest {
    fn name(&self) -> &'static str {
        self.name
    }

    fn patterns(&self) -> &[PathPattern] {
        self.patterns
    }

    fn takes(&self, path: &[u8]) -> bool {
        (self.takes)(path)
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut gaps = Vec::new();
        let Some(bytes) = manifest(host, path, &mut gaps) else {
            return Partial { found: Vec::new(), gaps };
        };
        let mut found = Collector::new(self.ecosystem, self.state, path);
        (self.read)(&text::decode(bytes), &mut found);
        found.into_found()
    }
}

/// What a reader finds in a text, for tests: `name version`, then the reasons of its gaps.
#[cfg(test)]
pub fn check(manifest: &Manifest, text: &str, expected: &[&str]) {
    assert_eq!(read(manifest, text), expected);
}

#[cfg(test)]
pub fn read(manifest: &Manifest, text: &str) -> Vec<String> {
    let mut found = Collector::new(manifest.ecosystem, manifest.state, b"/a");
    (manifest.read)(text, &mut found);
    let Partial { found, gaps } = found.into_found();
    let found = found.iter().map(|package| format!("{} {}", package.name, package.version));
    found.chain(gaps.iter().map(|gap| gap.reason.as_str().to_owned())).collect()
}

/// Damages a good text in every way that needs no knowledge of its format; nothing may panic or be
/// found that is in none of its packages.
#[cfg(test)]
pub fn survive_damage(manifest: &Manifest, good: &str) {
    let whole = read(manifest, good);
    assert!(!whole.is_empty());
    for end in (0..good.len()).filter(|end| good.is_char_boundary(*end)) {
        read(manifest, &good[..end]);
    }
    for (from, to) in
        [("\"", "\u{1b}"), ("\n", "\r\n"), (":", ""), ("{", "["), (",", ",,"), ("=", "==")]
    {
        read(manifest, &good.replace(from, to));
    }
    assert_eq!(read(manifest, &good.replace('\n', "\r\n")), whole, "line ends of Windows");
    let long = "x".repeat(64 << 10);
    read(manifest, &good.replace('1', &long));
    read(manifest, &good.replace('\n', &format!("\n{long}")));
    read(manifest, &"[".repeat(100_000));
    read(manifest, &format!("{good}{}", "{\"a\":".repeat(100_000)));
}
