//! Images and their documents.

use super::made::{Made, Node, any, bucket, texts, value};
use super::{container, find, with};
use crate::containers::oci::chain_ids;
use crate::model::DocumentState::{self, Absent, Invalid, Valid};
use std::fs;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn image(digest: &str, media: &str) -> Node {
    let target = bucket([("digest", value(digest)), ("mediatype", value(media))]);
    bucket([("target", target)])
}

/// A manifest and a configuration of two layers, which differ by architecture: digests of both, and the
/// uppermost layer with those below it.
fn documents(made: &Made, architecture: &str) -> (String, String, String) {
    let layers = [format!("sha256:aa{}", architecture.len()), "sha256:bb".to_owned()];
    let config = format!(
        r#"{{"architecture":"{architecture}","rootfs":{{"type":"layers","diff_ids":["{}","{}"]}}}}"#,
        layers[0], layers[1]
    );
    let config = made.blob(config.as_bytes());
    let manifest = format!(r#"{{"config":{{"digest":"{config}"}},"layers":[]}}"#);
    (made.blob(manifest.as_bytes()), config, chain_ids(&layers).pop().unwrap())
}

fn index(made: &Made, manifests: &[&str]) -> String {
    let manifests: Vec<_> = manifests
        .iter()
        .map(|it| format!(r#"{{"digest":"{it}","mediaType":"{MANIFEST}"}}"#))
        .collect();
    made.blob(format!(r#"{{"manifests":[{}]}}"#, manifests.join(",")).as_bytes())
}

fn states(image: &crate::model::ContainerImage) -> (DocumentState, DocumentState) {
    let oci = image.oci.as_ref().unwrap();
    (oci.config, oci.manifest)
}

#[test]
fn names_of_one_target_are_one_image() {
    let mut made = Made::new();
    let (manifest, config, chain) = documents(&made, "amd64");
    let by_digest = format!("docker.io/a@{manifest}");
    for name in ["docker.io/a:1", "docker.io/a:2", &by_digest, &config] {
        made.put(&["n", "images", name], image(&manifest, MANIFEST));
    }
    made.snapshot("overlayfs", "low", 1, 3, "");
    made.snapshot("overlayfs", &chain, 2, 3, "low");
    made.snapshot("overlayfs", "one", 3, 2, &chain);
    made.container("one", "overlayfs", &[]);
    let found = find(made.write());
    let [it] = &*found.images else { panic!("{:#?}", found.images) };
    assert_eq!(it.image.names, ["docker.io/a:1", "docker.io/a:2", &by_digest]);
    assert_eq!(it.image.reference.as_deref(), Some("docker.io/a:1"));
    assert_eq!(it.image.id.as_ref(), Some(&config));
    assert_eq!(it.image.digest.as_ref(), Some(&manifest));
    assert_eq!(states(&it.image), (Valid, Valid));
    let layers = it.layers.as_ref().unwrap();
    assert_eq!((layers.folders.len(), layers.own), (2, 0));
    let of = &container(&found, "one").context.image;
    assert_eq!((of.id.as_ref(), of.digest.as_ref()), (Some(&config), Some(&manifest)));
    assert_eq!(of.names, it.image.names);
    let by_name = with(made.path(), |it| it.image("n", "docker.io/a:2")).unwrap().unwrap();
    let by_digest = with(made.path(), |it| it.image("n", &manifest)).unwrap().unwrap();
    assert_eq!((&by_name.id, &by_digest), (&Some(config), &by_name));
    assert_eq!(with(made.path(), |it| it.image("n", "docker.io/b:1")), Ok(None));
    assert_eq!(with(made.path(), |it| it.image("n", "sha256:00")), Ok(None));
}

/// Of an index for several machines the one counts whose layers are there, and of a container the one that
/// it stands on.
#[test]
fn an_index_leads_to_what_was_unpacked() {
    let mut made = Made::new();
    let (arm, arm_config, arm_chain) = documents(&made, "arm64v8");
    let (amd, amd_config, amd_chain) = documents(&made, "amd64");
    let target = index(&made, &["sha256:0123", &arm, &amd]);
    made.put(&["n", "images", "docker.io/a:1"], image(&target, INDEX));
    made.snapshot("overlayfs", "low", 1, 3, "");
    made.snapshot("overlayfs", &amd_chain, 2, 3, "low");
    let found = find(made.write());
    let it = &found.images[0].image;
    assert_eq!((it.id.as_ref(), it.digest.as_ref()), (Some(&amd_config), Some(&target)));
    assert!(found.images[0].layers.is_ok());
    made.snapshot("native", "low", 1, 3, "");
    made.snapshot("native", &arm_chain, 2, 3, "low");
    made.snapshot("native", "one", 3, 2, &arm_chain);
    made.snapshot("overlayfs", "two", 4, 2, &amd_chain);
    made.container("one", "native", &[]);
    made.container("two", "overlayfs", &[]);
    let found = find(made.write());
    let id = |id| container(&found, id).context.image.id.clone();
    assert_eq!((id("one"), id("two")), (Some(arm_config), Some(amd_config)));
}

#[test]
fn what_is_wrong_with_documents_is_told() {
    let mut made = Made::new();
    let (manifest, config, chain) = documents(&made, "amd64");
    made.put(&["n", "images", "docker.io/a:1"], image(&manifest, ""));
    made.snapshot("overlayfs", &chain, 2, 3, "");
    made.snapshot("overlayfs", "one", 3, 2, &chain);
    made.container("one", "overlayfs", &[]);
    made.put(&["n", "images", "bad"], image("../../etc/passwd", ""));
    let labels = texts(&[("containerd.io/gc.ref.snapshot.overlayfs", &chain)]);
    made.put(&["n", "content", "blob", &config, "labels"], labels);
    let labels = texts(&[("containerd.io/gc.ref.content.config", &config)]);
    made.put(&["n", "content", "blob", &manifest, "labels"], labels);
    let path = made.write();
    let blob = |digest: &str| {
        path.join("io.containerd.content.v1.content/blobs/sha256").join(&digest[7..])
    };
    let check = |expected, layers: bool| {
        let found = find(path);
        let [it] = &*found.images else { panic!("{:#?}", found.images) };
        assert_eq!(states(&it.image), expected);
        assert_eq!(it.layers.is_ok(), layers, "{:?}", it.layers);
        assert_eq!(it.image.id.as_ref(), Some(&config));
        assert!(container(&found, "one").layers.is_ok());
        let [gap] = &*found.gaps else { panic!("{:?}", found.gaps) };
        assert_eq!(gap.place, "containerd image bad");
    };
    check((Valid, Valid), true);
    // A configuration that was changed does not have its digest any more; its record still tells.
    fs::write(blob(&config), "{}").unwrap();
    check((Invalid, Valid), true);
    fs::remove_file(blob(&config)).unwrap();
    check((Absent, Valid), true);
    fs::remove_file(blob(&manifest)).unwrap();
    check((Absent, Absent), true);
    fs::write(blob(&manifest), "no json").unwrap();
    check((Absent, Invalid), true);
}

#[test]
fn an_image_without_anything_is_still_listed() {
    let mut made = Made::new();
    made.put(&["n", "images", "docker.io/a:1"], image("sha256:aa", MANIFEST));
    let (manifest, ..) = documents(&made, "amd64");
    made.put(&["n", "images", "docker.io/b:1"], image(&manifest, MANIFEST));
    let found = find(made.write());
    let told: Vec<_> = found.images.iter().map(|it| it.layers.as_ref().unwrap_err()).collect();
    let [a, b] = if found.images[0].image.digest.as_deref() == Some("sha256:aa") {
        [told[0], told[1]]
    } else {
        [told[1], told[0]]
    };
    assert_eq!(a.place, "containerd image docker.io/a:1: ");
    assert_eq!(a.detail, "its manifest and configuration are not in the store");
    assert_eq!(b.detail, "its layers were not unpacked");
}

/// A name that was given to a newer image says nothing of a container that was made before; the record of
/// Kubernetes' plugin does.
#[test]
fn a_name_may_lead_elsewhere_by_now() {
    let mut made = Made::new();
    let (old, old_config, old_chain) = documents(&made, "arm64v8");
    let (new, ..) = documents(&made, "amd64");
    made.put(&["n", "images", "docker.io/a:1"], image(&new, MANIFEST));
    made.snapshot("overlayfs", &old_chain, 1, 3, "");
    made.snapshot("overlayfs", "one", 3, 2, &old_chain);
    made.container("one", "overlayfs", &[]);
    let found = find(made.write());
    let of = &container(&found, "one").context.image;
    assert_eq!(of.reference.as_deref(), Some("docker.io/a:1"));
    assert_eq!((&of.id, &of.digest, &of.oci, of.names.len()), (&None, &None, &None, 0));
    let metadata = format!(r#"{{"Metadata":{{"ImageRef":"{old_config}"}}}}"#);
    let extensions = bucket([("io.cri-containerd.container.metadata", any(&metadata))]);
    made.container("one", "overlayfs", &[("extensions", extensions)]);
    let found = find(made.write());
    let of = &container(&found, "one").context.image;
    assert_eq!((of.id.as_ref(), &of.digest), (Some(&old_config), &None));
    made.put(&["n", "images", &old_config], image(&old, MANIFEST));
    let found = find(made.write());
    let of = &container(&found, "one").context.image;
    assert_eq!((of.id.as_ref(), of.digest.as_ref()), (Some(&old_config), Some(&old)));
}

/// Layers whose files were given to other users are the image's too.
#[test]
fn layers_of_other_owners_are_the_images() {
    let mut made = Made::new();
    let (manifest, config, chain) = documents(&made, "amd64");
    made.put(&["n", "images", "docker.io/a:1"], image(&manifest, MANIFEST));
    made.snapshot("overlayfs", &chain, 1, 3, "");
    let owned = format!("{chain}-1000-1000");
    made.snapshot("overlayfs", &owned, 2, 3, &chain);
    made.snapshot("overlayfs", "one", 3, 2, &owned);
    made.container("one", "overlayfs", &[]);
    let found = find(made.write());
    let one = container(&found, "one");
    assert_eq!(one.context.image.id.as_ref(), Some(&config));
    assert_eq!(one.layers.as_ref().unwrap().own, 1);
}
