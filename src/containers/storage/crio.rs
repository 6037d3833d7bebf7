//! CRI-O: what it keeps beside a container in the storage. It has no database: annotations of the runtime's
//! configuration are its record of the container, and `state.json` is what that did
//! (<https://github.com/cri-o/cri-o/blob/main/internal/lib/container_server.go>).

use super::about::{self, About};
use super::records;
use super::spec::Spec;
use crate::containers::kubernetes;
use crate::containers::store::{Store, is_plain};
use crate::containers::text;
use crate::model::{Confidence, ContainerMount, ContainerState, Engine, Gap};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

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
    /// The metadata of a record; Podman writes some of it too, Buildah none.
    pub fn of(record: &records::Container) -> Result<Self, serde_json::Error> {
        let metadata = record.metadata.as_str();
        if metadata.is_empty() { Ok(Self::default()) } else { serde_json::from_str(metadata) }
    }

    /// Whether CRI-O wrote it.
    pub fn is_crio(&self) -> bool {
        !self.pod_id.is_empty() || !self.pod_name.is_empty()
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

/// Labels of pods that were read, by their ids.
pub type Pods = HashMap<String, BTreeMap<String, String>>;

/// What CRI-O says of a container.
pub fn about(
    store: &Store,
    driver: &str,
    record: &records::Container,
    metadata: &Metadata,
    pods: &mut Pods,
    gaps: &mut Vec<Gap>,
) -> About {
    let spec = spec(store, driver, &record.id, gaps);
    let state = state(store, driver, &record.id, gaps);
    let created = spec.annotation("Created").and_then(text::time);
    let of_state = || state.as_ref().and_then(|(_, state)| text::time(&state.created));
    let created = created.or_else(of_state);
    let (state, evidence, confidence) = outcome(&spec, state.as_ref());
    let labels = labels(&spec, gaps);
    let mut pod = BTreeMap::new();
    if metadata.pod_id != record.id && is_plain(&metadata.pod_id) {
        let read = || labels_of_pod(store, driver, &metadata.pod_id);
        pod = pods.entry(metadata.pod_id.clone()).or_insert_with(read).clone();
    }
    About {
        engine: Engine::CriO,
        name: None,
        created,
        state,
        evidence,
        confidence,
        kubernetes: kubernetes::of(&for_kubernetes(&labels, record), &pod),
        labels,
        mounts: mounts(&spec, gaps),
        reference: reference(metadata, &spec),
    }
}

fn spec(store: &Store, driver: &str, id: &str, gaps: &mut Vec<Gap>) -> Spec {
    let spec = Spec::read(store, driver, id).unwrap_or_else(|gap| {
        gaps.push(gap);
        None
    });
    spec.unwrap_or_default()
}

fn labels(spec: &Spec, gaps: &mut Vec<Gap>) -> BTreeMap<String, String> {
    text::labels(spec.json::<BTreeMap<_, _>>("Labels", gaps).iter())
}

fn labels_of_pod(store: &Store, driver: &str, id: &str) -> BTreeMap<String, String> {
    // What is wrong with it is told with the pod's own container.
    let mut gaps = Vec::new();
    labels(&spec(store, driver, id, &mut gaps), &mut gaps)
}

/// What Kubernetes wanted to be mounted.
fn mounts(spec: &Spec, gaps: &mut Vec<Gap>) -> Vec<ContainerMount> {
    let volumes: Vec<Volume> = spec.json("Volumes", gaps);
    let mounts = volumes.into_iter().map(|volume| ContainerMount {
        destination: volume.container_path,
        kind: "bind".to_owned(),
        source: volume.host_path,
        read_only: volume.readonly,
    });
    about::mounts(mounts)
}

fn state(store: &Store, driver: &str, id: &str, gaps: &mut Vec<Gap>) -> Option<(String, State)> {
    let path = format!("{driver}-containers/{id}/userdata/state.json");
    let state = store.json(&path).unwrap_or_else(|gap| {
        gaps.push(gap);
        None
    });
    state.map(|state| (store.place(&path), state))
}

fn outcome(spec: &Spec, state: Option<&(String, State)>) -> (ContainerState, String, Confidence) {
    let Some((place, state)) = state else {
        let is_spoofed = spec.annotation("Spoofed") == Some("true");
        let evidence =
            if is_spoofed { "CRI-O runs nothing in it" } else { "CRI-O wrote no state of it" };
        return (ContainerState::Unknown, evidence.to_owned(), Confidence::Low);
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
    (state, format!("{place} says {}", text::short(word)), confidence)
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

/// Labels with what the name tells beside them, `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`. The container that
/// holds the pod's namespaces is named `POD`, and has no name in the pod.
fn for_kubernetes(
    labels: &BTreeMap<String, String>,
    record: &records::Container,
) -> BTreeMap<String, String> {
    let mut labels = labels.clone();
    let name = record.names.iter().flatten().next().map(|name| text::short(name));
    let parts: Vec<_> = name.iter().flat_map(|name| name.split('_')).collect();
    if let ["k8s", container, pod, namespace, uid, _] = parts[..] {
        let told = [("container.name", container), ("pod.name", pod), ("pod.namespace", namespace)];
        for (key, value) in told.into_iter().chain([("pod.uid", uid)]) {
            labels.entry(format!("io.kubernetes.{key}")).or_insert_with(|| value.to_owned());
        }
    }
    labels.retain(|key, value| key != "io.kubernetes.container.name" || value != "POD");
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_pod() {
        let labels = |name: &str, labels: &[(&str, &str)]| {
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            let record =
                records::Container { names: Some(vec![name.to_owned()]), ..Default::default() };
            let all = for_kubernetes(&labels.iter().map(own).collect(), &record);
            all.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        };
        let pod = ["pod.name=web-1", "pod.namespace=shop", "pod.uid=12-34"];
        let pod = pod.map(|label| format!("io.kubernetes.{label}"));
        let in_pod = labels("k8s_nginx_web-1_shop_12-34_0", &[]);
        assert_eq!(in_pod[0], "io.kubernetes.container.name=nginx");
        assert_eq!(in_pod[1..], pod);
        let holder = [("io.kubernetes.container.name", "POD")];
        assert_eq!(labels("k8s_POD_web-1_shop_12-34_0", &holder), pod);
        // What kubelet says counts.
        let said = labels("k8s_a_b_c_d_0", &[("io.kubernetes.pod.name", "other")]);
        assert!(said.contains(&"io.kubernetes.pod.name=other".to_owned()));
        assert_eq!(labels("nginx", &[]), [""; 0]);
    }
}
