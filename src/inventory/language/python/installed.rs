//! Installed packages: `NAME.dist-info/METADATA` (wheels), `NAME.egg-info` as a file or as a folder with
//! `PKG-INFO` (distutils, setuptools, Debian), `NAME.egg/EGG-INFO/PKG-INFO` (eggs that are folders).
//!
//! Core metadata: <https://packaging.python.org/en/latest/specifications/core-metadata/>. Folders that pip
//! renamed while it replaced a package begin with a tilde, and are left out as pip does.

use crate::host::Host;
use crate::inventory::language::{Collector, fields, place};
use crate::inventory::{Cataloger, PathPattern};
use crate::model::{Ecosystem, Gap, Package, PackageState, Partial, printable};

/// The cataloger.
pub struct Installed;

impl Cataloger for Installed {
    fn name(&self) -> &'static str {
        "python"
    }

    fn patterns(&self) -> &[PathPattern] {
        const PATTERNS: &[PathPattern] = &[
            PathPattern::Within { folder: ".dist-info", name: "METADATA" },
            // Both `NAME.egg-info` and `EGG-INFO`.
            PathPattern::Within { folder: "egg-info", name: "PKG-INFO" },
            PathPattern::Ending(".egg-info"),
        ];
        PATTERNS
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut found = Collector::new(Ecosystem::Pypi, PackageState::Installed, path);
        if !is_left_over(path) {
            read(host, &mut found);
        }
        found.into_found()
    }
}

fn is_left_over(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let folder = place::folders(path).pop().unwrap_or_default();
    folder.starts_with(b"~") || name.starts_with(b"~")
}

fn read(host: &Host, found: &mut Collector) {
    let path = found.path();
    let file = match host.tree.open(path) {
        Ok(Some(file)) => file,
        // A folder of this name, whose own file is told of too.
        Ok(None) => return,
        Err(error) => return found.gap(Gap::new(printable(path), error.reason(), error)),
    };
    match fields::first(file, ["Name", "Version"]) {
        Ok([name, version]) if name.is_empty() || version.is_empty() => {
            found.corrupt("metadata without a name or a version");
        }
        Ok([name, version]) => found.add(&name, &version),
        Err(error) => found.gap(fields::unreadable(path, &error)),
    }
}
