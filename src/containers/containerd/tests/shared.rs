//! The stores that real engines wrote, against what these said of them.

use super::{container, find, folders, with};
use crate::containers::Found;
use crate::model::{ContainerState, DocumentState};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "sha256:d1d6b4b5d7c2233b0c0edb8d86165a96cb8997138606ef14c3e080687164f156";
const LOADED: &str = "sha256:478a5015e8d840c087a515cece33004cfa5e3aef0217f779b31f2cc17c78a6a8";
const CONFIG: &str = "sha256:6b78104fc439fd460abcff923163d4e3b02169aeebb4cf9bd82e6e1e328f62f7";
const DOCKER: &str = "sha256:492c8c9de5d12409c05495f0e5a209a9ce98e151f793c00220fd959723ae1ed7";

/// A store, unpacked with its devices, and the folder of what the engine said.
fn unpacked(name: &str) -> Option<(tempfile::TempDir, PathBuf)> {
    let stores = test_material::shared()?.join("data/stores");
    if !test_material::root() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let unpack = std::process::Command::new("tar")
        .args(["--zstd", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-pxf"])
        .arg(stores.join(format!("{name}.tar.zst")))
        .arg("-C")
        .arg(folder.path())
        .status();
    assert!(unpack.unwrap().success());
    Some((folder, stores.join("expected")))
}

/// The folder in which the database is.
fn root(folder: &Path) -> PathBuf {
    let mut todo = vec![folder.to_path_buf()];
    while let Some(folder) = todo.pop() {
        if folder.join(super::super::DATABASE).exists() {
            return folder;
        }
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        todo.extend(entries.filter(|it| it.file_type().unwrap().is_dir()).map(|it| it.path()));
    }
    panic!("no store of containerd");
}

#[test]
fn containers_are_those_that_containerd_told_of() {
    let Some((folder, expected)) = unpacked("containerd-overlayfs-small") else { return };
    let found = find(&root(folder.path()));
    assert_eq!(found.gaps, []);
    assert_eq!(found.containers.len(), 6);
    for namespace in ["default", "k8s.io"] {
        for (name, state) in [
            ("running1", ContainerState::Running),
            ("stopped1", ContainerState::Exited),
            // Nothing tells of one that was never started from one that wrote nothing.
            ("created1", ContainerState::Unknown),
        ] {
            let file = format!("containerd-overlayfs-small-{namespace}-{name}.json");
            let told: Value =
                serde_json::from_slice(&fs::read(expected.join(file)).unwrap()).unwrap();
            let is_as_told = check(&found, namespace, &told);
            assert_eq!(is_as_told, state, "{namespace} {name}");
        }
    }
}

fn check(found: &Found, namespace: &str, told: &Value) -> ContainerState {
    let text = |key: &str| told[key].as_str().unwrap();
    let it = container(found, text("ID"));
    let context = &it.context;
    assert_eq!(context.namespace.as_deref(), Some(namespace));
    assert_eq!(context.created.as_deref(), Some(text("CreatedAt")));
    assert_eq!(context.image.reference.as_deref(), Some(text("Image")));
    assert_eq!(context.image.id.as_deref(), Some(CONFIG));
    assert_eq!(context.image.digest.as_deref(), Some(MANIFEST));
    let labels = told["Labels"].as_object().unwrap();
    assert_eq!(context.labels.len(), labels.len());
    for (key, value) in labels {
        assert_eq!(Some(context.labels[key].as_str()), value.as_str(), "{key}");
    }
    let mounts = told["Spec"]["mounts"].as_array().unwrap();
    let bound = mounts.iter().filter(|it| it["type"] == "bind").count();
    assert_eq!((context.mounts.len(), bound), (0, 0));
    let in_pod = context.labels.get("io.kubernetes.container.name").map(String::as_str);
    assert_eq!(it.name, in_pod.unwrap_or(&it.id));
    if let Some(pod) = context.labels.get("io.kubernetes.pod.name") {
        let kubernetes = context.kubernetes.as_ref().unwrap();
        assert_eq!((&kubernetes.pod, kubernetes.namespace.as_str()), (pod, "prod"));
    }
    let layers = it.layers.as_ref().unwrap();
    assert_eq!((layers.folders.len(), layers.own), (5, 1));
    context.state
}

/// The ids are those that `bbolt` tells of the snapshotter's database.
#[test]
fn layers_are_those_that_the_snapshotter_mounts() {
    let Some((folder, _)) = unpacked("containerd-overlayfs-small") else { return };
    let found = find(&root(folder.path()));
    for (id, own, image) in [
        ("default-running1", 5, [4, 3, 2, 1]),
        ("default-stopped1", 6, [4, 3, 2, 1]),
        ("default-created1", 7, [4, 3, 2, 1]),
        ("k8s.io-running1", 12, [11, 10, 9, 8]),
        ("k8s.io-stopped1", 13, [11, 10, 9, 8]),
        ("k8s.io-created1", 14, [11, 10, 9, 8]),
    ] {
        let path = |id| format!("/io.containerd.snapshotter.v1.overlayfs/snapshots/{id}/fs");
        let expected: Vec<_> = [own].into_iter().chain(image).map(path).collect();
        assert_eq!(folders(container(&found, id)), expected);
    }
}

#[test]
fn images_are_those_that_containerd_told_of() {
    let Some((folder, expected)) = unpacked("containerd-overlayfs-small") else { return };
    let found = find(&root(folder.path()));
    let told = fs::read_to_string(expected.join("containerd-overlayfs-small.txt")).unwrap();
    let mut namespace = "";
    let mut named = 0;
    for line in told.lines() {
        if let Some(name) = line.strip_prefix("## ns ") {
            namespace = name;
        }
        let fields: Vec<_> = line.split_whitespace().collect();
        let [name, media, digest, ..] = &*fields else { continue };
        if !media.starts_with("application/") {
            continue;
        }
        let image = found.images.iter().find(|it| {
            it.namespace.as_deref() == Some(namespace) && it.image.digest.as_deref() == Some(digest)
        });
        let image = image.unwrap_or_else(|| panic!("{line}"));
        // Kubernetes' plugin names images by their ids too.
        let is_named = image.image.names.iter().any(|it| it == name);
        assert!(is_named || *name == CONFIG, "{line}");
        named += usize::from(is_named);
    }
    assert_eq!((named, found.images.iter().map(|it| it.image.names.len()).sum()), (5, 5));
    let mut digests: Vec<_> = found.images.iter().map(|it| it.image.digest.as_deref()).collect();
    digests.sort_unstable();
    assert_eq!(digests, [Some(LOADED), Some(MANIFEST), Some(MANIFEST)]);
    for image in &found.images {
        let oci = image.image.oci.as_ref().unwrap();
        assert_eq!((oci.config, oci.manifest), (DocumentState::Valid, DocumentState::Valid));
        assert_eq!(image.image.id.as_deref(), Some(CONFIG));
        assert_eq!(image.layers.as_ref().unwrap().folders.len(), 4);
    }
}

#[test]
fn dockers_containers_find_their_layers_and_image() {
    let Some((folder, expected)) = unpacked("docker26-containerd-snapshotter-small") else {
        return;
    };
    let file = expected.join("docker26-containerd-snapshotter-small-containers.json");
    let told: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let root = root(folder.path());
    for it in told.as_array().unwrap() {
        let id = it["Id"].as_str().unwrap();
        let layers = with(&root, |store| store.snapshot("moby", "overlayfs", id)).unwrap().unwrap();
        assert_eq!((layers.folders.len(), layers.own), (6, 2), "{id}");
        let digest = it["Image"].as_str().unwrap();
        let image = with(&root, |store| store.image("moby", digest)).unwrap().unwrap();
        assert_eq!((image.id.as_deref(), image.digest.as_deref()), (Some(DOCKER), Some(DOCKER)));
        assert_eq!(image.names, ["docker.io/fixture/app:2"]);
    }
    // Docker gives containerd only what runs, and keeps the rest itself.
    let known = |namespace: &str, id: &str| namespace == "moby" && id.starts_with("f9aae3425072");
    let mut found = Found::default();
    with(&root, |store| store.add_to(&known, &mut found));
    assert_eq!((found.containers.len(), found.images.len(), found.gaps.len()), (0, 1, 0));
    let found = find(&root);
    let [it] = &*found.containers else { panic!("{:?}", found.containers) };
    assert_eq!((it.context.state, it.layers.is_ok()), (ContainerState::Running, false));
}

/// A node with 5,573 keys: all that an independent reader of the format tells of it.
#[test]
fn a_larger_database_is_whole() {
    let Some(shared) = test_material::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| {
        let packed = fs::read(shared.join("data/stores/bolt").join(from)).unwrap();
        let to = folder.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
    };
    copy("containerd16_meta.db.zst", super::super::DATABASE);
    let overlay = "io.containerd.snapshotter.v1.overlayfs/metadata.db";
    copy("containerd16_overlay_metadata.db.zst", overlay);
    let found = find(folder.path());
    assert_eq!((found.containers.len(), found.gaps.len()), (3, 0), "{:?}", found.gaps);
    for it in &found.containers {
        let told = super::gap(it);
        assert!(told.contains("/fs | missing | a layer of a container is not there"), "{told}");
    }
    assert!(found.images.len() > 100, "{}", found.images.len());
}
