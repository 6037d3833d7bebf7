//! Reads the files that the walk found, in the order of the disk, several at a time.

use super::walk::Wanted;
use super::{Cataloger, MOST_PACKAGES, MOST_PROBLEMS, Owners, Problems};
use crate::host::{Host, Place, Plan};
use crate::model::{Gap, GapReason, Package, Partial};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files whose place on the disk is asked for at once.
const BATCH: usize = 4096;

/// What all those files prove, with the owner of each.
pub(super) fn read(
    host: &Host,
    catalogers: &[&dyn Cataloger],
    mut wanted: Vec<Wanted>,
    owners: &Owners,
    readers: usize,
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
        let work = |reading: &Mutex<Reading>| {
            while !lock(reading).is_full
                && let Some(index) = plan.next(&host.tree)
            {
                let file = &wanted[index];
                let found = catalogers[file.cataloger].catalog(host, &file.path);
                lock(reading).take(file, found, owners.of(&file.path));
            }
        };
        reading = at_once(readers, reading, work);
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

/// Has so many threads work on what is read, until each of them ends.
fn at_once(readers: usize, reading: Reading, work: impl Fn(&Mutex<Reading>) + Sync) -> Reading {
    let reading = Mutex::new(reading);
    std::thread::scope(|scope| {
        for _ in 0..readers {
            scope.spawn(|| work(&reading));
        }
    });
    reading.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn lock(reading: &Mutex<Reading>) -> MutexGuard<'_, Reading> {
    reading.lock().unwrap_or_else(PoisonError::into_inner)
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
