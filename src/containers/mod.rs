//! Containers on a host's disks: the stores of their engines, and what each container's filesystem is made of.
//!
//! Engines are read from their stores' own files; nothing runs. What cannot be read of one container is a
//! gap of that container, and all others are complete.

mod containerd;
mod docker;
mod kubernetes;
mod oci;
mod places;
mod storage;
mod store;

pub use store::Layer;

use crate::host::Tree;
use crate::model::{ContainerContext, ContainerImage, Engine, Gap};

/// What the stores of a host hold.
#[derive(Debug, Default)]
pub struct Found {
    /// The containers.
    pub containers: Vec<Container>,
    /// The images, whether a container was made from them or not.
    pub images: Vec<Image>,
    /// Folders of stores that were read: a walk over the host need not enter them.
    pub folders: Vec<Vec<u8>>,
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

/// All containers and images of a host. `met` are folders that look like stores and are at no known place.
pub fn find(tree: &Tree, met: &[Vec<u8>]) -> Found {
    let _ = (tree, met);
    Found::default()
}
