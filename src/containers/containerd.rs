//! containerd's store: `io.containerd.metadata.v1.bolt/meta.db`, its snapshotters and its content.

use super::store::Store;
use super::{Found, Layers};
use crate::model::{ContainerImage, Gap};

/// A store of containerd.
pub struct Containerd<'a> {
    store: Store<'a>,
}

impl<'a> Containerd<'a> {
    /// Opens the store in a folder; none if that holds none.
    pub fn open(store: Store<'a>) -> Result<Option<Self>, Gap> {
        Ok(Some(Self { store }))
    }

    /// What a snapshot's filesystem is made of; none if this store does not have it.
    pub fn snapshot(
        &self,
        namespace: &str,
        snapshotter: &str,
        key: &str,
    ) -> Result<Option<Layers>, Gap> {
        let _ = (&self.store, namespace, snapshotter, key);
        Ok(None)
    }

    /// The image of a name or digest; none if this store does not have it.
    pub fn image(&self, namespace: &str, name: &str) -> Result<Option<ContainerImage>, Gap> {
        let _ = (namespace, name);
        Ok(None)
    }

    /// Adds its containers and images. Containers of another engine, which keeps more of them, are left to it:
    /// `is_known` tells which of a namespace they are.
    pub fn add_to(&self, is_known: &dyn Fn(&str, &str) -> bool, found: &mut Found) {
        let _ = (is_known, found);
    }
}
