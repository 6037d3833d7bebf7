//! Images in files: what `docker save` wrote of an image of which the engine's own export is known, and layouts of
//! OCI made of the same layers, packed by gzip and zstd.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it made it")]

use crate::support::{expected, listed, run};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sidelight::containers::Image;
use sidelight::filesystem::Marks;
use sidelight::host::Tree;
use sidelight::model::GapReason;
use sidelight::pipeline::{self, Archive, Counter, OpenedArchive, Progress, Request, Stage};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the engine puts into a container beside its image, and the container's own file.
const OF_THE_ENGINE: &[&str] = &[
    "/.dockerenv",
    "/dev",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/proc",
    "/sys",
];

struct Silent;

impl Progress for Silent {
    fn stage(&self, _: Stage) {}
    fn count(&self, _: Counter) {}
}

fn open(kind: Archive, path: &Path) -> OpenedArchive {
    pipeline::open_archive((kind, path), &Request::new(&[], 2 << 20), &Silent).unwrap()
}

fn tree(opened: &OpenedArchive, image: &Image) -> Tree {
    let layers = image.layers.as_ref().unwrap();
    let folders: Vec<_> = layers.folders.iter().map(|layer| layer.at).collect();
    opened.layers.merged(&folders, Marks::Files).unwrap()
}

fn scan(target: &str) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_sidelight"))
        .args(["scan", "--format", "json", "--no-match", target])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    (output.status.code().unwrap(), report)
}

fn shared() -> Option<PathBuf> {
    Some(test_material::shared()?.join("data/stores"))
}

/// The image's tree by the export of a container of it, without what the engine adds.
fn witness(stores: &Path) -> BTreeMap<String, String> {
    let mut lines = expected(&stores.join("expected/docker-overlay2-small-bydigest.tsv"));
    let is_engines = |path: &str| {
        OF_THE_ENGINE.iter().any(|it| {
            path == *it || path.strip_prefix(it).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    lines.retain(|path, _| !is_engines(path));
    lines
}

fn compare(opened: &OpenedArchive, witness: &BTreeMap<String, String>) {
    assert_eq!(opened.gaps, []);
    assert_eq!(opened.images.len(), 1);
    let found = listed(&tree(opened, &opened.images[0]));
    assert_eq!(&found, witness);
}

#[test]
fn what_docker_saved_is_the_tree_of_its_containers() {
    let Some(stores) = shared() else { return };
    let (file, witness) = (stores.join("docker-save-app2.tar"), witness(&stores));
    compare(&open(Archive::Docker, &file), &witness);
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("app.tar.gz");
    let script = format!("gzip -c {} > {}", file.display(), packed.display());
    run("sh", &["-c", &script]);
    compare(&open(Archive::Docker, &packed), &witness);
    let (code, report) = scan(&format!("docker-archive:{}", file.display()));
    // It is made by hand and has none of the databases; nothing else is amiss.
    let [gap] = report["gaps"].as_array().unwrap().as_slice() else { panic!("one gap") };
    assert_eq!((code, &gap["place"]), (3, &json!("archive image fixture/app:2: /")));
    let [asset] = report["assets"].as_array().unwrap().as_slice() else { panic!("one image") };
    assert_eq!((&asset["kind"], &asset["name"]), (&json!("image"), &json!("fixture/app:2")));
    let id = "sha256:6b78104fc439fd460abcff923163d4e3b02169aeebb4cf9bd82e6e1e328f62f7";
    assert_eq!(asset["id"], id);
    assert_eq!(asset["container"]["engine"], "archive");
    assert_eq!(asset["container"]["image"]["oci"]["config"], "valid");
}

/// A layout in the making.
struct Layout {
    folder: PathBuf,
}

impl Layout {
    fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        std::fs::write(folder.join("oci-layout"), "{\"imageLayoutVersion\": \"1.0.0\"}").unwrap();
        Self { folder: folder.to_owned() }
    }

    fn blob(&self, bytes: &[u8], kind: &str) -> Value {
        let digest = digest(bytes);
        std::fs::write(self.path(&digest), bytes).unwrap();
        json!({"mediaType": kind, "digest": digest, "size": bytes.len()})
    }

    fn document(&self, document: &Value, kind: &str) -> Value {
        self.blob(document.to_string().as_bytes(), kind)
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))
    }

    fn finish(&self, manifests: &[Value]) {
        let index = json!({"schemaVersion": 2, "manifests": manifests});
        std::fs::write(self.folder.join("index.json"), index.to_string()).unwrap();
    }

    /// The saved image with its layers packed, one of them not.
    fn saved(&self, saved: &Path) -> Value {
        let read = |name: &str| {
            let output = Command::new("tar").arg("xOf").arg(saved).arg(name).output().unwrap();
            output.stdout
        };
        let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
        let config = self.blob(
            &read(manifest[0]["Config"].as_str().unwrap()),
            "application/vnd.oci.image.config.v1+json",
        );
        let mut layers = Vec::new();
        for (index, name) in manifest[0]["Layers"].as_array().unwrap().iter().enumerate() {
            let plain = read(name.as_str().unwrap());
            let kind = "application/vnd.oci.image.layer.v1.tar";
            layers.push(match index {
                0 => self.blob(&packed("zstd", &plain), &format!("{kind}+zstd")),
                1 | 2 => self.blob(&packed("gzip", &plain), &format!("{kind}+gzip")),
                _ => self.blob(&plain, kind),
            });
        }
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        let mut named = self.document(&manifest, "application/vnd.oci.image.manifest.v1+json");
        named["annotations"] = json!({"org.opencontainers.image.ref.name": "fixture/app:2"});
        named
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn packed(program: &str, bytes: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("layer");
    std::fs::write(&file, bytes).unwrap();
    Command::new(program).arg("-c").arg(&file).output().unwrap().stdout
}

#[test]
fn layouts_of_oci_are_read_with_layers_packed_and_plain() {
    let Some(stores) = shared() else { return };
    let (saved, witness) = (stores.join("docker-save-app2.tar"), witness(&stores));
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(&folder.path().join("layout"));
    let manifest = layout.saved(&saved);
    layout.finish(&[manifest]);
    compare(&open(Archive::OciFolder, &layout.folder), &witness);
    let file = folder.path().join("layout.tar");
    let (from, to) = (layout.folder.to_str().unwrap(), file.to_str().unwrap());
    run("tar", &["-cf", to, "-C", from, "."]);
    let opened = open(Archive::Oci, &file);
    compare(&opened, &witness);
    assert_eq!(opened.images[0].image.names, ["fixture/app:2"]);
}

#[test]
fn what_is_missing_or_wrong_is_of_its_image_alone() {
    let Some(stores) = shared() else { return };
    let saved = stores.join("docker-save-app2.tar");
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    let good = layout.saved(&saved);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let config = layout.document(&json!({"rootfs": {"diff_ids": ["sha256:00"]}}), "");
    let gone = json!({"digest": digest(b"gone"), "mediaType": "", "size": 1});
    let without = layout.document(&json!({"config": config, "layers": [gone]}), kind);
    let cut = {
        let whole = packed("gzip", &vec![7; 1 << 20]);
        layout.blob(&whole[..whole.len() / 2], "")
    };
    let torn = layout.document(&json!({"config": config, "layers": [cut]}), kind);
    let wrong = layout.blob(b"not what it is named by", kind);
    let path = layout.path(wrong["digest"].as_str().unwrap());
    std::fs::write(path, "{\"config\": {\"digest\": \"sha256:00\"}, \"layers\": []}").unwrap();
    let leads = json!({"digest": "sha256:../../../etc/passwd", "mediaType": kind, "size": 1});
    let inner = json!({"manifests": [good, {"digest": digest(b"arm"), "mediaType": kind,
        "platform": {"os": "linux", "architecture": "arm64"}}]});
    let index = layout.document(&inner, "application/vnd.oci.image.index.v1+json");
    layout.finish(&[without, torn, wrong, leads, index]);
    let opened = open(Archive::OciFolder, folder.path());
    let is_whole = |it: &&Image| it.image.names == ["fixture/app:2"];
    let whole = opened.images.iter().find(is_whole).unwrap();
    assert_eq!(listed(&tree(&opened, whole)), witness(&stores));
    assert!(opened.absent[0].contains("linux/arm64"), "{:?}", opened.absent);
    let lost = opened.images.iter().filter_map(|it| it.layers.as_ref().err());
    let mut reasons: Vec<_> = lost.map(|gap| gap.reason).collect();
    reasons.sort();
    assert!(reasons.contains(&GapReason::Missing), "{reasons:?}");
    let told = |text: &str| opened.gaps.iter().any(|gap| gap.detail.contains(text));
    assert!(told("does not have the digest"), "{:?}", opened.gaps);
    assert!(told("a digest that is none"), "{:?}", opened.gaps);
}

#[test]
fn an_archive_is_scanned_alone_and_what_is_none_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("no.tar");
    std::fs::write(&file, "no archive at all").unwrap();
    for (targets, told) in [
        (vec![format!("docker-archive:{}", file.display())], "no tar"),
        (vec!["docker-archive:a".to_owned(), file.display().to_string()], "scan it alone"),
        (vec![format!("oci-dir:{}", folder.path().display())], "index.json"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_sidelight"))
            .args(["scan", "--no-match"])
            .args(&targets)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(told), "{targets:?}: {error}");
    }
}
