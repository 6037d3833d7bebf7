//! containerd's store: `io.containerd.metadata.v1.bolt/meta.db`, its snapshotters and its content.
//!
//! The database tells of each namespace, below the version of its layout: `v1/NAMESPACE/containers`,
//! `…/images`, `…/snapshots`, `…/content`, as
//! <https://github.com/containerd/containerd/blob/main/core/metadata/buckets.go> says.

mod content;
mod cri;
mod database;
mod images;
mod records;
mod snapshots;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod values;

use super::store::Store;
use super::{Found, Layers};
use crate::model::{Conformance, ContainerImage, Gap, GapReason};
use content::Content;
use database::Bucket;
use images::Target;
use records::Namespace;
use snapshots::Snapshotters;

const DATABASE: &str = "io.containerd.metadata.v1.bolt/meta.db";
/// Namespaces, and containers and names of images in all of them.
const MOST_NAMESPACES: usize = 1000;
const MOST_CONTAINERS: usize = 10_000;
const MOST_IMAGES: usize = 10_000;

/// A store of containerd.
pub struct Containerd<'a> {
    store: Store<'a>,
    /// All of the database, and what is below the version of its layout.
    root: Bucket,
    records: Bucket,
    snapshotters: Snapshotters<'a>,
    content: Content<'a>,
    images: images::Known,
}

impl<'a> Containerd<'a> {
    /// Opens the store in a folder; none if that holds none.
    pub fn open(store: Store<'a>) -> Result<Option<Self>, Gap> {
        let Some(root) = database::open(&store, DATABASE)? else { return Ok(None) };
        let Some(records) = root.bucket("v1")? else {
            let detail = "a database of containerd without records of a version that is known";
            return Err(Gap::new(store.place(DATABASE), GapReason::Unsupported, detail));
        };
        let snapshotters = Snapshotters::new(store.clone());
        let content = Content::new(store.clone());
        let images = images::Known::default();
        Ok(Some(Self { store, root, records, snapshotters, content, images }))
    }

    /// The same store, a snapshotter of which has its folder elsewhere (`root_path` of its configuration).
    pub fn with_snapshotter(mut self, snapshotter: &str, folder: Store<'a>) -> Self {
        self.snapshotters.moved(snapshotter, folder);
        self
    }

    /// What a snapshot's filesystem is made of; none if this store does not have it.
    pub fn snapshot(
        &self,
        namespace: &str,
        snapshotter: &str,
        key: &str,
    ) -> Result<Option<Layers>, Gap> {
        let path = [namespace, "snapshots", snapshotter, key];
        let Some(snapshot) = self.records.nested(&path)? else { return Ok(None) };
        let name = snapshot.get("name")?.and_then(|name| String::from_utf8(name).ok());
        let name = name.ok_or_else(|| {
            let detail = format!("the snapshot {} has no name", values::shown(key));
            Gap::new(self.place(namespace), GapReason::Corrupt, detail)
        })?;
        self.snapshotters.layers(snapshotter, &name).map(Some)
    }

    /// The image of a name or digest; none if this store does not have it. Fails if it may be in what cannot
    /// be read.
    pub fn image(&self, namespace: &str, name: &str) -> Result<Option<ContainerImage>, Gap> {
        let names = self.names(namespace);
        let describe = |target: &Target| self.describe(namespace, target).0;
        if let Some(target) = names.target(name) {
            return Ok(Some(describe(target)));
        }
        // Docker lets go of an image's name while containers still need it.
        let nameless = Target::of_digest(name).map(|target| describe(&target));
        let known = nameless.filter(|image| image.oci != Some(Conformance::default()));
        match (known, names.lost()) {
            (None, Some(lost)) => Err(lost.clone()),
            (known, _) => Ok(known),
        }
    }

    /// Adds its containers and images. Containers of another engine, which keeps more of them, are left to it:
    /// `is_known` tells which of a namespace they are.
    pub fn add_to(&self, is_known: &dyn Fn(&str, &str) -> bool, found: &mut Found) {
        found.folders.push(self.store.root().to_vec());
        let (namespaces, is_more) = self.records.buckets(MOST_NAMESPACES, &mut found.gaps);
        if is_more {
            let detail = format!("more than {MOST_NAMESPACES} namespaces");
            found.gaps.push(Gap::new(self.store.place(DATABASE), GapReason::Limit, detail));
        }
        let mut left = MOST_CONTAINERS;
        for (name, bucket) in &namespaces {
            left = Namespace::new(self, name, bucket).add_to(is_known, left, found);
            self.add_images(name, found);
        }
        found.gaps.extend(self.root.problems());
        found.gaps.extend(self.snapshotters.problems());
    }

    /// Where what is recorded in a namespace is.
    fn place(&self, namespace: &str) -> String {
        format!("{}, namespace {}", self.store.place(DATABASE), values::shown(namespace))
    }
}
