//! CRI-O: what it keeps beside a container in the storage. Its state is no database: the runtime's
//! configuration, whose annotations are CRI-O's record of the container, and `state.json`
//! (<https://github.com/cri-o/cri-o/blob/main/internal/lib/container_server.go>).

use super::about::{self, About};
use super::records;
use crate::containers::store::{Store, is_plain};
use crate::model::{Confidence, ContainerMount, ContainerState, Engine, Gap};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// What CRI-O writes into the storage's record of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    #[serde(rename = "pod-id")]
    pod_id: String,
    #[serde(rename = "pod-name")]
    pod_name: String,
    /// The image as it was asked for: its name, its digest or its id.
    #[serde(rename = "image-name")]
    pub image: String,
}

impl Metadata {
    /// The metadata of a record; Podman writes some of it too.
    pub fn of(record: &records::Container) -> Self {
        serde_json::from_str(&record.metadata).unwrap_or_default()
    }

    /// Whether CRI-O wrote it.
    pub fn is_crio(&self) -> bool {
        !self.pod_id.is_empty() || !self.pod_name.is_empty()
    }
}

/// The runtime's configuration of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    annotations: Option<BTreeMap<String, String>>,
}

impl Spec {
    fn annotation(&self, name: &str) -> Option<&str> {
        let value = self.annotations.as_ref()?.get(&format!("io.kubernetes.cri-o.{name}"))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// An annotation that is JSON itself.
    fn json<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.annotation(name)?).ok()
    }

    fn labels(&self) -> BTreeMap<String, String> {
        self.json("Labels").unwrap_or_default()
    }

    /// What Kubernetes wanted to be mounted.
    fn mounts(&self) -> Vec<ContainerMount> {
        let volumes: Vec<Volume> = self.json("Volumes").unwrap_or_default();
        let mounts = volumes.into_iter().map(|volume| ContainerMount {
            destination: volume.container_path,
            kind: "bind".to_owned(),
            source: volume.host_path,
            read_only: volume.readonly,
        });
        about::mounts(mounts)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Volume {
    container_path: String,
    host_path: String,
    readonly: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    status: String,
    created: String,
}

/// CRI-O's containers in a store.
pub struct Crio<'a> {
    store: &'a Store<'a>,
    /// The folder of containers.
    folder: String,
}

impl<'a> Crio<'a> {
    /// Those of a driver.
    pub fn new(store: &'a Store<'a>, driver: &str) -> Self {
        Self { store, folder: format!("{driver}-containers") }
    }

    /// What CRI-O says of a container.
    pub fn about(
        &self,
        record: &records::Container,
        metadata: &Metadata,
        gaps: &mut Vec<Gap>,
    ) -> About {
        let spec = self.spec(&record.id, gaps);
        let state = self.state(&record.id, gaps);
        let created = spec.annotation("Created").and_then(about::time);
        let of_state = || state.as_ref().and_then(|(_, state)| about::time(&state.created));
        let created = created.or_else(of_state);
        let (state, evidence, confidence) = outcome(state.as_ref());
        let mut labels = spec.labels();
        let mut pod = BTreeMap::new();
        if metadata.pod_id != record.id && is_plain(&metadata.pod_id) {
            // What is wrong with it is told with the pod's own container.
            pod = self.spec(&metadata.pod_id, &mut Vec::new()).labels();
        }
        if labels.is_empty() {
            labels = by_name(record);
        }
        About {
            engine: Engine::CriO,
            name: None,
            created,
            state,
            evidence,
            confidence,
            labels: about::labels(&labels),
            pod: about::labels(&pod),
            mounts: spec.mounts(),
            reference: reference(metadata, &spec),
        }
    }

    fn spec(&self, id: &str, gaps: &mut Vec<Gap>) -> Spec {
        let path = format!("{}/{id}/userdata/config.json", self.folder);
        let spec = self.store.json(&path).unwrap_or_else(|gap| {
            gaps.push(gap);
            None
        });
        spec.unwrap_or_default()
    }

    fn state(&self, id: &str, gaps: &mut Vec<Gap>) -> Option<(String, State)> {
        let path = format!("{}/{id}/userdata/state.json", self.folder);
        let state = self.store.json(&path).unwrap_or_else(|gap| {
            gaps.push(gap);
            None
        });
        state.map(|state| (self.store.place(&path), state))
    }
}

fn outcome(state: Option<&(String, State)>) -> (ContainerState, String, Confidence) {
    let Some((place, state)) = state else {
        let evidence = "CRI-O wrote no state of it".to_owned();
        return (ContainerState::Unknown, evidence, Confidence::Low);
    };
    let word = state.status.as_str();
    let state = match word {
        "running" => ContainerState::Running,
        "paused" => ContainerState::Paused,
        "stopped" => ContainerState::Exited,
        "created" | "creating" => ContainerState::Created,
        _ => ContainerState::Unknown,
    };
    let is_known = state != ContainerState::Unknown;
    let confidence = if is_known { Confidence::High } else { Confidence::Low };
    (state, format!("{place} says {}", about::text(word)), confidence)
}

/// The image's name. Kubelet may ask for an image by its id, which CRI-O knows a name of.
fn reference(metadata: &Metadata, spec: &Spec) -> Option<String> {
    let hex = metadata.image.strip_prefix("sha256:").unwrap_or(&metadata.image);
    let is_id = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let asked = Some(metadata.image.as_str()).filter(|image| !image.is_empty());
    let named = spec.annotation("ImageName");
    let best = if is_id { named.or(asked) } else { asked.or(named) };
    best.map(str::to_owned)
}

/// Labels that the name tells, `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`, for want of better.
fn by_name(record: &records::Container) -> BTreeMap<String, String> {
    let Some(name) = record.names.iter().flatten().next() else { return BTreeMap::new() };
    let parts: Vec<_> = name.split('_').collect();
    let ["k8s", container, pod, namespace, uid, _] = parts[..] else { return BTreeMap::new() };
    let mut labels = vec![("pod.name", pod), ("pod.namespace", namespace), ("pod.uid", uid)];
    if container != "POD" {
        labels.push(("container.name", container));
    }
    let named = |(key, value): (&str, &str)| (format!("io.kubernetes.{key}"), value.to_owned());
    labels.into_iter().map(named).collect()
}
