//! Docker's own store: `containers`, and images and layers of its storage drivers.

use super::Found;
use super::containerd::Containerd;
use super::store::Store;

/// What is in Docker's data-root. The files of containers of an image store of containerd are in one of `containerds`.
pub fn find(store: &Store, containerds: &[Containerd], found: &mut Found) {
    let _ = (store, containerds, found);
}
