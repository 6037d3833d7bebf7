//! Python eggs that are zip archives: `EGG-INFO/PKG-INFO` names the package. Eggs that are folders are
//! not these.

use super::{Collector, java};
use crate::host::{Host, Part};
use crate::inventory::{Cataloger, PathPattern};
use crate::model::{Ecosystem, Gap, Package, PackageState, Partial, printable};
use std::sync::Arc;
use zip_reader::{Archive, Error};

/// The cataloger.
pub struct Egg;

const INFO: &[u8] = b"EGG-INFO/PKG-INFO";
/// Bytes of it that are read; it holds the readme too.
const MOST_INFO: u64 = 4 << 20;

impl Cataloger for Egg {
    fn name(&self) -> &'static str {
        "egg"
    }

    fn patterns(&self) -> &[PathPattern] {
        &[PathPattern::Ending(".egg")]
    }

    fn part(&self) -> Part {
        Part::End(64 << 10)
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut collector = Collector::new(Ecosystem::Pypi, PackageState::Installed, path);
        match host.tree.open_positioned(path) {
            Ok(Some(file)) => match info(Arc::new(file.in_parts())) {
                Ok(Some(info)) => add(&mut collector, &info),
                Ok(None) | Err(Error::NotZip) => {}
                Err(error) => {
                    collector.gap(Gap::new(printable(path), java::reason(&error), error));
                }
            },
            Ok(None) => {}
            Err(error) => collector.gap(Gap::new(printable(path), error.reason(), error)),
        }
        collector.into_found()
    }
}

/// The bytes of the entry that names the package.
fn info(source: Arc<dyn block_source::BlockSource>) -> Result<Option<Vec<u8>>, Error> {
    let archive = Archive::open(source)?;
    for entry in archive.entries() {
        let entry = entry?;
        if entry.name == INFO {
            return archive.read(&entry, MOST_INFO).map(Some);
        }
    }
    Ok(None)
}

/// Adds the package of a `PKG-INFO`: headers, then an empty line.
fn add(collector: &mut Collector<'_>, info: &[u8]) {
    let text = String::from_utf8_lossy(info);
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).collect();
    let get = |name: &str| headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    if let (Some((_, name)), Some((_, version))) = (get("Name"), get("Version")) {
        collector.add(name, version);
    }
}
