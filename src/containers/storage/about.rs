//! What engines say of a container, in one shape.

use crate::containers::text::{MOST_MOUNTS, short};
use crate::model::{Confidence, ContainerMount, ContainerState, Engine, Kubernetes};
use std::collections::BTreeMap;

/// What an engine says of a container.
#[derive(Debug, Default)]
pub struct About {
    /// The engine.
    pub engine: Engine,
    /// Its name; none where the engine has no other than the storage.
    pub name: Option<String>,
    /// When it was made, as the engine wrote it.
    pub created: Option<String>,
    /// What it did.
    pub state: ContainerState,
    /// What tells of that.
    pub evidence: String,
    /// How sure that is.
    pub confidence: Confidence,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// What it is in Kubernetes.
    pub kubernetes: Option<Kubernetes>,
    /// What is mounted in it.
    pub mounts: Vec<ContainerMount>,
    /// Name of its image.
    pub reference: Option<String>,
}

/// Mounts as they are kept, in order.
pub fn mounts(source: impl IntoIterator<Item = ContainerMount>) -> Vec<ContainerMount> {
    let kept = source.into_iter().take(MOST_MOUNTS).map(|mount| ContainerMount {
        destination: short(&mount.destination),
        kind: short(&mount.kind),
        source: short(&mount.source),
        read_only: mount.read_only,
    });
    let mut kept: Vec<_> = kept.collect();
    kept.sort();
    kept.dedup();
    kept
}
