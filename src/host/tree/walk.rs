//! Everything below a folder of the joined tree, each folder once.
//!
//! Folders are taken in batches, in the order of the disk ([`waiting`](super::waiting)). Where the
//! metadata and then the entries of a batch's folders are on the device is asked of their filesystems
//! and told to it at once; then threads read them. What is in a folder comes sorted, and where a filesystem does not tell
//! its places, folders come level by level.

use super::ahead::Plan;
use super::waiting::Waiting;
use super::{Located, Part, PathError, Tree};
use crate::filesystem::{Entry, Error, Kind, Listing, Metadata, NodeId};
use crate::model::{Gap, GapReason, printable};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Folders that are read at the same time.
const AT_ONCE: usize = 4;
/// Entries of one batch after which no further folder of it is read, to bound memory.
const MOST_IN_BATCH: usize = 1 << 20;
/// Folders of one walk.
const MOST_FOLDERS: usize = 4 << 20;
/// Longest path of a folder that is entered.
const LONGEST: usize = 1 << 16;
/// Bytes of the paths of folders that wait to be read.
const MOST_WAITING: usize = 128 << 20;
/// Folders in second places that are told by name.
const MOST_SECOND_PLACES: usize = 100;
/// Bytes of a folder that are asked for early.
const AHEAD: u64 = 16 << 20;

/// What the walk came by.
#[derive(Debug)]
pub struct Step<'a> {
    /// Path of the folder without links, from the root; empty for the root itself.
    pub folder: &'a [u8],
    /// Name in it.
    pub name: &'a [u8],
    /// The node.
    pub at: Located,
    /// What it is.
    pub kind: Kind,
    /// Its metadata, if [`Detail::Metadata`] was asked for.
    pub metadata: Option<&'a Metadata>,
}

/// How much is read of what is no folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Its name, and its kind where the folder does not tell it.
    Names,
    /// Its metadata too.
    Metadata,
}

/// Whether a folder is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descend {
    /// It is, in its turn.
    Yes,
    /// It is not.
    No,
}

/// What a walk went through.
#[derive(Debug, Default)]
pub struct Walked {
    /// Whether there was a folder to begin with.
    pub is_folder: bool,
    /// Folders that are in the tree a second time, and were shown in another place: the first of them.
    pub second_places: Vec<Vec<u8>>,
    /// How many more.
    pub more_places: usize,
}

impl Walked {
    fn again(&mut self, path: Vec<u8>) {
        if self.second_places.len() < MOST_SECOND_PLACES {
            self.second_places.push(path);
        } else {
            self.more_places += 1;
        }
    }
}

/// A folder to be read.
struct Folder {
    path: Vec<u8>,
    at: Located,
    /// Whether it is below a second mount, where what was read in another place is no surprise.
    is_again: bool,
}

/// An entry and what was found out about it.
struct Seen {
    entry: Entry,
    at: Located,
    kind: Kind,
    metadata: Option<Metadata>,
    /// Whether something is mounted there.
    is_mount: bool,
}

type Outcome = (Vec<Seen>, Vec<Gap>);

impl Tree {
    /// Shows everything below the folder at `path` to `visit`, which decides what is entered. What
    /// cannot be read is a gap. `false` if there is no such folder.
    pub fn walk_below(
        &self,
        path: &[u8],
        detail: Detail,
        visit: &mut dyn FnMut(&Step) -> Descend,
        gaps: &mut Vec<Gap>,
    ) -> Result<bool, PathError> {
        self.walk_telling(path, detail, visit, gaps).map(|walked| walked.is_folder)
    }

    /// As [`Tree::walk_below`], telling what was left out since it had been shown in another place.
    pub fn walk_telling(
        &self,
        path: &[u8],
        detail: Detail,
        visit: &mut dyn FnMut(&Step) -> Descend,
        gaps: &mut Vec<Gap>,
    ) -> Result<Walked, PathError> {
        let Some(trail) = self.walk(path)? else { return Ok(Walked::default()) };
        let at = trail.last().map_or(self.top(), |(_, at)| *at);
        let fail = |source| PathError::FileSystem { path: printable(path), source };
        if self.metadata(at).map_err(fail)?.kind != Kind::Directory {
            return Ok(Walked::default());
        }
        let path = trail.iter().flat_map(|(name, _)| [b"/", name.as_slice()].concat()).collect();
        let mut walk = Walk::new(self, detail, Folder { path, at, is_again: false });
        // A walk over a part of a filesystem needs few of its folders.
        walk.is_whole = trail.is_empty();
        walk.expect_folders(at.mount);
        while let Some((batch, plan)) = walk.next_batch() {
            for (folder, (seen, unread)) in walk.read(batch, &plan) {
                gaps.extend(unread);
                walk.show(&folder, &seen, visit, gaps);
            }
        }
        self.mounts.iter().for_each(|mount| mount.filesystem.forget_folders());
        Ok(walk.walked)
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    detail: Detail,
    /// Folders that were found and not yet placed.
    found: Vec<Folder>,
    todo: Waiting<Folder>,
    /// Second mounts of filesystems, whose folders may have a place of their own: taken last.
    again: VecDeque<Folder>,
    /// Folders that were met, so that none is read twice.
    met: HashSet<(usize, NodeId)>,
    /// What is mounted in a folder, by its path.
    mounts: HashMap<Vec<u8>, Vec<(Vec<u8>, Located)>>,
    /// The first mount of each filesystem: two mounts of one are one here.
    filesystems: Vec<usize>,
    /// Bytes of the paths that wait.
    waiting: usize,
    is_full: bool,
    /// Whether it goes over all of the tree.
    is_whole: bool,
    walked: Walked,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree, detail: Detail, first: Folder) -> Self {
        let mut walk = Self {
            tree,
            detail,
            found: Vec::new(),
            todo: Waiting::default(),
            again: VecDeque::new(),
            met: HashSet::new(),
            mounts: tree.mounts_by_folder(),
            filesystems: (0..tree.mounts.len()).map(|mount| tree.first_mount(mount)).collect(),
            waiting: 0,
            is_full: false,
            is_whole: false,
            walked: Walked { is_folder: true, ..Walked::default() },
        };
        walk.met.insert(walk.identity(first.at));
        walk.waiting = first.path.len();
        walk.found.push(first);
        walk
    }

    /// Has the folders of a filesystem found that the walk comes to.
    fn expect_folders(&mut self, mount: usize) {
        if self.is_whole {
            let places = self.tree.mounts[mount].filesystem.find_folders();
            self.todo.expect(self.filesystems[mount], &places);
        }
    }

    fn identity(&self, at: Located) -> (usize, NodeId) {
        (self.filesystems[at.mount], at.node)
    }

    fn next_batch(&mut self) -> Option<(Vec<Folder>, Plan)> {
        loop {
            self.place_found();
            if let Some((batch, plan)) = self.todo.next_batch() {
                self.waiting -= bytes(&batch);
                return Some((batch, plan));
            }
            let folder = self.again.pop_front()?;
            if self.met.insert(self.identity(folder.at)) {
                self.found.push(folder);
            } else {
                self.waiting -= folder.path.len();
                self.walked.again(folder.path);
            }
        }
    }

    /// Finds out where on the disk the folders are that were found.
    fn place_found(&mut self) {
        let nodes: Vec<_> = self.found.iter().map(|folder| folder.at).collect();
        let mut places = self.tree.places(&nodes, |_, _| Some(Part::Start(AHEAD)));
        places.sort_unstable_by_key(|(index, _)| *index);
        for (folder, (_, place)) in self.found.drain(..).zip(places) {
            self.todo.push(folder, place);
        }
    }

    /// Reads folders; those for which there is no room in memory wait for another batch.
    fn read(&mut self, batch: Vec<Folder>, plan: &Plan) -> Vec<(Folder, Outcome)> {
        let outcomes: Vec<Mutex<Option<Outcome>>> =
            batch.iter().map(|_| Mutex::default()).collect();
        let entries = AtomicUsize::new(0);
        let this = &*self;
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(batch.len()) {
                scope.spawn(|| {
                    while entries.load(Ordering::Relaxed) < MOST_IN_BATCH
                        && let Some(index) = plan.next(this.tree)
                    {
                        let outcome = this.list(&batch[index]);
                        entries.fetch_add(outcome.0.len(), Ordering::Relaxed);
                        let mut place =
                            outcomes[index].lock().unwrap_or_else(PoisonError::into_inner);
                        *place = Some(outcome);
                    }
                });
            }
        });
        let mut read = Vec::new();
        for (folder, outcome) in batch.into_iter().zip(outcomes) {
            if let Some(outcome) = outcome.into_inner().unwrap_or_else(PoisonError::into_inner) {
                read.push((folder, outcome));
            } else {
                self.waiting += folder.path.len();
                self.found.push(folder);
            }
        }
        read
    }

    /// What is in a folder, sorted.
    fn list(&self, folder: &Folder) -> Outcome {
        let mut gaps = Vec::new();
        let filesystem = self.tree.filesystem(folder.at);
        let mut gap = |path: &[u8], error: Error| {
            let error = PathError::FileSystem { path: printable(path), source: error };
            gaps.push(Gap::new(shown(path), error.reason(), error));
        };
        let Listing { mut entries, damage } =
            filesystem.read_dir(folder.at.node).unwrap_or_else(|error| {
                gap(&folder.path, error);
                Listing::default()
            });
        for error in damage {
            gap(&folder.path, error);
        }
        entries.sort();
        let mut seen = Vec::with_capacity(entries.len());
        let wanted =
            entries.iter().filter(|it| it.kind.is_none() || self.detail == Detail::Metadata);
        let wanted = wanted.map(|it| Located { mount: folder.at.mount, node: it.node });
        self.tree.ask_for_metadata(wanted);
        for (entry, at, is_mount) in self.with_mounts(folder, entries) {
            match self.look(&entry, at, is_mount) {
                Ok((kind, metadata)) => seen.push(Seen { entry, at, kind, metadata, is_mount }),
                Err(error) => gap(&joined(&folder.path, &entry.name), error),
            }
        }
        (seen, gaps)
    }

    /// The entries of a folder, with what is mounted on them, or where there is no entry.
    fn with_mounts(&self, folder: &Folder, entries: Vec<Entry>) -> Vec<(Entry, Located, bool)> {
        let mount = folder.at.mount;
        let own = |entry: Entry| {
            let at = Located { mount, node: entry.node };
            (entry, at, false)
        };
        let mut all: Vec<_> = entries.into_iter().map(own).collect();
        let Some(mounts) = self.mounts.get(&folder.path) else { return all };
        for (name, at) in mounts {
            all.retain(|(entry, ..)| entry.name != *name);
            all.push((Entry { name: name.clone(), node: at.node, kind: None }, *at, true));
        }
        all.sort_by(|(a, ..), (b, ..)| a.name.cmp(&b.name));
        all
    }

    fn look(
        &self,
        entry: &Entry,
        at: Located,
        is_mount: bool,
    ) -> Result<(Kind, Option<Metadata>), Error> {
        match entry.kind {
            Some(kind) if self.detail == Detail::Names && !is_mount => Ok((kind, None)),
            _ => {
                let metadata = self.tree.metadata(at)?;
                Ok((metadata.kind, (self.detail == Detail::Metadata).then_some(metadata)))
            }
        }
    }

    /// Shows what is in a folder, and notes the folders in it that are to be entered.
    fn show(
        &mut self,
        folder: &Folder,
        seen: &[Seen],
        visit: &mut dyn FnMut(&Step) -> Descend,
        gaps: &mut Vec<Gap>,
    ) {
        for it in seen {
            let (name, metadata) = (it.entry.name.as_slice(), it.metadata.as_ref());
            let step = Step { folder: &folder.path, name, at: it.at, kind: it.kind, metadata };
            if visit(&step) == Descend::Yes && it.kind == Kind::Directory {
                self.enter(folder, it, gaps);
            }
        }
    }

    fn enter(&mut self, above: &Folder, seen: &Seen, gaps: &mut Vec<Gap>) {
        let path = joined(&above.path, &seen.entry.name);
        let waiting = self.waiting + path.len();
        if path.len() > LONGEST || waiting > MOST_WAITING || self.met.len() >= MOST_FOLDERS {
            if !std::mem::replace(&mut self.is_full, true) {
                let detail = format!(
                    "more than {MOST_FOLDERS} folders, {} MiB of their paths, or a path of more than {LONGEST} \
                     bytes; not all folders from here on were entered",
                    MOST_WAITING >> 20
                );
                gaps.push(Gap::new(shown(&path), GapReason::Limit, detail));
            }
            return;
        }
        let is_second = seen.is_mount && self.filesystems[seen.at.mount] != seen.at.mount;
        let length = path.len();
        let folder = Folder { path, at: seen.at, is_again: above.is_again || is_second };
        if is_second {
            self.waiting += length;
            self.again.push_back(folder);
        } else if self.met.insert(self.identity(seen.at)) {
            self.waiting += length;
            self.found.push(folder);
            if seen.is_mount {
                self.expect_folders(seen.at.mount);
            }
        } else if folder.is_again {
            self.walked.again(folder.path);
        } else {
            let detail =
                "a folder that is in two places of one filesystem; it was read at the first";
            gaps.push(Gap::new(shown(&folder.path), GapReason::Corrupt, detail));
        }
    }
}

fn bytes(folders: &[Folder]) -> usize {
    folders.iter().map(|folder| folder.path.len()).sum()
}

fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    [folder, b"/", name].concat()
}

/// A path for people; the root's own is empty here.
fn shown(path: &[u8]) -> String {
    if path.is_empty() { "/".to_owned() } else { printable(path) }
}
