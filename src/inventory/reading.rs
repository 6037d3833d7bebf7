//! Reads the files that the walk found, in the order of the disk, several at a time.

use super::walk::Wanted;
use super::{Cataloger, MOST_PACKAGES, MOST_PROBLEMS, Owners, Problems};
use crate::host::{Host, Place, Plan};
use crate::model::{Gap, GapReason, Package, Partial};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files whose place on the disk is asked for at once.
const BATCH: usize = 4096;

/// What a file proves.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) path: Vec<u8>,
    cataloger: usize,
    /// Whether it counts only while it belongs to no package of the system.
    as_program: bool,
    packages: Vec<Package>,
    gaps: Vec<Gap>,
}

/// What many files prove.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    /// Those that prove something or could not be read, sorted by path.
    pub(super) read: Vec<Read>,
    /// Problems of each cataloger that are not listed.
    unlisted: Vec<u64>,
    is_full: bool,
}

/// Reads all those files.
pub(super) fn read(
    host: &Host,
    catalogers: &[&dyn Cataloger],
    mut wanted: Vec<Wanted>,
    readers: usize,
) -> Files {
    let mut reading = Reading {
        files: Files { unlisted: vec![0; catalogers.len()], ..Files::default() },
        listed: vec![0; catalogers.len()],
        packages: 0,
    };
    let places = places(host, catalogers, &mut wanted);
    for some in places.chunks(BATCH) {
        for (index, _) in some {
            host.tree.remember(&wanted[*index].path, wanted[*index].at);
        }
        let plan = Plan::new(some.to_vec());
        let work = |reading: &Mutex<Reading>| {
            while !lock(reading).files.is_full
                && let Some(index) = plan.next(&host.tree)
            {
                let file = &wanted[index];
                let found = catalogers[file.cataloger].catalog(host, &file.path);
                lock(reading).take(file, found);
            }
        };
        reading = at_once(readers, reading, work);
        host.tree.forget();
    }
    let mut files = reading.files;
    // Which thread was first means nothing.
    files.read.sort_by(|a, b| a.path.cmp(&b.path));
    files
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
    files: Files,
    /// Problems of each cataloger that are listed.
    listed: Vec<usize>,
    packages: usize,
}

impl Reading {
    /// Takes what a file proves.
    fn take(&mut self, file: &Wanted, outcome: Partial<Vec<Package>>) {
        let Partial { found: packages, mut gaps } = outcome;
        let listed = &mut self.listed[file.cataloger];
        let room = MOST_PROBLEMS.saturating_sub(*listed);
        self.files.unlisted[file.cataloger] += gaps.len().saturating_sub(room) as u64;
        gaps.truncate(room);
        *listed += gaps.len();
        self.packages += packages.len();
        self.files.is_full |= self.packages > MOST_PACKAGES;
        if !packages.is_empty() || !gaps.is_empty() {
            let (path, cataloger, as_program) =
                (file.path.clone(), file.cataloger, file.as_program);
            self.files.read.push(Read { path, cataloger, as_program, packages, gaps });
        }
    }
}

impl Files {
    /// The packages, each with its owner, and what was not read.
    pub(super) fn packages(
        &self,
        catalogers: &[&dyn Cataloger],
        owners: &Owners,
        owned_programs: bool,
    ) -> Partial<Vec<Package>> {
        let problems = catalogers.iter().map(|it| Problems::new(it.name(), MOST_PROBLEMS));
        let mut problems: Vec<_> = problems.collect();
        let mut packages = Vec::new();
        for file in &self.read {
            let owner = owners.of(&file.path);
            if file.as_program && owner.is_some() && !owned_programs {
                continue;
            }
            file.gaps.iter().for_each(|gap| problems[file.cataloger].push(gap.clone()));
            let with_owner =
                |package: &Package| Package { owner: owner.map(str::to_owned), ..package.clone() };
            packages.extend(file.packages.iter().map(with_owner));
        }
        for (problems, more) in problems.iter_mut().zip(&self.unlisted) {
            problems.count(*more);
        }
        let mut gaps: Vec<_> = problems.into_iter().flat_map(Problems::into_gaps).collect();
        gaps.sort_by(|a, b| (&a.place, &a.detail).cmp(&(&b.place, &b.detail)));
        if self.is_full || packages.len() > MOST_PACKAGES {
            packages.truncate(MOST_PACKAGES);
            let detail =
                format!("more than {MOST_PACKAGES} packages of languages; the rest was not read");
            gaps.push(Gap::new("/", GapReason::Limit, detail));
        }
        Partial { found: packages, gaps }
    }

    /// Those of lower layers that still are where they were, with those of the upper ones.
    pub(super) fn over(self, lower: &Self, is_kept: impl Fn(&[u8]) -> bool) -> Self {
        let kept = lower.read.iter().filter(|file| is_kept(&file.path)).cloned();
        let mut read: Vec<_> = kept.chain(self.read).collect();
        read.sort_by(|a, b| a.path.cmp(&b.path));
        let unlisted = self.unlisted.iter().zip(&lower.unlisted).map(|(a, b)| a + b).collect();
        Self { read, unlisted, is_full: self.is_full || lower.is_full }
    }
}
