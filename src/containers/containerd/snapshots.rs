//! Snapshots: what a container's filesystem is made of. Each snapshotter has a database of its own,
//! `v1/snapshots/NAME/{id,kind,parent}`, and folders that are named by the ids.
//!
//! Read: `overlayfs` and `fuse-overlayfs` (a folder for each layer), `native` and `btrfs` (whole copies).
//! The others keep layers on devices of their own, in images of filesystems, or far away.

use super::database::{self, Bucket};
use super::values;
use crate::containers::Layers;
use crate::containers::store::{Layer, Store, is_plain};
use crate::model::{Gap, GapReason};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Layers above one another.
const MOST_CHAIN: usize = 512;
/// Snapshots of one snapshotter, and folders of all containers of it.
const MOST_SNAPSHOTS: usize = 100_000;
const MOST_FOLDERS: usize = 1_000_000;
/// The label of a layer that is fetched file by file.
const REMOTE: &str = "containerd.io/snapshot/remote";

/// All snapshotters of a store.
pub struct Snapshotters<'a> {
    store: Store<'a>,
    /// Snapshotters whose folder is elsewhere.
    moved: BTreeMap<String, Store<'a>>,
    opened: Mutex<BTreeMap<String, Opened<'a>>>,
}

type Opened<'a> = Result<Arc<Snapshotter<'a>>, Gap>;

struct Snapshotter<'a> {
    layout: Layout,
    store: Store<'a>,
    /// Its folder in the store.
    folder: String,
    snapshots: Bucket,
    known: Mutex<Known>,
}

/// What was read already: images share layers.
#[derive(Default)]
struct Known {
    snapshots: HashMap<String, Result<Arc<Snapshot>, Gap>>,
    layers: HashMap<String, Result<Layer, Gap>>,
    folders: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Each folder holds what differs from those below.
    Overlay,
    /// Each folder holds all; a view is its parent's.
    Native,
    /// Each subvolume holds all, in a folder for each kind.
    Btrfs,
}

struct Snapshot {
    name: String,
    id: u64,
    kind: Kind,
    parent: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Read-only, a container's own.
    View,
    /// Writable, a container's own.
    Active,
    /// Of an image.
    Committed,
}

impl<'a> Snapshotters<'a> {
    pub fn new(store: Store<'a>) -> Self {
        Self { store, moved: BTreeMap::new(), opened: Mutex::default() }
    }

    /// Says that a snapshotter's folder is elsewhere.
    pub fn moved(&mut self, snapshotter: &str, folder: Store<'a>) {
        self.moved.insert(snapshotter.to_owned(), folder);
        self.opened = Mutex::default();
    }

    /// What a snapshot is made of, by the name that the snapshotter has for it.
    pub fn layers(&self, snapshotter: &str, name: &str) -> Result<Layers, Gap> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = opened.entry(snapshotter.to_owned()).or_insert_with(|| self.open(snapshotter));
        let snapshotter = opened.clone()?;
        snapshotter.layers(name)
    }

    fn open(&self, name: &str) -> Opened<'a> {
        let default = format!("io.containerd.snapshotter.v1.{name}");
        let (store, folder) = match self.moved.get(name) {
            Some(moved) => (moved.clone(), String::new()),
            None => (self.store.clone(), default),
        };
        let place = store.place(&folder);
        let layout = match name {
            "overlayfs" | "fuse-overlayfs" => Layout::Overlay,
            "native" => Layout::Native,
            "btrfs" => Layout::Btrfs,
            _ => return Err(unsupported(&self.store, name)),
        };
        let missing = || Gap::new(&place, GapReason::Missing, "a snapshotter without a database");
        let file = format!("{folder}/metadata.db");
        let database = database::open(&store, &file)?.ok_or_else(missing)?;
        let snapshots = database.nested(&["v1", "snapshots"])?.ok_or_else(|| {
            Gap::new(&place, GapReason::Missing, "a snapshotter that knows no snapshot")
        })?;
        Ok(Arc::new(Snapshotter { layout, store, folder, snapshots, known: Mutex::default() }))
    }

    /// What the damage of their databases was that another state helped over.
    pub fn problems(&self) -> Vec<Gap> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.values().flatten().flat_map(|opened| opened.snapshots.problems()).collect()
    }
}

fn unsupported(store: &Store, name: &str) -> Gap {
    let place = if is_plain(name) {
        store.place(&format!("io.containerd.snapshotter.v1.{name}"))
    } else {
        store.name()
    };
    let detail = format!("layers of the snapshotter {} are not read", values::shown(name));
    Gap::new(place, GapReason::Unsupported, detail)
}

impl Snapshotter<'_> {
    fn layers(&self, name: &str) -> Result<Layers, Gap> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let chain = self.chain(name, &mut known)?;
        let own = own(&chain);
        let is_view = chain[0].kind == Kind::View && chain.len() > 1;
        let folders = match self.layout {
            // What a view would have of its own is not mounted.
            Layout::Overlay if is_view => &chain[1..],
            Layout::Overlay => &chain[..],
            Layout::Native if is_view => &chain[1..2],
            Layout::Native | Layout::Btrfs => &chain[..1],
        };
        known.folders += folders.len();
        if known.folders > MOST_FOLDERS {
            return Err(self.limit("more layers of containers than are read"));
        }
        let layer = |snapshot: &Arc<Snapshot>| self.layer(snapshot, &mut known);
        let folders = folders.iter().map(layer).collect::<Result<_, Gap>>()?;
        Ok(Layers { folders, own: if self.layout == Layout::Overlay { own } else { 0 } })
    }

    /// A snapshot and those below it.
    fn chain(&self, name: &str, known: &mut Known) -> Result<Vec<Arc<Snapshot>>, Gap> {
        let (mut chain, mut met) = (Vec::new(), HashSet::new());
        let mut next = Some(name.to_owned());
        while let Some(name) = next {
            if chain.len() >= MOST_CHAIN {
                return Err(self.limit("too many layers above one another"));
            }
            if !met.insert(name.clone()) {
                return Err(self.corrupt(&name, "is above itself"));
            }
            chain.push(self.snapshot(&name, known)?);
            next = chain.last().and_then(|snapshot| snapshot.parent.clone());
        }
        Ok(chain)
    }

    fn snapshot(&self, name: &str, known: &mut Known) -> Result<Arc<Snapshot>, Gap> {
        if let Some(snapshot) = known.snapshots.get(name) {
            return snapshot.clone();
        }
        if known.snapshots.len() >= MOST_SNAPSHOTS {
            return Err(self.limit("more layers than are read"));
        }
        let read = self.read(name).map(Arc::new);
        known.snapshots.insert(name.to_owned(), read.clone());
        read
    }

    fn read(&self, name: &str) -> Result<Snapshot, Gap> {
        let Some(bucket) = self.snapshots.bucket(name)? else {
            let detail = format!("the snapshotter has no layer {}", values::shown(name));
            return Err(Gap::new(self.place(), GapReason::Missing, detail));
        };
        let record = bucket.record();
        let number = |key| record.values.get(key).and_then(|value| values::number(value));
        let id = number("id").map(|(id, _)| id);
        let kind = match record.values.get("kind").map(Vec::as_slice) {
            Some([1]) => Some(Kind::View),
            Some([2]) => Some(Kind::Active),
            Some([3]) => Some(Kind::Committed),
            _ => None,
        };
        let (Some(id), Some(kind)) = (id, kind) else {
            let corrupt = || self.corrupt(name, "has no id or no kind");
            return Err(record.problem.unwrap_or_else(corrupt));
        };
        if record.inner("labels").values.contains_key(REMOTE) {
            let detail = "a layer that is fetched when it is read, and is not on the disk";
            return Err(Gap::new(self.place(), GapReason::Unsupported, detail));
        }
        let parent = match record.values.get("parent").map(|name| String::from_utf8(name.clone())) {
            // Where something is lost, it may be the parent.
            None => record.problem.map_or(Ok(None), Err)?,
            Some(Ok(parent)) => Some(parent).filter(|parent| !parent.is_empty()),
            Some(Err(_)) => return Err(self.corrupt(name, "has a parent that is no text")),
        };
        Ok(Snapshot { name: name.to_owned(), id, kind, parent })
    }

    fn layer(&self, snapshot: &Snapshot, known: &mut Known) -> Result<Layer, Gap> {
        let id = snapshot.id;
        let path = match (self.layout, snapshot.kind) {
            (Layout::Overlay, _) => format!("{}/snapshots/{id}/fs", self.folder),
            (Layout::Btrfs, Kind::Active) => format!("{}/active/{id}", self.folder),
            (Layout::Btrfs, Kind::View) => format!("{}/view/{id}", self.folder),
            _ => format!("{}/snapshots/{id}", self.folder),
        };
        let layer = || self.store.layer(&path);
        known.layers.entry(path.clone()).or_insert_with(layer).clone()
    }

    fn place(&self) -> String {
        self.store.place(&format!("{}/metadata.db", self.folder))
    }

    fn corrupt(&self, name: &str, what: &str) -> Gap {
        let detail = format!("the layer {} {what}", values::shown(name));
        Gap::new(self.place(), GapReason::Corrupt, detail)
    }

    fn limit(&self, detail: &str) -> Gap {
        Gap::new(self.place(), GapReason::Limit, detail)
    }
}

/// How many of a chain are a container's own: the writable one, and what Docker puts below it.
fn own(chain: &[Arc<Snapshot>]) -> usize {
    if chain[0].kind != Kind::Active {
        return 0;
    }
    let init = format!("{}-init", key(&chain[0].name));
    1 + usize::from(chain.get(1).is_some_and(|below| key(&below.name) == init))
}

/// The key of a snapshot in a name that containerd made of it: `NAMESPACE/NUMBER/KEY`.
fn key(name: &str) -> &str {
    name.splitn(3, '/').last().unwrap_or(name)
}
