//! Containers on a host's disks: the stores of their engines, and what each container's filesystem is made of.
//!
//! Engines are read from their stores' own files; nothing runs. What cannot be read of one container is a
//! gap of that container, and all others are complete.

pub mod archive;
mod containerd;
mod docker;
mod kubernetes;
mod oci;
mod places;
mod storage;
mod store;
mod text;

pub use store::Layer;

use crate::filesystem::Marks;
use crate::host::Tree;
use crate::model::{
    ContainerContext, ContainerImage, Engine, Gap, GapReason, printable, printable_str,
};
use containerd::Containerd;
use places::Places;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use store::Store;

/// What the stores of a host hold.
#[derive(Debug, Default)]
pub struct Found {
    /// The containers.
    pub containers: Vec<Container>,
    /// The images, whether a container was made from them or not.
    pub images: Vec<Image>,
    /// Folders of stores that were read: a walk over the host need not enter them.
    pub folders: Vec<Vec<u8>>,
    /// Which marks of overlays count in each store, by its folder.
    pub marks: BTreeMap<String, Marks>,
    /// What of the stores could not be read.
    pub gaps: Vec<Gap>,
}

/// A container.
#[derive(Debug)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its name, or else its id.
    pub name: String,
    /// All else that is said of it; the system and drift are still open.
    pub context: ContainerContext,
    /// What its filesystem is made of, or why that is not known.
    pub layers: Result<Layers, Gap>,
}

/// An image.
#[derive(Debug)]
pub struct Image {
    /// The engine whose store it is in.
    pub engine: Engine,
    /// Folder of the store.
    pub store: String,
    /// containerd's namespace.
    pub namespace: Option<String>,
    /// What is said of it.
    pub image: ContainerImage,
    /// What its filesystem is made of; an image whose layers were not unpacked has none.
    pub layers: Result<Layers, Gap>,
}

/// The folders that a filesystem is merged from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layers {
    /// The folders, uppermost first.
    pub folders: Vec<Layer>,
    /// How many of them are the container's own; the rest is its image. 0 for an image, and for a container
    /// whose files are a copy of the image's.
    pub own: usize,
}

/// All containers and images of a host, in stores at known places.
pub fn find(tree: &Tree) -> Found {
    let mut found = Found::default();
    let places = places::find(tree, &mut found.gaps);
    find_in(tree, &places, &mut found);
    found
}

/// Adds those in stores that were met at other places.
pub fn find_met(tree: &Tree, met: &[Vec<u8>], found: &mut Found) {
    let mut named = BTreeSet::new();
    for folder in met {
        if let Ok(folder) = String::from_utf8(folder.clone()) {
            named.insert(folder);
        } else {
            let detail = "a store of containers in a folder whose name is no text is not read";
            found.gaps.push(Gap::new(printable(folder), GapReason::Unsupported, detail));
        }
    }
    let met = named;
    let (docker, containerd, storage) = (met.clone(), met.clone(), met);
    let places = Places { docker, containerd, storage, ..Places::default() };
    find_in(tree, &places, found);
}

/// The folders of stores at known places, of which nothing else is read.
pub fn folders(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<Vec<u8>> {
    let Places { docker, containerd, storage, additional, .. } = places::find(tree, gaps);
    let mut found = Found::default();
    let mut stores = Stores { tree, known: HashSet::new() };
    for folders in [docker, containerd, storage, additional] {
        stores.open(&folders, &mut found);
    }
    found.folders
}

fn find_in(tree: &Tree, places: &Places, found: &mut Found) {
    // A folder that was met may be a store of any kind.
    let [mut stores, mut of_containerd, mut of_storage] =
        [(); 3].map(|()| Stores { tree, known: HashSet::new() });
    let mut dockers = stores.open(&places.docker, found);
    let mapped: BTreeSet<String> =
        dockers.iter().flat_map(|store| docker::mapped(store, &mut found.gaps)).collect();
    dockers.extend(stores.open(&mapped, found));
    let own: BTreeSet<String> =
        dockers.iter().map(|store| store.name() + "/containerd/daemon").collect();
    let containerds = of_containerd.open(&places.containerd, found);
    let of_docker = of_containerd.open(&own, found);
    let additional = of_storage.open(&places.additional, found);
    let graphs = of_storage.open(&places.storage, found);
    let all_containerds: Vec<Store> = containerds.iter().chain(&of_docker).cloned().collect();
    let mut opened = Vec::new();
    for store in containerds {
        let elsewhere = snapshotters(tree, places, found);
        open(store, &elsewhere, &mut opened, found);
    }
    for store in of_docker {
        open(store, &[], &mut opened, found);
    }
    for store in &dockers {
        docker::find(store, &opened, found);
    }
    let of_docker: HashSet<String> = found.containers.iter().map(|it| it.id.clone()).collect();
    let is_known =
        |namespace: &str, id: &str| namespace == docker::NAMESPACE && of_docker.contains(id);
    for containerd in &opened {
        containerd.add_to(&is_known, found);
    }
    for store in &graphs {
        storage::find(store, &additional, found);
    }
    for store in &additional {
        storage::find(store, &graphs, found);
    }
    for store in dockers.iter().chain(&graphs).chain(&additional) {
        store::unrecorded(store, found);
    }
    for store in &all_containerds {
        store::unrecorded(store, found);
    }
    // A store of Docker that was met late has containers that containerd told of first.
    let of_docker: HashSet<String> = found
        .containers
        .iter()
        .filter(|it| it.context.engine == Engine::Docker)
        .map(|it| it.id.clone())
        .collect();
    found.containers.retain(|it| {
        let is_task = it.context.engine == Engine::Containerd
            && it.context.namespace.as_deref() == Some(docker::NAMESPACE);
        !(is_task && of_docker.contains(&it.id))
    });
}

/// The folders of snapshotters that a configuration has elsewhere.
fn snapshotters<'a>(
    tree: &'a Tree,
    places: &Places,
    found: &mut Found,
) -> Vec<(String, Store<'a>)> {
    let mut elsewhere = Vec::new();
    for (name, folder) in &places.snapshotters {
        match Store::open(tree, folder.as_bytes()) {
            Ok(store) => elsewhere.extend(store.map(|store| (name.clone(), store))),
            Err(error) => {
                found.gaps.push(Gap::new(printable_str(folder), error.reason(), error));
            }
        }
    }
    elsewhere
}

fn open<'a>(
    store: Store<'a>,
    elsewhere: &[(String, Store<'a>)],
    opened: &mut Vec<Containerd<'a>>,
    found: &mut Found,
) {
    match Containerd::open(store) {
        Ok(Some(containerd)) => {
            let moved = elsewhere.iter().fold(containerd, |containerd, (name, folder)| {
                found.folders.push(folder.root().to_vec());
                containerd.with_snapshotter(name, folder.clone())
            });
            opened.push(moved);
        }
        Ok(None) => {}
        Err(gap) => found.gaps.push(gap),
    }
}

/// Opens stores, each once, however many names lead to it.
struct Stores<'a> {
    tree: &'a Tree,
    known: HashSet<Vec<u8>>,
}

impl<'a> Stores<'a> {
    fn open(&mut self, folders: &BTreeSet<String>, found: &mut Found) -> Vec<Store<'a>> {
        let mut stores = Vec::new();
        for folder in folders {
            match Store::open(self.tree, folder.as_bytes()) {
                Ok(Some(store)) if self.known.insert(store.root().to_vec()) => {
                    found.folders.push(store.root().to_vec());
                    found.marks.insert(store.name(), store.marks());
                    stores.push(store);
                }
                Ok(_) => {}
                Err(error) => {
                    let place = printable_str(folder);
                    found.gaps.push(Gap::new(place, error.reason(), error));
                }
            }
        }
        stores
    }
}
