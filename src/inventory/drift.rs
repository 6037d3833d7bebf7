//! What differs between a container and its image.

use crate::host::{Descend, Detail, Kind, Tree, WalkStep};
use crate::model::{Drift, Ecosystem, Gap, Package, PackageChange, printable};
use std::collections::{BTreeMap, BTreeSet};

/// Most entries of one list; the rest is counted.
const MOST: usize = 200;
/// Most folders that are compared.
const MOST_FOLDERS: usize = 100_000;
/// Folders that the running container, or its engine, fills.
const FILLED: [&[u8]; 3] = [b"/dev", b"/proc", b"/sys"];

/// What differs, where so many upper layers of the container are its own. `files` are compared with those of the
/// image if that is given.
pub fn drift(
    image: &[Package],
    container: &[Package],
    files: Option<(&Tree, &Tree, usize)>,
    gaps: &mut Vec<Gap>,
) -> Drift {
    let mut drift = packages(image, container);
    if let Some((image, container, upper)) = files {
        Walker { image, container, upper, drift: &mut drift, folders: Vec::new() }.walk(gaps);
    }
    drift
}

/// Packages by what they are in whatever version.
fn packages(image: &[Package], container: &[Package]) -> Drift {
    let (before, after) = (by_name(image), by_name(container));
    let mut drift = Drift::default();
    for (key, new) in &after {
        let old = before.get(key).map(Vec::as_slice).unwrap_or_default();
        let is_in =
            |list: &[&Package], it: &Package| list.iter().any(|other| other.version == it.version);
        let mut gone = old.iter().filter(|it| !is_in(new, it));
        for package in new.iter().filter(|it| !is_in(old, it)) {
            match gone.next() {
                Some(from) => {
                    let (name, from, to) =
                        (package.name.clone(), from.version.clone(), package.version.clone());
                    push(
                        &mut drift.packages_changed,
                        PackageChange { name, from, to },
                        &mut drift.more,
                    );
                }
                None => push(&mut drift.packages_added, named(package), &mut drift.more),
            }
        }
        gone.for_each(|it| push(&mut drift.packages_removed, named(it), &mut drift.more));
    }
    for old in before.iter().filter(|(key, _)| !after.contains_key(*key)).flat_map(|(_, old)| old) {
        push(&mut drift.packages_removed, named(old), &mut drift.more);
    }
    drift
}

type Key<'a> = (Ecosystem, &'a str, &'a str);

fn by_name(packages: &[Package]) -> BTreeMap<Key<'_>, Vec<&Package>> {
    let mut all: BTreeMap<Key, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        all.entry((package.ecosystem, &package.name, &package.arch)).or_default().push(package);
    }
    all
}

fn named(package: &Package) -> String {
    if package.purl.is_empty() {
        format!("{}@{}", package.name, package.version)
    } else {
        package.purl.clone()
    }
}

fn push<T>(list: &mut Vec<T>, item: T, more: &mut u64) {
    if list.len() < MOST {
        list.push(item);
    } else {
        *more += 1;
    }
}

struct Walker<'a> {
    image: &'a Tree,
    container: &'a Tree,
    upper: usize,
    drift: &'a mut Drift,
    /// Folders that the container's own layers have a part in.
    folders: Vec<Vec<u8>>,
}

impl Walker<'_> {
    fn walk(mut self, gaps: &mut Vec<Gap>) {
        self.folders.push(Vec::new());
        let container = self.container;
        // What could not be read was told when packages were looked for.
        let told = &mut Vec::new();
        let _ = container.walk_below(b"/", Detail::Metadata, &mut |step| self.step(step), told);
        let folders = std::mem::take(&mut self.folders);
        for folder in &folders {
            self.removed(folder, gaps);
        }
    }

    fn step(&mut self, step: &WalkStep) -> Descend {
        let is_own = self.container.uppermost_layer(step.at).is_none_or(|layer| layer < self.upper);
        if !is_own {
            return Descend::No;
        }
        let path = [step.folder, b"/", step.name].concat();
        match step.kind {
            Kind::Directory if FILLED.contains(&path.as_slice()) => Descend::No,
            Kind::Directory => {
                if self.folders.len() < MOST_FOLDERS {
                    self.folders.push(path);
                    return Descend::Yes;
                }
                self.drift.more += 1;
                Descend::No
            }
            Kind::File => {
                if step.metadata.is_some_and(|it| it.mode & 0o111 != 0 && it.size > 0) {
                    self.executable(&path);
                }
                Descend::No
            }
            _ => Descend::No,
        }
    }

    fn executable(&mut self, path: &[u8]) {
        let was_there = self.image.holds(path).unwrap_or(false);
        let Drift { executables_added, executables_changed, more, .. } = &mut *self.drift;
        let list = if was_there { executables_changed } else { executables_added };
        push(list, printable(path), more);
    }

    /// Names that the image has in a folder, and the container has not.
    fn removed(&mut self, folder: &[u8], gaps: &mut Vec<Gap>) {
        let top: &[u8] = if folder.is_empty() { b"/" } else { folder };
        let before = self.image.list(top, &mut Vec::new());
        if before.is_empty() {
            return;
        }
        let after = self.container.list(top, gaps);
        let after: BTreeSet<_> = after.into_iter().map(|entry| entry.name).collect();
        for entry in before.into_iter().filter(|entry| !after.contains(&entry.name)) {
            let path = [folder, b"/", entry.name.as_slice()].concat();
            push(&mut self.drift.removed, printable(&path), &mut self.drift.more);
        }
    }
}
