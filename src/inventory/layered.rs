//! What is installed in a filesystem that is merged from layers, with what layers above it need of it: an image is
//! catalogued once, and each container of it adds what its own layers have.
//!
//! A walk goes through the folders that upper layers have a part in. What it meets of lower layers alone, folders and
//! files, is as it was, and so is what they prove; all else is read, or is gone. The databases of package managers are
//! read again where upper layers touch anything that they are read from.

use super::reading::{self, Files};
use super::walk::{self, Kept};
use super::{
    CATALOGERS, Extent, Options, Owners, PathPattern, kernels, language, merged, system, wanted,
};
use crate::host::{Host, Tree};
use crate::model::{Gap, GapReason, KernelState, Package, printable};
use std::sync::Arc;

/// What the packages of package managers are read from, beside the files of their catalogers.
const SOURCES: &[&str] = &[
    "/etc/alpine-release",
    "/etc/apk",
    "/etc/apt",
    "/etc/debian_version",
    "/etc/dnf",
    "/etc/os-release",
    "/etc/pacman.conf",
    "/etc/redhat-release",
    "/etc/system-release",
    "/etc/yum",
    "/etc/yum.repos.d",
    "/usr/lib/os-release",
    "/usr/lib/sysimage",
    "/usr/share/rpm",
    "/var/lib/apt",
    "/var/lib/dnf",
    "/var/lib/dpkg",
    "/var/lib/pacman",
    "/var/lib/rpm",
    "/var/lib/yum",
];

/// What is installed in a merged filesystem.
pub struct Catalogued {
    system: Vec<Package>,
    /// What of the databases was not read.
    gaps: Vec<Gap>,
    /// Where they are.
    sources: Vec<(&'static str, Option<Vec<u8>>)>,
    owners: Option<Arc<Owners>>,
    files: Files,
    /// What of the walk was not read.
    walked: Vec<Gap>,
    owned_programs: bool,
}

impl Catalogued {
    /// Of a filesystem, read whole.
    pub fn whole(host: &Host, options: &Options) -> Self {
        let mut catalogued = Self::of_system(host, options);
        let Some(owners) = catalogued.owners.take() else { return catalogued };
        // No other holds them yet.
        if let Ok(mut owners) = Arc::try_unwrap(owners) {
            let (wanted, _, stores) = wanted(host, &mut owners, options, &mut catalogued.walked);
            catalogued.walked.extend(stores.iter().map(|folder| unread(folder)));
            catalogued.files = reading::read(host, language::CATALOGERS, wanted, options.readers);
            catalogued.owners = Some(Arc::new(owners));
        }
        catalogued
    }

    /// Of one with so many layers more on top.
    pub fn over(&self, host: &Host, upper: usize, options: &Options) -> Self {
        if options.extent == Extent::System {
            return if self.is_touched(&host.tree, upper) {
                Self::of_system(host, options)
            } else {
                self.same()
            };
        }
        let Some(lower_owners) = self.owners.as_deref() else { return Self::whole(host, options) };
        let mut walked = Vec::new();
        let languages = language::CATALOGERS;
        let found =
            walk::walk(&host.tree, languages, lower_owners, options, Some(upper), &mut walked);
        let walk::Found { mut wanted, kept, links, stores, .. } = found;
        walked.extend(stores.iter().map(|folder| unread(folder)));
        let mut catalogued = if self.is_touched(&host.tree, upper) || !links.is_empty() {
            let mut catalogued = Self::of_system(host, options);
            // Programs of packages were not read below; those of one that is gone belong to nobody now.
            let keeps = |owners: &Arc<Owners>| owners.has_all_of(lower_owners);
            if !catalogued.owners.as_ref().is_some_and(keeps) {
                return Self::whole(host, options);
            }
            catalogued.follow(&host.tree, links);
            catalogued
        } else {
            self.same()
        };
        if let Some(owners) = catalogued.owners.as_deref() {
            let is_owned = |it: &walk::Wanted| it.as_program && owners.of(&it.path).is_some();
            wanted.retain(|it| options.owned_programs || !is_owned(it));
        }
        let read = reading::read(host, languages, wanted, options.readers);
        catalogued.files = read.over(&self.files, |path| kept.holds(path));
        catalogued.walked = walked.into_iter().chain(self.still_walked(&kept)).collect();
        catalogued
    }

    /// All packages, sorted, and what was not read.
    pub fn packages(&self) -> (Vec<Package>, Vec<Gap>) {
        let (mut packages, mut gaps) = (self.system.clone(), self.gaps.clone());
        gaps.extend(self.walked.iter().cloned());
        if let Some(owners) = &self.owners {
            let read = self.files.packages(language::CATALOGERS, owners, self.owned_programs);
            packages.extend(read.into_found(&mut gaps));
            gaps.extend(owners.gaps());
        }
        gaps.sort();
        gaps.dedup();
        (merged(packages), gaps)
    }

    /// The packages of package managers alone.
    fn of_system(host: &Host, options: &Options) -> Self {
        let mut gaps = Vec::new();
        let mut owners =
            (options.extent == Extent::All).then(|| Owners::new(&host.tree, &mut gaps));
        let mut packages = system(host, owners.as_mut()).into_found(&mut gaps);
        if let Some(owners) = &owners {
            kernels::mark(&mut packages, owners, &host.context);
        }
        // No container starts a kernel: all run on the host's.
        let held = packages.iter_mut().filter_map(|package| package.kernel.as_mut());
        held.for_each(|kernel| kernel.state = KernelState::InContainer);
        // What has no system has no packages of one.
        let is_system = !matches!(host.context.os.id.as_str(), "unknown" | "linux");
        let is_none = |gap: &Gap| gap.place == "/" && gap.reason == GapReason::Missing;
        gaps.retain(|gap| is_system || !is_none(gap));
        Self {
            system: packages,
            gaps,
            sources: sources(&host.tree),
            owners: owners.map(Arc::new),
            files: Files::default(),
            walked: Vec::new(),
            owned_programs: options.owned_programs,
        }
    }

    fn follow(&mut self, tree: &Tree, links: Vec<Vec<u8>>) {
        if let Some(owners) = self.owners.as_mut().and_then(Arc::get_mut) {
            walk::follow(tree, links, owners, &mut self.gaps);
        }
    }

    /// The same databases, with nothing of the files yet.
    fn same(&self) -> Self {
        Self {
            system: self.system.clone(),
            gaps: self.gaps.clone(),
            sources: self.sources.clone(),
            owners: self.owners.clone(),
            files: Files::default(),
            walked: Vec::new(),
            owned_programs: self.owned_programs,
        }
    }

    fn is_touched(&self, tree: &Tree, upper: usize) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|(path, before)| is_touched(tree, path, before.as_ref(), upper))
    }

    /// What of lower layers could not be walked, and still is there.
    fn still_walked(&self, kept: &Kept) -> Vec<Gap> {
        self.walked.iter().filter(|gap| kept.holds(gap.place.as_bytes())).cloned().collect()
    }
}

/// The gap of a store in a container.
fn unread(folder: &[u8]) -> Gap {
    let detail = "a store of containers in a container is recognised and not read";
    Gap::new(printable(folder), GapReason::Unsupported, detail)
}

/// What packages of package managers are read from: each place, and where it really is, if it is there. An upper
/// layer that changes anything there, or on the way, changes one of the two or has a part in what is there.
fn sources(tree: &Tree) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let patterns = CATALOGERS.iter().flat_map(|it| it.patterns().iter().chain(it.elsewhere()));
    let of_patterns = patterns.filter_map(|pattern| match *pattern {
        // What lies beside a database belongs to it.
        PathPattern::File(path) => path.rsplit_once('/').map(|(folder, _)| folder),
        PathPattern::Folder { path, .. } => Some(path),
        _ => None,
    });
    let beside = CATALOGERS.iter().flat_map(|it| it.beside().iter().copied());
    let mut all: Vec<&str> = of_patterns.chain(beside).chain(SOURCES.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|path| (path, tree.real_path(path.as_bytes()).ok().flatten())).collect()
}

/// Whether so many upper layers have a part in what is at a place, or on another way there than before.
fn is_touched(tree: &Tree, path: &str, before: Option<&Vec<u8>>, upper: usize) -> bool {
    let Ok(real) = tree.real_path(path.as_bytes()) else { return true };
    if real.as_ref() != before {
        return true;
    }
    let Some(real) = real else { return false };
    let at = tree.find(&real).ok().flatten();
    at.and_then(|at| tree.uppermost_layer(at)).is_none_or(|layer| layer < upper)
}
