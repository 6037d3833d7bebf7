//! Stores that engines made, against what these say of them; and small ones made by hand.

mod crio;
mod damage;
mod made;
mod real;

use super::{Found, Store, find};
use crate::containers::Container;
use crate::host::Tree;
use std::path::Path;

/// What is in the store `storage` of a folder, with others behind it.
fn found_with(root: &Path, behind: &[&str]) -> Found {
    let tree = Tree::of_directory(root).unwrap();
    let open = |name: &str| Store::open(&tree, format!("/{name}").as_bytes()).unwrap().unwrap();
    let behind: Vec<_> = behind.iter().map(|name| open(name)).collect();
    let mut found = Found::default();
    find(&open("storage"), &behind, &mut found);
    found
}

/// What is in the store `storage` of a folder.
fn found(root: &Path) -> Found {
    found_with(root, &[])
}

/// The container of a name.
fn container<'f>(found: &'f Found, name: &str) -> &'f Container {
    let mut all = found.containers.iter().filter(|it| it.name == name);
    let container = all.next().unwrap_or_else(|| panic!("no {name}: {:#?}", found.containers));
    assert!(all.next().is_none(), "two of {name}");
    container
}

/// The folders of a container's layers below the store, uppermost first, and how many are its own.
fn layers(container: &Container) -> (Vec<String>, usize) {
    let layers = container.layers.as_ref().unwrap();
    let path = |path: &[u8]| String::from_utf8(path.to_vec()).unwrap();
    let folders = layers.folders.iter().map(|layer| path(&layer.path));
    (folders.collect(), layers.own)
}
