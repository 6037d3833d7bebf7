//! What is installed: catalogers turn files of a host into packages.

mod drift;
mod kernels;
pub mod language;
mod layered;
mod options;
pub mod os;
mod owners;
mod problems;
mod purl;
mod reading;
mod services;
mod stores;
mod walk;

pub use drift::drift;
pub use layered::Catalogued;
pub use options::{Containers, Extent, Options};
pub use owners::Owners;
pub use problems::Problems;

use crate::host::{Host, Part};
use crate::model::{Ecosystem, Gap, GapReason, Package, Partial, Service, Walk, printable};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::panic::resume_unwind;
use walk::Wanted;

/// Most packages of one kind that are taken.
pub const MOST_PACKAGES: usize = 200_000;
/// Most files of one folder that are read.
pub const MOST_FILES: usize = 10_000;
/// Problems of one kind of database that are listed.
const MOST_PROBLEMS: usize = 1000;

/// Reads one package database format.
pub trait Cataloger: Send + Sync {
    /// Short name, such as `dpkg`.
    fn name(&self) -> &'static str;

    /// The files it reads.
    fn patterns(&self) -> &[PathPattern];

    /// Whether a file that its patterns mean counts where it lies, so that no block is asked for else.
    fn takes(&self, _path: &[u8]) -> bool {
        true
    }

    /// Which part of its files is asked for before they are read.
    fn part(&self) -> Part {
        Part::Start(512 << 10)
    }

    /// Files that it reads on systems of a rare layout. On a system whose packages another cataloger
    /// has found they are not looked for, since each folder on the way costs blocks.
    fn elsewhere(&self) -> &[PathPattern] {
        &[]
    }

    /// Folders that belong to those files, so that their blocks can be asked for early.
    fn beside(&self) -> &[&'static str] {
        &[]
    }

    /// Whether its packages are what a system is made of: one without them is not a system that is known.
    fn is_of_system(&self) -> bool {
        true
    }

    /// Which of its files that are there are to be read, if not all; one that is left is a gap,
    /// unless there is nothing in it.
    fn choose(&self, _host: &Host, files: Vec<Vec<u8>>) -> Partial<Vec<Vec<u8>>> {
        Partial::whole(files)
    }

    /// The packages that the file at `path` proves.
    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>>;

    /// As [`Cataloger::catalog`], and notes which files belong to them, where the database knows.
    fn catalog_owning(
        &self,
        host: &Host,
        path: &[u8],
        _owners: &mut Owners,
    ) -> Partial<Vec<Package>> {
        self.catalog(host, path)
    }
}

/// Where a cataloger's files are. Data, so that exact paths are looked up before anything walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathPattern {
    /// One file.
    File(&'static str),
    /// All files directly in a folder, but for those with this ending.
    Folder {
        /// The folder.
        path: &'static str,
        /// Ending of names that are left out.
        except: &'static str,
    },
    /// Every file of this name, wherever it is: found by the walk.
    Named(&'static str),
    /// Every file whose name ends so, whatever the case of its letters: found by the walk.
    Ending(&'static str),
    /// Every file of this name in a folder whose name ends so: found by the walk.
    Within {
        /// Ending of the folder's name.
        folder: &'static str,
        /// Name of the file.
        name: &'static str,
    },
    /// Every file whose name ends so in a folder whose path ends with these names: found by the walk.
    Below {
        /// Names of the folders, outermost first; `*` is any one.
        folders: &'static [&'static str],
        /// Ending of the file's name.
        ending: &'static str,
    },
    /// Every file that may be run and belongs to no package of the system: found by the walk.
    Executable,
}

impl PathPattern {
    /// Whether the walk is to tell of this file.
    pub fn takes(&self, folder: &[u8], file: &[u8]) -> bool {
        let ends = |name: &[u8], ending: &str| {
            let start = name.len().checked_sub(ending.len());
            start.is_some_and(|start| name[start..].eq_ignore_ascii_case(ending.as_bytes()))
        };
        match self {
            Self::Named(name) => file == name.as_bytes(),
            Self::Ending(ending) => ends(file, ending),
            Self::Within { folder: above, name } => {
                file == name.as_bytes()
                    && ends(folder.rsplit(|byte| *byte == b'/').next().unwrap_or_default(), above)
            }
            Self::Below { folders, ending } => {
                let mut above = folder.rsplit(|byte| *byte == b'/');
                ends(file, ending)
                    && folders.iter().rev().all(|name| {
                        above.next().is_some_and(|it| *name == "*" || it == name.as_bytes())
                    })
            }
            Self::File(_) | Self::Folder { .. } | Self::Executable => false,
        }
    }
}

/// All catalogers. Adding one is a file and a line here.
pub const CATALOGERS: &[&dyn Cataloger] = &[
    &os::dpkg::Dpkg,
    &os::rpm::Rpm,
    &os::apk::Apk,
    &os::pacman::Pacman,
    &os::windows::Windows,
    &os::snap::Snap,
    &os::flatpak::Flatpak,
];

/// What a host has.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Its packages, sorted, each once.
    pub packages: Vec<Package>,
    /// What the host starts by itself, sorted.
    pub services: Vec<Service>,
    /// What the walk went over; nothing where there was none.
    pub walk: Option<Walk>,
    /// Stores of containers that the walk met, and that are at no known place.
    pub stores: Vec<Vec<u8>>,
    /// What was not read.
    pub gaps: Vec<Gap>,
}

/// All packages of a host. A database that is known and not read is a gap, and so is none at all.
pub fn inventory(host: &Host, options: &Options) -> Inventory {
    let mut gaps = Vec::new();
    let mut owners = (options.extent == Extent::All).then(|| Owners::new(&host.tree, &mut gaps));
    let mut packages = system(host, owners.as_mut()).into_found(&mut gaps);
    let (mut walk, mut services, mut stores) = (None, Vec::new(), Vec::new());
    if let Some(mut owners) = owners {
        kernels::mark(&mut packages, &owners, &host.context);
        let wanted;
        (wanted, walk, stores) = self::wanted(host, &mut owners, options, &mut gaps);
        let (read, started) = std::thread::scope(|scope| {
            let started = scope.spawn(|| services::find(host, &owners));
            let read = reading::read(host, language::CATALOGERS, wanted, options.readers);
            (read, started.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let read = read.packages(language::CATALOGERS, &owners, options.owned_programs);
        packages.extend(read.into_found(&mut gaps));
        services = started.into_found(&mut gaps);
        gaps.extend(owners.gaps());
    }
    Inventory { packages: merged(packages), services, walk, stores, gaps }
}

/// The files that a walk over all shows to be wanted, what it went over, and stores that it met. Owners learn of
/// links that it met.
fn wanted(
    host: &Host,
    owners: &mut Owners,
    options: &Options,
    gaps: &mut Vec<Gap>,
) -> (Vec<Wanted>, Option<Walk>, Vec<Vec<u8>>) {
    let found = self::walk::walk(&host.tree, language::CATALOGERS, owners, options, None, gaps);
    let walk::Found { mut wanted, walk, links, stores, .. } = found;
    self::walk::follow(&host.tree, links, owners, gaps);
    let is_owned = |it: &Wanted| it.as_program && owners.of(&it.path).is_some();
    wanted.retain(|it| options.owned_programs || !is_owned(it));
    (wanted, Some(walk), stores)
}

/// The packages of package managers whose databases are at known places.
fn system(host: &Host, mut owners: Option<&mut Owners>) -> Partial<Vec<Package>> {
    let mut all = Partial::<Vec<Package>>::default();
    let (mut databases, mut empty) = (0, Vec::new());
    for cataloger in CATALOGERS {
        let mut files = files_of(host, cataloger.patterns(), &mut all.gaps);
        if all.found.is_empty() {
            files.extend(files_of(host, cataloger.elsewhere(), &mut all.gaps));
        }
        let files = cataloger.choose(host, files).into_found(&mut all.gaps);
        let Partial { found, gaps } = catalog(host, *cataloger, &files, owners.as_deref_mut());
        let is_of_system = cataloger.is_of_system();
        databases += if is_of_system { files.len() } else { 0 };
        if is_of_system && found.is_empty() && gaps.is_empty() {
            empty.extend(files.first().map(|path| nothing_installed(path)));
        }
        all.found.extend(found);
        all.gaps.extend(gaps);
    }
    // A system may have the tools of another's packages, and with them an empty database.
    if all.found.is_empty() {
        all.gaps.extend(empty);
    }
    all.gaps.extend(stores::unread(host));
    if databases == 0 {
        all.gaps.push(Gap::new("/", GapReason::Missing, no_database()));
    }
    all
}

/// What one cataloger finds in its files.
fn catalog(
    host: &Host,
    cataloger: &dyn Cataloger,
    files: &[Vec<u8>],
    mut owners: Option<&mut Owners>,
) -> Partial<Vec<Package>> {
    let mut found = Vec::new();
    let mut problems = Problems::new(cataloger.name(), MOST_PROBLEMS);
    for path in files {
        let Partial { found: more, gaps } = match owners.as_deref_mut() {
            Some(owners) => cataloger.catalog_owning(host, path, owners),
            None => cataloger.catalog(host, path),
        };
        for gap in gaps {
            problems.push(gap);
        }
        found.extend(more);
        if found.len() > MOST_PACKAGES {
            found.truncate(MOST_PACKAGES);
            let detail = format!("more than {MOST_PACKAGES} packages; the rest was not read");
            problems.push(Gap::new(printable(path), GapReason::Limit, detail));
            break;
        }
    }
    Partial { found, gaps: problems.into_gaps() }
}

/// Packages sorted, each once, with all that proves it. What a lockfile names and is installed is
/// one package, whose lockfile is evidence too, however either spells it.
fn merged(mut packages: Vec<Package>) -> Vec<Package> {
    // The best proof tells the name.
    packages.sort_by(|a, b| (a.state, a).cmp(&(b.state, b)));
    let mut places = HashMap::new();
    let mut merged: Vec<Package> = Vec::with_capacity(packages.len());
    for package in packages {
        match places.entry(identity(&package)) {
            Entry::Occupied(place) => {
                let same: &mut Package = &mut merged[*place.get()];
                same.evidence.extend(package.evidence);
            }
            Entry::Vacant(place) => {
                place.insert(merged.len());
                merged.push(package);
            }
        }
    }
    for package in &mut merged {
        package.evidence.sort();
        package.evidence.dedup();
    }
    merged.sort();
    merged
}

/// What two packages have in common that differ in nothing but how sure they are, what proves them, and their spelling.
fn identity(package: &Package) -> impl Eq + Hash + use<> {
    let case_counts =
        !matches!(package.ecosystem, Ecosystem::Pypi | Ecosystem::Composer | Ecosystem::Nuget);
    let spelled = |text: &str| if case_counts { text.to_owned() } else { text.to_lowercase() };
    let source = package.ecosystem.is_system().then(|| package.source.clone());
    let name = if package.purl.is_empty() || package.ecosystem.is_system() {
        package.name.clone()
    } else {
        String::new()
    };
    let of = (package.ecosystem, spelled(&package.purl), name, package.version.clone());
    (of, package.arch.clone(), package.owner.clone(), package.origin.clone(), source)
}

fn nothing_installed(path: &[u8]) -> Gap {
    let detail = "a package database in which nothing is installed";
    Gap::new(printable(path), GapReason::Missing, detail)
}

fn no_database() -> String {
    let systems = CATALOGERS.iter().filter(|cataloger| cataloger.is_of_system());
    let known: Vec<_> = systems.map(|cataloger| cataloger.name()).collect();
    format!("no package database of a known kind ({})", known.join(", "))
}

/// The exact paths that catalogers read, so that their blocks can be asked for early.
pub fn paths() -> impl Iterator<Item = &'static str> {
    let patterns = CATALOGERS.iter().flat_map(|cataloger| cataloger.patterns());
    let files = patterns.filter_map(|pattern| match pattern {
        PathPattern::File(path) | PathPattern::Folder { path, .. } => Some(*path),
        _ => None,
    });
    files.chain(CATALOGERS.iter().flat_map(|cataloger| cataloger.beside()).copied())
}

/// The paths on this host that patterns mean.
fn files_of(host: &Host, patterns: &[PathPattern], gaps: &mut Vec<Gap>) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for pattern in patterns {
        match *pattern {
            PathPattern::File(path) => match host.tree.find(path.as_bytes()) {
                Ok(Some(_)) => files.push(path.as_bytes().to_vec()),
                Ok(None) => {}
                Err(error) => gaps.push(Gap::new(path, error.reason(), error)),
            },
            PathPattern::Folder { path, except } => {
                let entries = host.tree.list(path.as_bytes(), gaps).into_iter();
                let wanted = entries.filter(|entry| !entry.name.ends_with(except.as_bytes()));
                let wanted: Vec<_> = wanted.collect();
                if wanted.len() > MOST_FILES {
                    let count = wanted.len();
                    let detail = format!("{count} files; only the first {MOST_FILES} were read");
                    gaps.push(Gap::new(path, GapReason::Limit, detail));
                }
                let read = wanted.iter().take(MOST_FILES);
                files.extend(read.map(|entry| [path.as_bytes(), b"/", &entry.name].concat()));
            }
            _ => {}
        }
    }
    files
}
