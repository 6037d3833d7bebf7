//! Stores made by hand, and the shared ones that real engines wrote.

mod damage;
mod images;
mod layouts;
mod made;
mod pods;
mod shared;

use super::Containerd;
use crate::containers::store::Store;
use crate::containers::{Container, Found};
use crate::host::Tree;
use std::path::Path;

/// What a store in a folder holds of which no other engine knows.
fn find(folder: &Path) -> Found {
    let mut found = Found::default();
    with(folder, |containerd| containerd.add_to(&|_, _| false, &mut found));
    found
}

fn with<T>(folder: &Path, then: impl FnOnce(&Containerd) -> T) -> T {
    let tree = Tree::of_directory(folder).unwrap();
    let store = Store::open(&tree, b"/").unwrap().unwrap();
    then(&Containerd::open(store).unwrap().unwrap())
}

fn container<'f>(found: &'f Found, id: &str) -> &'f Container {
    found.containers.iter().find(|it| it.id == id).unwrap_or_else(|| panic!("{id}: {found:#?}"))
}

/// The folders of a container as paths below the store.
fn folders(container: &Container) -> Vec<String> {
    let layers = container.layers.as_ref().unwrap();
    let path = |path: &[u8]| String::from_utf8(path.to_vec()).unwrap();
    layers.folders.iter().map(|layer| path(&layer.path)).collect()
}

/// The gap of a container's layers: reason, and whole text.
fn gap(container: &Container) -> String {
    let gap = container.layers.as_ref().unwrap_err();
    format!("{} | {} | {}", gap.place, gap.reason.as_str(), gap.detail)
}
