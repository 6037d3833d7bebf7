//! The walk over a host's files: which of them a cataloger wants to read.
//!
//! Folders that hold no files of the host are not entered: what the kernel shows there while it runs, and the
//! stores of containers, whose packages are not the host's. Those that were met are told.

use super::owners::Owners;
use super::{Cataloger, Options, PathPattern, stores};
use crate::host::{Descend, Detail, Kind, Located, Tree, WalkStep};
use crate::model::{Excluded, Gap, GapReason, Walk, printable};
use std::collections::HashMap;

/// Most files that are wanted.
const MOST_WANTED: usize = 1 << 20;

/// Most links in place of folders of packages that are followed.
const MOST_LINKS: usize = 1024;

/// Folders that the running system fills.
const FILLED: [&str; 4] = ["/dev", "/proc", "/run", "/sys"];
/// Ends of the paths of stores in homes, and of those that were moved.
const STORES: &[&str] = &[
    "/.local/share/containers/storage",
    "/.local/share/docker",
    "/.local/share/containerd",
    "/.local/share/lxc",
    "/io.containerd.content.v1.content",
    "/io.containerd.snapshotter.v1.overlayfs",
    "/io.containerd.snapshotter.v1.native",
];
const KERNEL: &str = "filled by the running system";
const STORE: &str = "store of containers, whose packages are not the host's";
const WISHED: &str = "excluded by the user";
const NOT_THERE: &str = "excluded by the user, and not there";

/// A file that a cataloger wants.
pub(super) struct Wanted {
    pub(super) path: Vec<u8>,
    pub(super) at: Located,
    /// Index of the cataloger.
    pub(super) cataloger: usize,
    /// Whether it counts only if it may be run.
    pub(super) as_program: bool,
}

/// Walks over the host.
pub(super) fn walk(
    tree: &Tree,
    catalogers: &[&dyn Cataloger],
    owners: &mut Owners,
    options: &Options,
    gaps: &mut Vec<Gap>,
) -> (Vec<Wanted>, Walk) {
    let mut walker = Walker::new(tree, catalogers, owners, options, gaps);
    let outcome = tree.walk_below(b"/", Detail::Names, &mut |step| walker.step(step), gaps);
    if let Err(error) = outcome {
        gaps.push(Gap::new("/", error.reason(), error));
    }
    if walker.is_full {
        let detail = format!(
            "more than {MOST_WANTED} files that may tell of packages; the rest was not read"
        );
        gaps.push(Gap::new("/", GapReason::Limit, detail));
    }
    if walker.has_more_links {
        let detail = format!(
            "more than {MOST_LINKS} folders of packages are links; the owners of files behind the rest are not known"
        );
        gaps.push(Gap::new("/", GapReason::Limit, detail));
    }
    let Walker { mut wanted, mut told, links, .. } = walker;
    follow(tree, links, owners, gaps);
    let is_owned = |it: &Wanted| it.as_program && owners.of(&it.path).is_some();
    wanted.retain(|it| options.owned_programs || !is_owned(it));
    told.excluded.sort();
    (wanted, told)
}

/// Notes where folders of packages lead that are links.
fn follow(tree: &Tree, links: Vec<Vec<u8>>, owners: &mut Owners, gaps: &mut Vec<Gap>) {
    for link in links {
        match tree.real_path(&link) {
            Ok(Some(real)) if real != link => owners.moved(link, real),
            Ok(_) => {}
            Err(error) => gaps.push(Gap::new(printable(&link), error.reason(), error)),
        }
    }
}

struct Walker<'a> {
    tree: &'a Tree,
    catalogers: &'a [&'a dyn Cataloger],
    owners: &'a Owners,
    options: &'a Options,
    /// Folders that are not entered, without links, and why.
    not_entered: HashMap<Vec<u8>, &'static str>,
    /// The cataloger of programs, if there is one.
    of_programs: Option<usize>,
    wanted: Vec<Wanted>,
    /// Links in place of folders of packages.
    links: Vec<Vec<u8>>,
    has_more_links: bool,
    told: Walk,
    is_full: bool,
}

impl<'a> Walker<'a> {
    fn new(
        tree: &'a Tree,
        catalogers: &'a [&'a dyn Cataloger],
        owners: &'a Owners,
        options: &'a Options,
        gaps: &mut Vec<Gap>,
    ) -> Self {
        let mut told = Walk::default();
        let not_entered = not_entered(tree, options, &mut told, gaps);
        let runs = |it: &&dyn Cataloger| it.patterns().contains(&PathPattern::Executable);
        Self {
            tree,
            catalogers,
            owners,
            options,
            not_entered,
            of_programs: catalogers.iter().position(runs),
            wanted: Vec::new(),
            links: Vec::new(),
            has_more_links: false,
            told,
            is_full: false,
        }
    }

    fn step(&mut self, step: &WalkStep) -> Descend {
        match step.kind {
            Kind::Directory => self.folder(step),
            Kind::File => {
                self.file(step);
                Descend::No
            }
            Kind::Symlink => {
                self.link(step);
                Descend::No
            }
            Kind::Other => Descend::No,
        }
    }

    fn link(&mut self, step: &WalkStep) {
        let path = [step.folder, b"/", step.name].concat();
        if self.owners.is_folder(&path) {
            self.has_more_links = self.links.len() >= MOST_LINKS;
            if !self.has_more_links {
                self.links.push(path);
            }
        }
    }

    fn folder(&mut self, step: &WalkStep) -> Descend {
        let path = [step.folder, b"/", step.name].concat();
        if let Some(why) = self.why_not(&path) {
            self.told.excluded.push(Excluded { path: printable(&path), why: why.to_owned() });
            return Descend::No;
        }
        if self.tree.is_snapshot(step.at) {
            return Descend::No;
        }
        self.told.folders += 1;
        Descend::Yes
    }

    /// Why a folder is not entered.
    fn why_not(&self, path: &[u8]) -> Option<&'static str> {
        let store = || STORES.iter().any(|end| path.ends_with(end.as_bytes())).then_some(STORE);
        self.not_entered.get(path).copied().or_else(store)
    }

    fn file(&mut self, step: &WalkStep) {
        self.told.files += 1;
        let takes = |it: &&dyn Cataloger| {
            it.patterns().iter().any(|pattern| pattern.takes(step.folder, step.name))
        };
        let cataloger = self.catalogers.iter().position(takes);
        if cataloger.is_none() && (self.of_programs.is_none() || never_runs(step.name)) {
            return;
        }
        let path = [step.folder, b"/", step.name].concat();
        if cataloger.is_some_and(|index| !self.catalogers[index].takes(&path)) {
            return;
        }
        if self.wanted.len() >= MOST_WANTED {
            self.is_full = true;
        } else if let Some(cataloger) = cataloger {
            self.wanted.push(Wanted { path, at: step.at, cataloger, as_program: false });
        } else if let Some(cataloger) = self.of_programs
            && (self.options.owned_programs || self.owners.of(&path).is_none())
        {
            self.wanted.push(Wanted { path, at: step.at, cataloger, as_program: true });
        }
    }
}

/// Folders that are not entered. Their names may lead over links; what the user named and is not there is told.
fn not_entered(
    tree: &Tree,
    options: &Options,
    told: &mut Walk,
    gaps: &mut Vec<Gap>,
) -> HashMap<Vec<u8>, &'static str> {
    // What of a configuration cannot be read was told with what of the stores is not read.
    let stores = stores::all(tree, &mut Vec::new());
    let filled = FILLED.iter().map(|folder| (*folder, KERNEL));
    let stores = stores.iter().map(|store| (store.folder(), STORE));
    let wished = options.excluded.iter().map(|folder| (folder.as_str(), WISHED));
    let mut not_entered = HashMap::new();
    for (folder, why) in filled.chain(stores).chain(wished) {
        match tree.real_path(folder.as_bytes()) {
            Ok(Some(real)) => {
                not_entered.insert(real, why);
            }
            Ok(None) if why == WISHED => {
                told.excluded.push(Excluded {
                    path: printable(folder.as_bytes()),
                    why: NOT_THERE.to_owned(),
                });
            }
            Ok(None) => {}
            Err(error) => gaps.push(Gap::new(printable(folder.as_bytes()), error.reason(), error)),
        }
    }
    not_entered
}

/// Whether a name ends as those of texts and pictures do, which hold no program whatever their mode says.
fn never_runs(name: &[u8]) -> bool {
    const ENDINGS: &[&[u8]] = &[
        b"c", b"conf", b"css", b"csv", b"gif", b"gz", b"h", b"hpp", b"htm", b"html", b"ico",
        b"ini", b"java", b"jpeg", b"jpg", b"js", b"json", b"list", b"log", b"map", b"md",
        b"md5sums", b"mjs", b"mo", b"php", b"pl", b"pm", b"png", b"po", b"py", b"pyc", b"pyi",
        b"rb", b"rst", b"sh", b"svg", b"toml", b"ts", b"txt", b"woff", b"woff2", b"xml", b"xz",
        b"yaml", b"yml", b"zst",
    ];
    let ending = name.iter().rposition(|byte| *byte == b'.').map(|dot| &name[dot + 1..]);
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
}
