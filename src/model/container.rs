//! A container found on a host's disk, and the image that it was made from.

use super::{Confidence, EndOfLife, Os};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is known of a container beside its packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ContainerContext {
    /// The program that made it.
    pub engine: Engine,
    /// Folder of the store on the host.
    pub store: String,
    /// containerd's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The image that it was made from.
    pub image: ContainerImage,
    /// When it was created, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// What it did when the disk was as it is.
    pub state: ContainerState,
    /// What tells of that.
    pub state_evidence: String,
    /// How sure that is.
    pub state_confidence: Confidence,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What it is in Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Kubernetes>,
    /// What is mounted in it: recorded, not followed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<ContainerMount>,
    /// Operating system of its files.
    pub os: Os,
    /// Until when the vendor supports that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_of_life: Option<EndOfLife>,
    /// What differs from its image; none where the image is not known apart from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
}

/// The program that keeps a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Docker.
    #[default]
    Docker,
    /// containerd, by itself or for Kubernetes.
    Containerd,
    /// Podman.
    Podman,
    /// CRI-O.
    #[serde(rename = "cri-o")]
    CriO,
    /// Buildah.
    Buildah,
    /// A file that an engine or a registry tool wrote.
    Archive,
}

impl Engine {
    /// The engine by whose name its kind of store is known: that of Podman has others' containers too.
    pub fn store(self) -> Self {
        match self {
            Self::CriO | Self::Buildah => Self::Podman,
            other => other,
        }
    }

    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containerd => "containerd",
            Self::Podman => "podman",
            Self::CriO => "cri-o",
            Self::Buildah => "buildah",
            Self::Archive => "archive",
        }
    }
}

/// An image of containers.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ContainerImage {
    /// Its name as the container was made with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Its id as the engine tells it: the digest of its configuration or, in an image store of
    /// containerd, of its manifest or index, `sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Digest of its manifest, by which registries know it, `sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// All names that the store has for it, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whether the documents that make it an image of OCI are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oci: Option<Conformance>,
}

/// Whether the documents of an image are in the store, and say what they should.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Conformance {
    /// The configuration.
    pub config: DocumentState,
    /// The manifest; Docker's own store keeps none.
    pub manifest: DocumentState,
    /// What is wrong with one that is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// State of a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentState {
    /// There, and valid.
    Valid,
    /// There, and not valid.
    Invalid,
    /// Not in the store.
    #[default]
    Absent,
}

/// What a container did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerState {
    /// It ran.
    Running,
    /// It was halted, to go on later.
    Paused,
    /// It ran and had ended.
    Exited,
    /// It was never started.
    Created,
    /// Nothing tells.
    #[default]
    Unknown,
}

impl ContainerState {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Exited => "exited",
            Self::Created => "created",
            Self::Unknown => "unknown",
        }
    }
}

/// What a container is in Kubernetes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Kubernetes {
    /// Namespace.
    pub namespace: String,
    /// Pod.
    pub pod: String,
    /// Name of the container in the pod; none for the one that holds the pod's namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The pod's uid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_uid: Option<String>,
    /// What the pod was likely made for, by its labels and name, as `deployment/web`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
}

/// Something mounted in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ContainerMount {
    /// Where, in the container.
    pub destination: String,
    /// `bind`, `volume`, `tmpfs`.
    pub kind: String,
    /// Folder on the host, or name of the volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Whether it is read-only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// What of a container differs from its image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Packages that the image does not have, as purls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages_added: Vec<String>,
    /// Packages that are in another version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages_changed: Vec<PackageChange>,
    /// Packages that are gone, as purls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages_removed: Vec<String>,
    /// Programs that the image does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub executables_added: Vec<String>,
    /// Programs that stand in the place of the image's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub executables_changed: Vec<String>,
    /// Files and folders of the image that were removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Further ones, of all lists, that are not listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Drift {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A package in another version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PackageChange {
    /// Name.
    pub name: String,
    /// Version in the image.
    pub from: String,
    /// Version in the container.
    pub to: String,
}
