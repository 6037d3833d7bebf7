//! containers-storage, in which Podman, CRI-O and Buildah keep containers and images.

use super::Found;
use super::store::Store;

/// What is in a graph root. Layers that it does not have may be in one of the `additional` stores.
pub fn find(store: &Store, additional: &[Store], found: &mut Found) {
    let _ = (store, additional, found);
}
