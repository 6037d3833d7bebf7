//! Snapshotters, states and mounts.

use super::made::{Made, any, bucket, put, texts, value};
use super::{container, find, folders, gap, with};
use crate::containers::store::Store;
use crate::host::Tree;
use crate::model::{Confidence, ContainerMount, ContainerState};
use std::fs;

const OVERLAY: &str = "/io.containerd.snapshotter.v1.overlayfs/snapshots";

/// One container on two layers.
fn small(snapshotter: &str) -> Made {
    let mut made = Made::new();
    made.snapshot(snapshotter, "low", 1, 3, "");
    made.snapshot(snapshotter, "high", 2, 3, "low");
    made.snapshot(snapshotter, "one", 3, 2, "high");
    made.container("one", snapshotter, &[]);
    made
}

#[test]
fn a_container_stands_on_its_layers() {
    let made = small("overlayfs");
    let found = find(made.write());
    let one = container(&found, "one");
    assert_eq!(folders(one), [3, 2, 1].map(|id| format!("{OVERLAY}/{id}/fs")));
    assert_eq!(one.layers.as_ref().unwrap().own, 1);
    assert_eq!(one.context.created.as_deref(), Some("2026-11-23T17:35:01.843661197Z"));
    assert_eq!(one.context.image.reference.as_deref(), Some("docker.io/a:1"));
    assert_eq!((one.name.as_str(), one.context.namespace.as_deref()), ("one", Some("n")));
    assert_eq!(found.gaps, []);
    assert_eq!(found.folders, [b"".to_vec()]);
}

#[test]
fn a_folder_of_dockers_init_is_the_containers_own() {
    let mut made = small("overlayfs");
    made.snapshot("overlayfs", "two-init", 4, 3, "high");
    made.snapshot("overlayfs", "two", 5, 2, "two-init");
    let layers = with(made.write(), |it| it.snapshot("n", "overlayfs", "two")).unwrap().unwrap();
    assert_eq!((layers.folders.len(), layers.own), (4, 2));
    assert_eq!(with(made.path(), |it| it.snapshot("n", "overlayfs", "none")), Ok(None));
    assert_eq!(with(made.path(), |it| it.snapshot("m", "overlayfs", "two")), Ok(None));
}

#[test]
fn a_view_has_nothing_of_its_own() {
    let mut made = small("overlayfs");
    made.snapshot("overlayfs", "seen", 4, 1, "high");
    made.container("seen", "overlayfs", &[]);
    made.snapshot("native", "low", 1, 3, "");
    made.snapshot("native", "seen2", 9, 1, "low");
    made.container("seen2", "native", &[]);
    let found = find(made.write());
    let seen = container(&found, "seen");
    assert_eq!(folders(seen), [2, 1].map(|id| format!("{OVERLAY}/{id}/fs")));
    assert_eq!(seen.layers.as_ref().unwrap().own, 0);
    let native = "/io.containerd.snapshotter.v1.native/snapshots/1";
    assert_eq!(folders(container(&found, "seen2")), [native]);
}

#[test]
fn copies_are_one_folder() {
    let found = find(small("native").write());
    let one = container(&found, "one");
    assert_eq!(folders(one), ["/io.containerd.snapshotter.v1.native/snapshots/3"]);
    assert_eq!(one.layers.as_ref().unwrap().own, 0);
    let made = small("btrfs");
    let folder = made.path().join("io.containerd.snapshotter.v1.btrfs/active/3");
    fs::create_dir_all(folder).unwrap();
    let found = find(made.write());
    let expected = ["/io.containerd.snapshotter.v1.btrfs/active/3"];
    assert_eq!(folders(container(&found, "one")), expected);
}

#[test]
fn a_snapshotter_may_be_elsewhere() {
    let made = small("overlayfs");
    made.write();
    let own = made.path().join("io.containerd.snapshotter.v1.overlayfs");
    fs::rename(own, made.path().join("moved")).unwrap();
    let tree = Tree::of_directory(made.path()).unwrap();
    let store = Store::open(&tree, b"/").unwrap().unwrap();
    let moved = Store::open(&tree, b"/moved").unwrap().unwrap();
    let opened = super::Containerd::open(store).unwrap().unwrap();
    assert!(opened.snapshot("n", "overlayfs", "one").is_err());
    let opened = opened.with_snapshotter("overlayfs", moved);
    let mut found = crate::containers::Found::default();
    opened.add_to(&|_, _| false, &mut found);
    let expected = [3, 2, 1].map(|id| format!("/moved/snapshots/{id}/fs"));
    assert_eq!(folders(container(&found, "one")), expected);
}

/// One container of each kind of trouble; the sound one beside them is whole.
#[test]
fn trouble_of_one_container_is_its_own() {
    let mut made = small("overlayfs");
    for (id, snapshotter) in [
        ("thin", "devmapper"),
        ("lazy", "stargz"),
        ("path", "../../etc"),
        ("gone", "overlayfs"),
        ("empty", "native"),
    ] {
        made.container(id, snapshotter, &[]);
        made.put(&["n", "snapshots", snapshotter, id, "name"], value(format!("n/1/{id}")));
    }
    made.container("none", "overlayfs", &[("snapshotKey", value("")), ("spec", any("{}"))]);
    let outside = any(r#"{"root": {"path": "/srv/root"}}"#);
    made.container("root", "overlayfs", &[("snapshotKey", value("")), ("spec", outside)]);
    made.container("lost", "overlayfs", &[]);
    made.snapshot("overlayfs", "loop1", 11, 3, "loop2");
    made.snapshot("overlayfs", "loop2", 12, 3, "loop1");
    made.snapshot("overlayfs", "round", 13, 2, "loop1");
    made.container("round", "overlayfs", &[]);
    made.snapshot("overlayfs", "orphan", 14, 2, "unknown");
    made.container("orphan", "overlayfs", &[]);
    made.snapshot("overlayfs", "folder", 15, 2, "low");
    made.container("folder", "overlayfs", &[]);
    made.snapshot("overlayfs", "link", 16, 2, "low");
    made.container("link", "overlayfs", &[]);
    made.snapshot("overlayfs", "remote", 17, 2, "low");
    made.container("remote", "overlayfs", &[]);
    made.snapshot("overlayfs", "kind", 18, 7, "low");
    made.container("kind", "overlayfs", &[]);
    let snapshots = made.snapshots.get_mut("overlayfs").unwrap();
    let remote = texts(&[("containerd.io/snapshot/remote", "remote snapshot")]);
    put(snapshots, &["n/1/remote", "labels"], remote);
    let path = made.write();
    fs::remove_dir_all(path.join(&OVERLAY[1..]).join("15")).unwrap();
    fs::remove_dir_all(path.join(&OVERLAY[1..]).join("16")).unwrap();
    fs::create_dir_all(path.join("other/fs")).unwrap();
    std::os::unix::fs::symlink("/other", path.join(&OVERLAY[1..]).join("16")).unwrap();
    let found = find(path);
    for (id, expected) in [
        ("thin", "io.containerd.snapshotter.v1.devmapper | unsupported | layers of the"),
        ("lazy", "snapshotter.v1.stargz | unsupported | layers of the snapshotter stargz are"),
        ("path", ":  | unsupported | layers of the snapshotter ../../etc are not read"),
        ("gone", "overlayfs/metadata.db | missing | the snapshotter has no layer n/1/gone"),
        ("empty", "snapshotter.v1.native | missing | a snapshotter without a database"),
        ("none", "meta.db, namespace n | missing | its record names no snapshot"),
        ("root", "(root): /srv/root | unsupported | its root is a folder that is no snapshot"),
        ("lost", "meta.db, namespace n | missing | there is no snapshot lost"),
        ("round", "overlayfs/metadata.db | corrupt | the layer n/1/loop1 is above itself"),
        ("orphan", "overlayfs/metadata.db | missing | the snapshotter has no layer n/1/unknown"),
        ("folder", "overlayfs/snapshots/15/fs | missing | a layer of a container is not there"),
        ("link", "overlayfs/snapshots/16/fs | corrupt | a link in a store, which is not"),
        ("remote", "overlayfs/metadata.db | unsupported | a layer that is fetched when it is"),
        ("kind", "overlayfs/metadata.db | corrupt | the layer n/1/kind has no id or no kind"),
    ] {
        let told = gap(container(&found, id));
        assert!(told.starts_with(&format!("containerd container {id} ({id}): ")), "{told}");
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(folders(container(&found, "one")).len(), 3);
    assert_eq!(found.gaps, []);
}

#[test]
fn signs_tell_of_a_state() {
    let mut made = small("overlayfs");
    for (id, number) in [("fresh", 4), ("wrote", 5), ("ran", 6), ("runs", 7)] {
        made.snapshot("overlayfs", id, number, 2, "high");
        made.container(id, "overlayfs", &[]);
    }
    let path = made.write();
    let overlay = path.join(&OVERLAY[1..]);
    for number in 5..8 {
        fs::create_dir_all(overlay.join(format!("{number}/work/work"))).unwrap();
    }
    fs::write(overlay.join("5/fs/log"), "x").unwrap();
    fs::create_dir_all(path.join("io.containerd.runtime.v2.task/n/runs")).unwrap();
    let found = find(path);
    for (id, state, confidence) in [
        ("fresh", ContainerState::Created, Confidence::Medium),
        ("wrote", ContainerState::Exited, Confidence::Medium),
        ("ran", ContainerState::Unknown, Confidence::Low),
        ("runs", ContainerState::Running, Confidence::Medium),
    ] {
        let context = &container(&found, id).context;
        assert_eq!((context.state, context.state_confidence), (state, confidence), "{id}");
        assert!(!context.state_evidence.is_empty());
    }
}

#[test]
fn mounts_are_told_and_those_of_all_containers_are_not() {
    let mut made = small("overlayfs");
    let spec = r#"{"mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/data", "type": "bind", "source": "/srv/x", "options": ["rbind", "ro"]},
        {"destination": "/vol", "type": "none", "source": "/var/lib/v/_data", "options": ["bind"]}
    ]}"#;
    let volumes = r#"[{"Type": "volume", "Name": "v1", "Destination": "/vol"}]"#;
    let labels = texts(&[("nerdctl/mounts", volumes), ("nerdctl/name", "shop")]);
    made.container("one", "overlayfs", &[("spec", any(spec)), ("labels", labels)]);
    let found = find(made.write());
    let one = container(&found, "one");
    assert_eq!(one.name, "shop");
    let mount = |destination: &str, kind: &str, source: &str, read_only| ContainerMount {
        destination: destination.to_owned(),
        kind: kind.to_owned(),
        source: source.to_owned(),
        read_only,
    };
    assert_eq!(
        one.context.mounts,
        [
            mount("/tmp", "tmpfs", "", false),
            mount("/data", "bind", "/srv/x", true),
            mount("/vol", "volume", "v1", false),
        ]
    );
}

#[test]
fn a_specification_that_is_none_costs_no_layer() {
    let mut made = small("overlayfs");
    made.container("one", "overlayfs", &[("spec", value(b"\x12\xff"))]);
    made.snapshot("overlayfs", "two", 4, 2, "high");
    made.container("two", "overlayfs", &[("spec", any("{\"mounts\": 1}"))]);
    let found = find(made.write());
    assert_eq!(folders(container(&found, "one")).len(), 3);
    assert_eq!(folders(container(&found, "two")).len(), 3);
    let told: Vec<_> = found.gaps.iter().map(|gap| gap.detail.as_str()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "its specification is no message");
    assert!(told[1].starts_with("its specification is not what it should be: "), "{told:?}");
}

#[test]
fn a_database_without_records_is_no_store() {
    let made = Made::new();
    let tree = Tree::of_directory(made.path()).unwrap();
    let store = || Store::open(&tree, b"/").unwrap().unwrap();
    assert!(super::Containerd::open(store()).unwrap().is_none());
    made.file(super::super::DATABASE, &super::made::database(&bucket([])));
    let gap = super::Containerd::open(store()).err().unwrap();
    assert_eq!(gap.reason.as_str(), "unsupported");
    made.file(super::super::DATABASE, b"not a database");
    assert!(super::Containerd::open(store()).is_err());
}
