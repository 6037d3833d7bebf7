//! Reads the files that the walk found, in the order of the disk, several at a time.

use super::walk::Wanted;
use super::{Cataloger, MOST_PACKAGES, MOST_PROBLEMS, Owners, Problems};
use crate::host::{Host, Place, Plan};
use crate::model::{Gap, GapReason, Package, Partial};
use std::sync::{Mutex, PoisonError};

/// Files whose place on the disk is asked for at once.
const BATCH: usize = 4096;
/// Files that are read at the same time.
const AT_ONCE: usize = 4;

/// What all those files prove, with the owner of each.
pub(super) fn read(
    host: &Host,
    catalogers: &[&dyn Cataloger],
    mut wanted: Vec<Wanted>,
    owners: &Owners,
) -> Partial<Vec<Package>> {
    let mut reading = Reading {
        packages: Vec::new(),
        problems: catalogers.iter().map(|it| Problems::new(it.name(), MOST_PROBLEMS)).collect(),
        is_full: false,
    };
    let places = places(host, catalogers, &mut wanted);
    for some in places.chunks(BATCH) {
        for (index, _) in some {
            host.tree.remember(&wanted[*index].path, wanted[*index].at);
        }
        let plan = Plan::new(some.to_vec());
        reading = read_planned(host, catalogers, &wanted, &plan, owners, reading);
        host.tree.forget();
    }
    reading.into_found()
}

/// Where the files are that count, in the order of the disk. Inodes are read in theirs, so that no block of
/// them is met twice.
fn places(
    host: &Host,
    catalogers: &[&dyn Cataloger],
    wanted: &mut [Wanted],
) -> Vec<(usize, Place)> {
    wanted.sort_by_key(|it| it.at);
    let mut places = Vec::new();
    for (batch, some) in wanted.chunks(BATCH).enumerate() {
        let nodes: Vec<_> = some.iter().map(|it| it.at).collect();
        let found = host.tree.places(&nodes, |index, metadata| {
            let it = &some[index];
            let counts = !it.as_program || metadata.mode & 0o111 != 0 && metadata.size > 0;
            counts.then(|| catalogers[it.cataloger].part())
        });
        places.extend(found.into_iter().map(|(index, place)| (batch * BATCH + index, place)));
    }
    places.sort_by_key(|(index, place)| (place.start(), *index));
    places
}

/// Reads the files of a plan, by threads, until there are too many packages.
fn read_planned(
    host: &Host,
    catalogers: &[&dyn Cataloger],
    wanted: &[Wanted],
    plan: &Plan,
    owners: &Owners,
    reading: Reading,
) -> Reading {
    let reading = Mutex::new(reading);
    let lock = || reading.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while !lock().is_full
                    && let Some(index) = plan.next(&host.tree)
                {
                    let file = &wanted[index];
                    let found = catalogers[file.cataloger].catalog(host, &file.path);
                    lock().take(file, found, owners.of(&file.path));
                }
            });
        }
    });
    reading.into_inner().unwrap_or_else(PoisonError::into_inner)
}

struct Reading {
    packages: Vec<Package>,
    /// Of each cataloger.
    problems: Vec<Problems>,
    is_full: bool,
}

impl Reading {
    /// Takes what a file proves.
    fn take(&mut self, file: &Wanted, outcome: Partial<Vec<Package>>, owner: Option<&str>) {
        for gap in outcome.gaps {
            self.problems[file.cataloger].push(gap);
        }
        let with_owner = |package| Package { owner: owner.map(str::to_owned), ..package };
        self.packages.extend(outcome.found.into_iter().map(with_owner));
        self.is_full |= self.packages.len() > MOST_PACKAGES;
    }

    fn into_found(mut self) -> Partial<Vec<Package>> {
        let mut gaps: Vec<_> = self.problems.into_iter().flat_map(Problems::into_gaps).collect();
        // Which thread was first means nothing.
        gaps.sort_by(|a, b| (&a.place, &a.detail).cmp(&(&b.place, &b.detail)));
        if self.is_full {
            self.packages.truncate(MOST_PACKAGES);
            let detail =
                format!("more than {MOST_PACKAGES} packages of languages; the rest was not read");
            gaps.push(Gap::new("/", GapReason::Limit, detail));
        }
        Partial { found: self.packages, gaps }
    }
}
