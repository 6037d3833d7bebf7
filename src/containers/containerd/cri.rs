//! What containerd's plugin for Kubernetes notes of containers and pods: extensions of their records, and a
//! file with the state.

use super::database::Record;
use super::values;
use crate::containers::store::{Store, is_plain};
use crate::model::Gap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Labels or annotations that are taken of a pod.
const MOST_LABELS: usize = 256;

#[derive(Deserialize)]
struct Versioned<T> {
    #[serde(rename = "Metadata")]
    metadata: T,
}

/// Of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ContainerMetadata {
    #[serde(rename = "SandboxID")]
    pub sandbox: String,
    /// Digest of the image's configuration.
    #[serde(rename = "ImageRef")]
    pub image_ref: String,
    /// What the image's name led to; newer versions write it.
    #[serde(rename = "ImageDigest")]
    pub image_digest: String,
    #[serde(rename = "Config")]
    pub config: Option<ContainerConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ContainerConfig {
    pub metadata: Option<Metadata>,
    pub image: Option<ImageSpec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ImageSpec {
    pub image: String,
    pub user_specified_image: String,
}

/// Of a pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SandboxMetadata {
    #[serde(rename = "Config")]
    config: Option<SandboxConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SandboxConfig {
    metadata: Option<Metadata>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    pub name: String,
    uid: String,
    namespace: String,
}

/// The file `status`: times in nanoseconds, zero if it did not come to that.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Status {
    pub created_at: i64,
    pub started_at: i64,
    pub finished_at: i64,
    pub exit_code: i32,
}

/// An extension of a record; none if the record has none of that name.
pub fn extension<T: DeserializeOwned>(record: &Record, name: &str) -> Option<Result<T, String>> {
    let extensions = record.inner("extensions");
    let value = extensions.values.get(name)?;
    Some(match values::any(value) {
        None => Err(format!("its extension {name} is no message")),
        Some(json) => serde_json::from_slice(json)
            .map(|it: Versioned<T>| it.metadata)
            .map_err(|error| format!("its extension {name} is not what it should be: {error}")),
    })
}

/// The file in which the state of a container is noted; none if there is none.
pub fn status(store: &Store, id: &str) -> Result<Option<Status>, Gap> {
    if !is_plain(id) {
        return Ok(None);
    }
    store.json(&format!("io.containerd.grpc.v1.cri/containers/{id}/status"))
}

impl SandboxMetadata {
    /// Labels and annotations of the pod, and what it is called under the names that kubelet's labels have.
    pub fn into_labels(self) -> BTreeMap<String, String> {
        let config = self.config.unwrap_or_default();
        let metadata = config.metadata.unwrap_or_default();
        let called = [
            ("io.kubernetes.pod.name", metadata.name),
            ("io.kubernetes.pod.namespace", metadata.namespace),
            ("io.kubernetes.pod.uid", metadata.uid),
        ];
        let called = called.into_iter().filter(|(_, value)| !value.is_empty());
        let mut all: BTreeMap<String, String> =
            called.map(|(key, value)| (key.to_owned(), values::shown(&value))).collect();
        for more in [config.labels, config.annotations].into_iter().flatten() {
            for (key, value) in more.into_iter().take(MOST_LABELS) {
                all.entry(values::shown(&key)).or_insert_with(|| values::shown(&value));
            }
        }
        all
    }
}
