//! CRI-O over a store that Podman made: containers of real layers, with the records that CRI-O's code writes
//! (`internal/storage/runtime.go`, `internal/factory/container`, `internal/oci/container.go` of
//! <https://github.com/cri-o/cri-o>). None of it was made by a running CRI-O.

use super::real::unpack;
use super::{container, found, layers};
use crate::containers::Container;
use crate::model::{Confidence, ContainerState, Engine};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const POD: &str = "k8s_POD_web-1_shop_8f4f-11_0";
const WEB: &str = "k8s_web_web-1_shop_8f4f-11_0";
const JOB: &str = "k8s_job_web-1_shop_8f4f-11_2";
const NAME: &str = "127.0.0.1:5100/team/app:2";

/// Makes Podman's containers those of CRI-O: `running1` holds a pod, the others are in it.
fn convert(store: &Path) -> Vec<Value> {
    let containers = store.join("overlay-containers");
    let stable = containers.join("containers.json");
    let mut records: Vec<Value> = serde_json::from_slice(&fs::read(&stable).unwrap()).unwrap();
    fs::write(&stable, "[]").unwrap();
    fs::remove_file(store.join("db.sql")).unwrap();
    let pod = records[0]["id"].as_str().unwrap().to_owned();
    for (record, name) in records.iter_mut().zip([POD, WEB, JOB]) {
        let is_pod = name == POD;
        let metadata = json!({
            "pod-name": "k8s_web-1_shop_8f4f-11_0", "pod-id": pod, "image-name": image(record, name),
            "image-id": record["image"], "name": name, "metadata-name": "web", "created-at": 1,
            "pod": is_pod,
        });
        record["names"] = json!([name]);
        record["metadata"] = json!(metadata.to_string());
        record["flags"] = json!({"MountLabel": "", "ProcessLabel": "", "Volatile": true});
        let userdata = containers.join(record["id"].as_str().unwrap()).join("userdata");
        let spec = spec(record, &pod, name).to_string();
        fs::write(userdata.join("config.json"), spec).unwrap();
        let status = if is_pod { "running" } else { "stopped" };
        // A container that was made only now has no state yet.
        if name != JOB {
            let state = json!({"ociVersion": "1.0.2-dev", "id": record["id"], "status": status,
                "pid": 4711, "bundle": "/run", "created": "2026-11-23T18:00:00.5Z",
                "started": "2026-11-23T18:00:01Z", "finished": "0001-01-01T00:00:00Z"});
            fs::write(userdata.join("state.json"), state.to_string()).unwrap();
        }
    }
    let volatile = containers.join("volatile-containers.json");
    fs::write(volatile, Value::from(records.clone()).to_string()).unwrap();
    records
}

/// As kubelet asks for it: by its id, but for the one of the pod.
fn image(record: &Value, name: &str) -> String {
    if name == POD { NAME.to_owned() } else { record["image"].as_str().unwrap().to_owned() }
}

fn spec(record: &Value, pod: &str, name: &str) -> Value {
    let kind = if name == POD { "sandbox" } else { "container" };
    let layer = record["layer"].as_str().unwrap();
    let root = format!("/var/lib/containers/storage/overlay/{layer}/merged");
    let labels = json!({"app": "shop", "io.kubernetes.pod.name": "web-1",
        "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": "8f4f-11"});
    let volumes = json!([
        {"container_path": "/etc/hosts", "host_path": "/var/lib/kubelet/pods/8f4f-11/etc-hosts",
         "readonly": false, "propagation": 0, "selinux_relabel": false},
        {"container_path": "/config", "host_path": "/var/lib/kubelet/pods/8f4f-11/c", "readonly": true},
    ]);
    let mut annotations = json!({
        "io.container.manager": "cri-o",
        "io.kubernetes.cri-o.ContainerID": record["id"],
        "io.kubernetes.cri-o.ContainerType": kind,
        "io.kubernetes.cri-o.Created": "2026-11-23T18:00:00.123456789Z",
        "io.kubernetes.cri-o.Image": image(record, name),
        "io.kubernetes.cri-o.ImageName": NAME,
        "io.kubernetes.cri-o.ImageRef": record["image"],
        "io.kubernetes.cri-o.Labels": labels.to_string(),
        "io.kubernetes.cri-o.MountPoint": root,
        "io.kubernetes.cri-o.Name": name,
        "io.kubernetes.cri-o.SandboxID": pod,
        "io.kubernetes.cri-o.Volumes": volumes.to_string(),
    });
    if name == POD {
        annotations["io.kubernetes.cri-o.Name"] = json!("k8s_web-1_shop_8f4f-11_0");
        annotations["io.kubernetes.cri-o.ContainerName"] = json!(name);
    }
    json!({"ociVersion": "1.0.2-dev", "root": {"path": root}, "annotations": annotations})
}

#[test]
fn containers_are_as_crio_wrote_them() {
    let Some((folder, expected)) = unpack("podman5-sqlite-small") else { return };
    let records = convert(&folder.path().join("storage"));
    let all = found(folder.path());
    assert_eq!(all.gaps, []);
    assert_eq!(all.containers.len(), 3);
    assert!(all.images.iter().all(|image| image.engine == Engine::CriO));
    for (record, (name, podman)) in
        records.iter().zip([(POD, "running1"), (WEB, "stopped1"), (JOB, "created1")])
    {
        let inspected = expected.join(format!("podman5-sqlite-small-{podman}.json"));
        let inspected: Value = serde_json::from_slice(&fs::read(inspected).unwrap()).unwrap();
        check(container(&all, name), record, &inspected[0]["GraphDriver"]["Data"]);
    }
    let state = |name| {
        (container(&all, name).context.state, container(&all, name).context.state_confidence)
    };
    assert_eq!(state(POD), (ContainerState::Running, Confidence::High));
    assert_eq!(state(WEB), (ContainerState::Exited, Confidence::High));
    assert_eq!(state(JOB), (ContainerState::Unknown, Confidence::Low));
}

fn check(container: &Container, record: &Value, mounted: &Value) {
    let context = &container.context;
    assert_eq!(context.engine, Engine::CriO);
    assert_eq!(container.id, record["id"].as_str().unwrap());
    assert_eq!(context.created.as_deref(), Some("2026-11-23T18:00:00.123456789Z"));
    assert_eq!(context.image.reference.as_deref(), Some(NAME));
    let id = format!("sha256:{}", record["image"].as_str().unwrap());
    assert_eq!(context.image.id, Some(id));
    assert_eq!(context.labels["app"], "shop");
    assert_eq!(context.labels.len(), 4);
    let mounts: Vec<_> =
        context.mounts.iter().map(|it| (it.destination.as_str(), it.read_only)).collect();
    assert_eq!(mounts, [("/config", true), ("/etc/hosts", false)]);
    assert_eq!(context.mounts[0].source, "/var/lib/kubelet/pods/8f4f-11/c");
    let path = |key: &str| mounted[key].as_str().unwrap().to_owned();
    let mounted = format!("{}:{}", path("UpperDir"), path("LowerDir"));
    let mounted = mounted.replace("/var/lib/containers/storage", "/storage");
    assert_eq!((layers(container).0.join(":"), layers(container).1), (mounted, 1));
}

#[test]
fn lost_records_are_made_anew() {
    let Some((folder, _)) = unpack("podman5-sqlite-small") else { return };
    let store = folder.path().join("storage");
    let records = convert(&store);
    let before = found(folder.path());
    fs::write(store.join("overlay-containers/volatile-containers.json"), "").unwrap();
    let after = found(folder.path());
    assert_eq!(after.gaps.len(), 1, "{:#?}", after.gaps);
    assert_eq!(after.gaps[0].place, "/storage/overlay-containers/volatile-containers.json");
    assert_eq!(after.containers.len(), records.len());
    for one in &before.containers {
        let other = container(&after, &one.name);
        assert_eq!(one.id, other.id);
        assert_eq!(one.context, other.context);
        assert_eq!(layers(one), layers(other));
    }
}
