//! Conda: `conda-meta/NAME-VERSION-BUILD.json`, one file for each package of an environment. The walk
//! finds the environment by its `conda-meta/history`.

use super::{Collector, json, manifest, text};
use crate::host::Host;
use crate::inventory::{Cataloger, MOST_FILES, PathPattern};
use crate::model::{Ecosystem, Gap, GapReason, Package, PackageState, Partial, printable};

/// The cataloger.
pub struct Conda;

impl Cataloger for Conda {
    fn name(&self) -> &'static str {
        "conda"
    }

    fn patterns(&self) -> &[PathPattern] {
        &[PathPattern::Within { folder: "conda-meta", name: "history" }]
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut all = Partial::<Vec<Package>>::default();
        let folder = path.strip_suffix(b"history").unwrap_or(path);
        let entries = host.tree.list(folder, &mut all.gaps).into_iter();
        let records: Vec<_> = entries.filter(|entry| entry.name.ends_with(b".json")).collect();
        if records.len() > MOST_FILES {
            let detail = format!("{} files; only the first {MOST_FILES} were read", records.len());
            all.gaps.push(Gap::new(printable(folder), GapReason::Limit, detail));
        }
        for record in records.iter().take(MOST_FILES) {
            let path = [folder, &record.name].concat();
            let mut found = Collector::new(Ecosystem::Conda, PackageState::Installed, &path);
            if let Some(bytes) = manifest(host, &path, &mut all.gaps) {
                read(&text::decode(bytes), &mut found);
            }
            all.found.extend(found.into_found().into_found(&mut all.gaps));
        }
        all
    }
}

fn read(text: &str, found: &mut Collector) {
    let mut words = [None, None];
    let end = json::each(text, &[&["name"], &["version"]], &mut |which, _, value| {
        words[which] = json::string(value);
    });
    match words {
        [Some(name), Some(version)] => found.add(&name, &version),
        _ if end.is_ok() => found.corrupt("a record without a name or a version"),
        _ => {}
    }
    if let Err(error) = end {
        found.corrupt(error);
    }
}
