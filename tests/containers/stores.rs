//! The five stores of the shared data, on disks of two formats, at their default place and at one that a
//! configuration names.

use crate::support::{Disk, assets, each, expected, listed, run, scan};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A folder of a store's archive, where it lies by itself, and what moves it where.
pub struct Part {
    folder: &'static str,
    place: &'static str,
    moved: &'static str,
    /// The file that names the other place, and its text.
    by: (&'static str, &'static str),
}

/// A store.
pub struct Store {
    pub name: &'static str,
    parts: &'static [Part],
    containers: usize,
}

const DOCKER: Part = Part {
    folder: ".",
    place: "/var/lib/docker",
    moved: "/srv/data/docker",
    by: ("/etc/docker/daemon.json", "{\"data-root\": \"/srv/data/docker\"}"),
};
const CONTAINERD: Part = Part {
    folder: ".",
    place: "/var/lib/containerd",
    moved: "/srv/containerd",
    by: ("/etc/containerd/config.toml", "version = 2\nroot = \"/srv/containerd\"\n"),
};
const STORAGE: Part = Part {
    folder: "storage",
    place: "/var/lib/containers/storage",
    moved: "/srv/graph",
    by: (
        "/etc/containers/storage.conf",
        "[storage]\ndriver = \"overlay\"\ngraphroot = \"/srv/graph\"\n",
    ),
};

pub const DOCKER_STORE: Store =
    Store { name: "docker-overlay2-small", parts: &[DOCKER], containers: 5 };
const DOCKER26: Store = Store {
    name: "docker26-containerd-snapshotter-small",
    parts: &[Part { folder: "docker", ..DOCKER }, Part { folder: "containerd", ..CONTAINERD }],
    containers: 3,
};
const CONTAINERD_STORE: Store =
    Store { name: "containerd-overlayfs-small", parts: &[CONTAINERD], containers: 6 };
const PODMAN4: Store =
    Store { name: "podman-containers-storage-small", parts: &[STORAGE], containers: 4 };
const PODMAN5: Store = Store { name: "podman5-sqlite-small", parts: &[STORAGE], containers: 3 };

/// What is said of a container in fields that all engines have.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    id: String,
    state: String,
    reference: String,
    image: String,
    digest: Option<String>,
    created: String,
    labels: Value,
    mounts: Vec<String>,
}

/// Holds a store against its engine's words in all four places.
fn compare(store: &Store, said: fn(&Path) -> BTreeMap<String, Said>) {
    let Some(shared) = test_material::shared() else { return };
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir_in("/var/tmp").unwrap();
    let unpacked = unpack(&shared, store.name, work.path());
    let answers = shared.join("data/stores/expected");
    let said = said(&answers);
    assert_eq!(said.len(), store.containers);
    for format in ["ext4", "xfs"] {
        for is_moved in [false, true] {
            let mut disk = Disk::new(work.path(), format);
            for part in store.parts {
                let to = if is_moved { part.moved } else { part.place };
                disk.copy(&unpacked.join(part.folder), to);
                if is_moved {
                    disk.write(part.by.0, part.by.1);
                }
            }
            disk.finish();
            let (_, report) = scan(&disk.image, &[]);
            tell(store, &report, &said);
            trees(store, &disk.image, &answers);
        }
    }
}

pub fn unpack(shared: &Path, name: &str, work: &Path) -> PathBuf {
    let archive = shared.join(format!("data/stores/{name}.tar.zst"));
    let into = work.join("store");
    std::fs::create_dir(&into).unwrap();
    let into_text = into.to_str().unwrap();
    let options = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "-p"];
    let arguments = ["--zstd", "-xf", archive.to_str().unwrap(), "-C", into_text];
    run("tar", &[&arguments[..], &options[..]].concat());
    into
}

/// Names, states, images, digests and the rest of the words.
fn tell(store: &Store, report: &Value, said: &BTreeMap<String, Said>) {
    let containers = assets(report, "container");
    let names: Vec<_> = containers.keys().collect();
    assert_eq!(names, said.keys().collect::<Vec<_>>(), "{}", store.name);
    for (name, asset) in containers {
        let context = &asset["container"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mounts = context["mounts"].as_array().into_iter().flatten();
        let ours = Said {
            id: text(&asset["id"]),
            state: text(&context["state"]),
            reference: text(&context["image"]["reference"]),
            image: text(&context["image"]["id"]),
            digest: context["image"]["digest"].as_str().map(str::to_owned),
            created: text(&context["created"]),
            labels: match &context["labels"] {
                Value::Null => serde_json::json!({}),
                labels => labels.clone(),
            },
            mounts: mounts.map(|it| text(&it["destination"])).collect(),
        };
        assert_eq!(ours, said[&name], "{}: {name}", store.name);
    }
    let of_stores = |gap: &&Value| gap["reason"] != "missing";
    let gaps: Vec<_> = report["gaps"].as_array().unwrap().iter().filter(of_stores).collect();
    assert!(gaps.is_empty(), "{gaps:?}");
}

/// The merged trees, of all containers whose export is there.
fn trees(store: &Store, image: &Path, answers: &Path) {
    let mut compared = 0;
    each(image, &mut |container, tree| {
        // Of containerd's own, which have no names, the files are named by ids.
        let is_named = container.context.namespace.is_none();
        let name = if is_named { &container.name } else { &container.id };
        let file = answers.join(format!("{}-{name}.tsv", store.name));
        if !file.exists() {
            return;
        }
        let tree = tree.unwrap_or_else(|| panic!("{name}: {:?}", container.layers));
        assert_eq!(listed(&tree), expected(&file), "{}: {name}", store.name);
        compared += 1;
    });
    let files = std::fs::read_dir(answers).unwrap().map(|it| it.unwrap().path());
    let exports = files.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(store.name) && path.extension().is_some_and(|it| it == "tsv")
    });
    let exports = exports.count();
    assert_eq!(compared, exports, "{}", store.name);
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn labels(value: &Value) -> Value {
    if value.is_null() { serde_json::json!({}) } else { value.clone() }
}

/// `docker inspect`, of containers and of their images.
fn docker(answers: &Path, name: &str, images: &Value) -> BTreeMap<String, Said> {
    let containers = json(&answers.join(format!("{name}-containers.json")));
    let digest = |container: &Value| {
        let reference = text(&container["Config"]["Image"]);
        let id = text(&container["Image"]);
        let image = images.as_array().unwrap().iter().find(|it| it["Id"] == id.as_str());
        let digests =
            image.and_then(|it| it["RepoDigests"].as_array().cloned()).unwrap_or_default();
        let digests: Vec<_> = digests.iter().map(text).collect();
        let named = digests.iter().find(|it| **it == reference).or(digests.first());
        named.and_then(|it| Some(it.split_once('@')?.1.to_owned()))
    };
    let said = containers.as_array().unwrap().iter().map(|it| {
        let mounts = it["Mounts"].as_array().unwrap().iter();
        let said = Said {
            id: text(&it["Id"]),
            state: text(&it["State"]["Status"]),
            reference: text(&it["Config"]["Image"]),
            image: text(&it["Image"]),
            digest: digest(it),
            created: text(&it["Created"]),
            labels: labels(&it["Config"]["Labels"]),
            mounts: mounts.map(|it| text(&it["Destination"])).collect(),
        };
        (text(&it["Name"]).trim_start_matches('/').to_owned(), said)
    });
    said.collect()
}

#[test]
fn docker_with_its_own_store() {
    compare(&DOCKER_STORE, |answers| {
        let name = DOCKER_STORE.name;
        docker(answers, name, &json(&answers.join(format!("{name}-images.json"))))
    });
}

/// `podman inspect` of containers.
fn podman(answers: &Path, name: &str) -> BTreeMap<String, Said> {
    let said = ["running1", "stopped1", "created1"].into_iter().map(|container| {
        let told = &json(&answers.join(format!("{name}-{container}.json")))[0];
        let mounts = told["Mounts"].as_array().unwrap().iter();
        let said = Said {
            id: text(&told["Id"]),
            state: text(&told["State"]["Status"]),
            reference: text(&told["ImageName"]),
            image: format!("sha256:{}", text(&told["Image"])),
            digest: Some(text(&told["ImageDigest"])),
            created: text(&told["Created"]),
            labels: labels(&told["Config"]["Labels"]),
            mounts: mounts.map(|it| text(&it["Destination"])).collect(),
        };
        (text(&told["Name"]), said)
    });
    said.collect()
}

#[test]
fn podman_4_with_bolt() {
    compare(&PODMAN4, |answers| {
        let mut said = podman(answers, PODMAN4.name);
        // Buildah's, of which Podman tells the id and the image only; the time is that of the storage's record.
        let listed =
            std::fs::read_to_string(answers.join(format!("{}.txt", PODMAN4.name))).unwrap();
        let words = |of: &str| {
            let line = listed.lines().find(|line| line.contains(of)).unwrap();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let (container, image) = (words("buildah-working"), words("sha256:335ad84a"));
        let building = Said {
            id: container[0].clone(),
            state: "created".to_owned(),
            reference: container[1].clone(),
            image: image[3].clone(),
            digest: Some(image[2].clone()),
            created: "2026-11-23T17:36:31.550777124Z".to_owned(),
            labels: serde_json::json!({}),
            mounts: Vec::new(),
        };
        said.insert("buildah-working".to_owned(), building);
        said
    });
}

#[test]
fn podman_5_with_sqlite() {
    compare(&PODMAN5, |answers| podman(answers, PODMAN5.name));
}

#[test]
fn docker_26_with_the_store_of_containerd() {
    compare(&DOCKER26, |answers| {
        let mut said = docker(answers, DOCKER26.name, &serde_json::json!([]));
        // There the id of an image is the digest of its manifest.
        for said in said.values_mut() {
            said.digest = Some(said.image.clone());
        }
        said
    });
}

/// `ctr containers info`, of two namespaces, and the listing of their images, tasks and snapshots.
#[test]
fn containerd_of_two_namespaces() {
    compare(&CONTAINERD_STORE, |answers| {
        let listing =
            std::fs::read_to_string(answers.join(format!("{}.txt", CONTAINERD_STORE.name)))
                .unwrap();
        let mut said = BTreeMap::new();
        for namespace in ["default", "k8s.io"] {
            for name in ["running1", "stopped1", "created1"] {
                let name = format!("{namespace}-{name}");
                let info = json(&answers.join(format!("{}-{name}.json", CONTAINERD_STORE.name)));
                let reference = text(&info["Image"]);
                let image =
                    listing.lines().find(|line| line.split_whitespace().next() == Some(&reference));
                let digest = image.unwrap().split_whitespace().nth(2).unwrap();
                let state = match name.rsplit_once('-').unwrap().1 {
                    "running1" => "running",
                    // Its layer was written.
                    "stopped1" => "exited",
                    // `ctr` mounts a layer when it makes the container, so that nothing tells.
                    _ => "unknown",
                };
                let said_of = Said {
                    id: text(&info["ID"]),
                    state: state.to_owned(),
                    reference,
                    image: IMAGE.to_owned(),
                    digest: Some(digest.to_owned()),
                    created: text(&info["CreatedAt"]),
                    labels: labels(&info["Labels"]),
                    mounts: Vec::new(),
                };
                // A label of Kubernetes names it.
                let label = info["Labels"]["io.kubernetes.container.name"].as_str();
                said.insert(format!("{namespace}/{}", label.unwrap_or(&name)), said_of);
            }
        }
        said
    });
}

/// The id of the image: in the namespace of Kubernetes it is listed under it.
const IMAGE: &str = "sha256:6b78104fc439fd460abcff923163d4e3b02169aeebb4cf9bd82e6e1e328f62f7";

/// No configuration tells of these: the walk meets them.
#[test]
fn stores_at_places_that_nothing_tells_of() {
    let Some(shared) = test_material::shared() else { return };
    if !test_material::root() {
        return;
    }
    for store in [&DOCKER_STORE, &CONTAINERD_STORE, &PODMAN4, &PODMAN5] {
        let work = tempfile::tempdir_in("/var/tmp").unwrap();
        let unpacked = unpack(&shared, store.name, work.path());
        let mut disk = Disk::new(work.path(), "ext4");
        disk.copy(&unpacked.join(store.parts[0].folder), "/mnt/elsewhere");
        // Nothing in a store is the host's, wherever it lies in it.
        disk.write(
            "/mnt/elsewhere/io.containerd.snapshotter.v1.other/node_modules/a/package.json",
            PACKAGE,
        );
        disk.write("/mnt/elsewhere/abc/node_modules/a/package.json", PACKAGE);
        disk.write("/mnt/node_modules/b/package.json", PACKAGE);
        disk.finish();
        let (_, report) = scan(&disk.image, &[]);
        assert_eq!(assets(&report, "container").len(), store.containers, "{}", store.name);
        let host = report["assets"][0]["packages"].as_array().unwrap();
        let npm: Vec<_> = host.iter().filter(|it| it["ecosystem"] == "npm").collect();
        assert_eq!(npm.len(), 1, "{}: {npm:?}", store.name);
        assert_eq!(npm[0]["evidence"][0], "/mnt/node_modules/b/package.json");
    }
}

const PACKAGE: &str = "{\"name\": \"some\", \"version\": \"1.0.0\"}";
