//! Containers of Kubernetes' pods.

use super::made::{Made, any, bucket, texts, value};
use super::{container, find};
use crate::model::{Confidence, ContainerState, Kubernetes};

const SANDBOX: &str = r#"{"Version": "v1", "Metadata": {"ID": "pause1", "Config": {
    "metadata": {"name": "web-7d4b9c6f5d-x2x9z", "uid": "0b1c", "namespace": "prod"},
    "labels": {"app": "web", "pod-template-hash": "7d4b9c6f5d"},
    "annotations": {"kubernetes.io/config.source": "api"}}}}"#;
const CONTAINER: &str = r#"{"Version": "v1", "Metadata": {"ID": "web1", "SandboxID": "pause1",
    "ImageRef": "sha256:6b78", "Config": {"metadata": {"name": "web"},
    "image": {"image": "sha256:6b78", "user_specified_image": "example.com/web:1"}}}}"#;

fn pod(sandbox: &str) -> Made {
    let mut made = Made::new();
    made.snapshot("overlayfs", "low", 1, 3, "");
    made.snapshot("overlayfs", "pause1", 2, 2, "low");
    made.snapshot("overlayfs", "web1", 3, 2, "low");
    let labels = texts(&[
        ("io.cri-containerd.kind", "container"),
        ("io.kubernetes.container.name", "web"),
        ("io.kubernetes.pod.name", "web-7d4b9c6f5d-x2x9z"),
        ("io.kubernetes.pod.namespace", "prod"),
        ("io.kubernetes.pod.uid", "0b1c"),
    ]);
    let extensions = bucket([("io.cri-containerd.container.metadata", any(CONTAINER))]);
    let fields = [("labels", labels), ("extensions", extensions), ("image", value("sha256:6b78"))];
    made.container("web1", "overlayfs", &fields);
    let labels = texts(&[("io.cri-containerd.kind", "sandbox")]);
    let extensions = bucket([("io.cri-containerd.sandbox.metadata", any(sandbox))]);
    made.container("pause1", "overlayfs", &[("labels", labels), ("extensions", extensions)]);
    made
}

#[test]
fn a_pod_and_its_container_are_named() {
    let made = pod(SANDBOX);
    let path = "io.containerd.grpc.v1.cri/containers/web1/status";
    let state = |text: &str| {
        made.file(path, text.as_bytes());
        let found = find(made.write());
        let context = &container(&found, "web1").context;
        assert_eq!(context.state_confidence, Confidence::High);
        assert!(context.state_evidence.starts_with(path), "{}", context.state_evidence);
        context.state
    };
    for (text, expected) in [
        (r#"{"Version":"v1","CreatedAt":5,"StartedAt":0}"#, ContainerState::Created),
        (r#"{"Version":"v1","CreatedAt":5,"StartedAt":6,"FinishedAt":0}"#, ContainerState::Running),
        (r#"{"CreatedAt":5,"StartedAt":6,"FinishedAt":7,"ExitCode":1}"#, ContainerState::Exited),
    ] {
        assert_eq!(state(text), expected, "{text}");
    }
    let found = find(made.path());
    let web = container(&found, "web1");
    let expected = Kubernetes {
        namespace: "prod".to_owned(),
        pod: "web-7d4b9c6f5d-x2x9z".to_owned(),
        container: Some("web".to_owned()),
        pod_uid: Some("0b1c".to_owned()),
        workload: Some("deployment/web".to_owned()),
    };
    assert_eq!((web.name.as_str(), web.context.kubernetes.as_ref()), ("web", Some(&expected)));
    assert_eq!(web.context.image.reference.as_deref(), Some("example.com/web:1"));
    let pause = container(&found, "pause1");
    let expected = Kubernetes { container: None, ..expected };
    assert_eq!(pause.context.kubernetes.as_ref(), Some(&expected));
    assert_eq!(pause.name, "web-7d4b9c6f5d-x2x9z");
    assert_eq!(pause.context.state, ContainerState::Exited);
    assert_eq!(found.gaps, []);
}

/// Newer versions have a record of the sandbox too, and some of them beside `v1`.
#[test]
fn a_sandbox_may_have_a_record_of_its_own() {
    let mut made = pod("{}");
    made.put(&["n", "sandboxes", "pause1", "extensions"], bucket([("metadata", any(SANDBOX))]));
    let found = find(made.write());
    let kubernetes = container(&found, "web1").context.kubernetes.as_ref().unwrap();
    assert_eq!(kubernetes.workload.as_deref(), Some("deployment/web"));
    assert_eq!(container(&found, "pause1").name, "web-7d4b9c6f5d-x2x9z");
}

#[test]
fn a_state_that_is_no_json_is_a_gap_and_signs_tell() {
    let made = pod(SANDBOX);
    made.file("io.containerd.grpc.v1.cri/containers/web1/status", b"{\"Version");
    let task = made.path().join("io.containerd.runtime.v2.task/n/web1");
    std::fs::create_dir_all(task).unwrap();
    let found = find(made.write());
    let context = &container(&found, "web1").context;
    assert_eq!(context.state, ContainerState::Running);
    assert_eq!(context.state_confidence, Confidence::Medium);
    let [gap] = &*found.gaps else { panic!("{:?}", found.gaps) };
    assert!(gap.place.starts_with("containerd container web (web1): /io.cont"), "{gap:?}");
}

#[test]
fn metadata_that_is_none_is_a_gap_and_labels_tell() {
    let mut made = pod(SANDBOX);
    let extensions = bucket([("io.cri-containerd.container.metadata", any("[]"))]);
    made.put(&["n", "containers", "web1", "extensions"], extensions);
    let found = find(made.write());
    let web = container(&found, "web1");
    assert_eq!(web.name, "web");
    assert!(web.layers.is_ok());
    assert_eq!(found.gaps.len(), 1);
    assert!(found.gaps[0].detail.starts_with("its extension io.cri-containerd.container.metadata"));
}
