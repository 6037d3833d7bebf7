//! The walk over a host's files: which of them a cataloger wants to read.
//!
//! Folders that hold no files of the host are not entered: what the kernel shows there while it runs, and the
//! stores of containers, whose packages are not the host's. Those that were met are told.

use super::owners::Owners;
use super::{Cataloger, Options, PathPattern, stores};
use crate::host::{Descend, Detail, Kind, Located, Tree, WalkStep};
use crate::model::{Excluded, Gap, GapReason, Walk, printable};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Most files that are wanted.
const MOST_WANTED: usize = 1 << 20;

/// Most links in place of folders of packages that are followed.
const MOST_LINKS: usize = 1024;

/// Folders that the running system fills.
const FILLED: [&str; 4] = ["/dev", "/proc", "/run", "/sys"];
/// Folders with layers or snapshots in a store, and what lies beside them in one: stores that no configuration
/// tells of are known by these. Names that nothing else has need nothing beside them.
const LAYERS: &[(&[u8], &[u8])] = &[
    (b"overlay2", b"image/overlay2/layerdb"),
    (b"fuse-overlayfs", b"image/fuse-overlayfs/layerdb"),
    (b"vfs", b"image/vfs/layerdb"),
    (b"btrfs", b"image/btrfs/layerdb"),
    (b"aufs", b"image/aufs/layerdb"),
    (b"zfs", b"image/zfs/layerdb"),
    (b"btrfs", b"btrfs-layers"),
    (b"overlay", b"overlay-layers"),
    (b"vfs", b"vfs-layers"),
    (b"io.containerd.content.v1.content", b""),
];
/// What the names of the folders of containerd's snapshotters begin with.
const SNAPSHOTTER: &[u8] = b"io.containerd.snapshotter.v1.";
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

/// What a walk found.
pub(super) struct Found {
    /// The files that catalogers want.
    pub(super) wanted: Vec<Wanted>,
    pub(super) walk: Walk,
    /// Of a walk over upper layers, what lower ones have in the folders that it went through.
    pub(super) kept: Kept,
    /// Folders of packages that are links, and were met.
    pub(super) links: Vec<Vec<u8>>,
    /// Stores of containers that nothing told of.
    pub(super) stores: Vec<Vec<u8>>,
}

/// What of lower layers is where it was.
#[derive(Default)]
pub(super) struct Kept {
    /// Folders, with all that is below them.
    folders: HashSet<Vec<u8>>,
    /// Files in folders that upper layers have a part in.
    files: HashSet<Vec<u8>>,
}

impl Kept {
    /// Whether a file is.
    pub(super) fn holds(&self, path: &[u8]) -> bool {
        let mut slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        self.files.contains(path) || slashes.any(|(end, _)| self.folders.contains(&path[..end]))
    }
}

/// Walks over the host; or, of a tree that is merged from layers, over what so many of the upper ones have.
pub(super) fn walk(
    tree: &Tree,
    catalogers: &[&dyn Cataloger],
    owners: &Owners,
    options: &Options,
    upper: Option<usize>,
    gaps: &mut Vec<Gap>,
) -> Found {
    let mut walker = Walker { upper, ..Walker::new(tree, catalogers, owners, options, gaps) };
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
    let Walker { mut wanted, mut told, links, kept, stores, .. } = walker;
    let of_store = |folder: &Vec<u8>| Excluded { path: printable(folder), why: STORE.to_owned() };
    // What of a store was met before it was known for one.
    wanted.retain(|it| !is_below(&it.path, &stores));
    told.excluded.extend(stores.iter().map(of_store));
    told.excluded.sort();
    Found { wanted, walk: told, kept, links, stores: stores.into_iter().collect() }
}

/// Whether a path is below one of these folders.
fn is_below(path: &[u8], folders: &BTreeSet<Vec<u8>>) -> bool {
    let mut slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    !folders.is_empty() && slashes.any(|(end, _)| folders.contains(&path[..end]))
}

/// Notes where folders of packages lead that are links.
pub(super) fn follow(tree: &Tree, links: Vec<Vec<u8>>, owners: &mut Owners, gaps: &mut Vec<Gap>) {
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
    /// How many upper layers count, if not all.
    upper: Option<usize>,
    kept: Kept,
    /// Stores that were met.
    stores: BTreeSet<Vec<u8>>,
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
            upper: None,
            kept: Kept::default(),
            stores: BTreeSet::new(),
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
        if !self.is_lower(step) && self.owners.is_folder(&path) {
            self.has_more_links = self.links.len() >= MOST_LINKS;
            if !self.has_more_links {
                self.links.push(path);
            }
        }
    }

    fn folder(&mut self, step: &WalkStep) -> Descend {
        let path = [step.folder, b"/", step.name].concat();
        if self.stores.contains(step.folder) {
            return Descend::No;
        }
        if self.is_layers(step) {
            self.stores.insert(step.folder.to_vec());
            return Descend::No;
        }
        if let Some(why) = self.why_not(&path) {
            self.told.excluded.push(Excluded { path: printable(&path), why: why.to_owned() });
            return Descend::No;
        }
        if self.is_lower(step) {
            self.kept.folders.insert(path);
            return Descend::No;
        }
        if self.tree.is_snapshot(step.at) {
            return Descend::No;
        }
        self.told.folders += 1;
        Descend::Yes
    }

    /// Whether lower layers alone have it.
    fn is_lower(&self, step: &WalkStep) -> bool {
        let uppermost = || self.tree.uppermost_layer(step.at);
        self.upper.is_some_and(|upper| uppermost().is_some_and(|layer| layer >= upper))
    }

    /// Why a folder is not entered.
    fn why_not(&self, path: &[u8]) -> Option<&'static str> {
        self.not_entered.get(path).copied()
    }

    /// Whether a folder holds the layers of a store.
    fn is_layers(&self, step: &WalkStep) -> bool {
        if step.name.starts_with(SNAPSHOTTER) {
            return true;
        }
        LAYERS.iter().filter(|(name, _)| *name == step.name).any(|(_, beside)| {
            let beside = [step.folder, b"/", *beside].concat();
            self.tree.find(&beside).is_ok_and(|found| found.is_some())
        })
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
        if self.is_lower(step) {
            self.kept.files.insert(path);
        } else if self.wanted.len() >= MOST_WANTED {
            self.is_full = true;
        } else if let Some(cataloger) = cataloger {
            self.wanted.push(Wanted { path, at: step.at, cataloger, as_program: false });
        } else if let Some(cataloger) = self.of_programs
            && (self.options.owned_programs
                || self.upper.is_some()
                || self.owners.of(&path).is_none())
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
    // What is in `/run` of a container is on the disk: engines mount nothing there.
    let is_layered =
        tree.find(b"/").ok().flatten().and_then(|at| tree.uppermost_layer(at)).is_some();
    let filled = FILLED.iter().filter(|folder| !is_layered || **folder != "/run");
    let filled = filled.map(|folder| (folder.as_bytes(), KERNEL));
    let unread = stores::folders().map(|folder| (folder.as_bytes(), STORE));
    let stores = options.stores.iter().map(|folder| (folder.as_slice(), STORE));
    let wished = options.excluded.iter().map(|folder| (folder.as_bytes(), WISHED));
    let mut not_entered = HashMap::new();
    for (folder, why) in filled.chain(unread).chain(stores).chain(wished) {
        match tree.real_path(folder) {
            Ok(Some(real)) => {
                not_entered.insert(real, why);
            }
            Ok(None) if why == WISHED => {
                told.excluded.push(Excluded { path: printable(folder), why: NOT_THERE.to_owned() });
            }
            Ok(None) => {}
            Err(error) => gaps.push(Gap::new(printable(folder), error.reason(), error)),
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
