//! The stores of Podman 4 (BoltDB) and 5 (SQLite), against `podman inspect`, `podman ps --external` and
//! `podman images` of the same.

use super::super::Found;
use super::{container, found, layers};
use crate::containers::Container;
use crate::model::{Confidence, ContainerState, DocumentState, Engine};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Where the stores lay when they were in use.
const AT: &str = "/var/lib/containers/storage";

/// Unpacks a store as root, with all that a layer may have.
pub fn unpack(name: &str) -> Option<(TempDir, PathBuf)> {
    let stores = test_material::shared()?.join("data/stores");
    if !test_material::root() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--zstd", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-pxf"]);
    tar.arg(stores.join(format!("{name}.tar.zst"))).arg("-C").arg(folder.path());
    assert!(tar.status().unwrap().success());
    Some((folder, stores.join("expected")))
}

#[test]
fn podman_4_is_as_podman_says() {
    let Some((folder, expected)) = unpack("podman-containers-storage-small") else { return };
    let all = found(folder.path());
    check(&all, "podman-containers-storage-small", &expected);
    let building = container(&all, "buildah-working");
    assert_eq!(building.id, "55576dbe1387f535449844fd17f5cd05b4a602db14d34d1a112f53ee883b329a");
    assert_eq!(building.context.engine, Engine::Buildah);
    assert_eq!(building.context.image.reference.as_deref(), Some("localhost/fixture/base:1"));
    let (folders, own) = layers(building);
    let upper = "126937e3e54ea7904f81b857703f7db4dc9c64c4a4dd2c62fd8cbd497ecf6e08";
    let lower = "e7dc18dfeeaf5db79033d2413659f27d5e05719a84bad8ffd18f82c2dd8a60ba";
    let path = |id: &str| format!("/storage/overlay/{id}/diff");
    assert_eq!((folders, own), (vec![path(upper), path(lower)], 1));
    assert_eq!(all.containers.len(), 4);
}

#[test]
fn podman_5_is_as_podman_says() {
    let Some((folder, expected)) = unpack("podman5-sqlite-small") else { return };
    let all = found(folder.path());
    check(&all, "podman5-sqlite-small", &expected);
    assert_eq!(all.containers.len(), 3);
}

/// Holds three containers and the images of a store against Podman's words.
fn check(found: &Found, store: &str, expected: &Path) {
    assert_eq!(found.gaps, []);
    for name in ["running1", "stopped1", "created1"] {
        let file = expected.join(format!("{store}-{name}.json"));
        let inspected: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        check_container(container(found, name), &inspected[0]);
    }
    let text = fs::read_to_string(expected.join(format!("{store}.txt"))).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with("REPOSITORY")).skip(1);
    let told: Vec<Vec<&str>> = lines.map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(told.len(), 2);
    assert_eq!(found.images.len(), told.len());
    for words in told {
        let of_it = |it: &&crate::containers::Image| it.image.id.as_deref() == Some(words[3]);
        let image = found.images.iter().find(of_it).unwrap();
        assert_eq!(image.image.names, [format!("{}:{}", words[0], words[1])]);
        assert_eq!(image.image.digest.as_deref(), Some(words[2]));
        assert_eq!(image.engine, Engine::Podman);
        assert_eq!(image.layers.as_ref().unwrap().own, 0);
        let oci = image.image.oci.as_ref().unwrap();
        assert_eq!((oci.config, oci.manifest), (DocumentState::Valid, DocumentState::Valid));
    }
}

fn check_container(container: &Container, inspected: &Value) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let context = &container.context;
    assert_eq!(container.id, text(&inspected["Id"]));
    assert_eq!(context.engine, Engine::Podman);
    assert_eq!(context.store, "/storage");
    assert_eq!(context.image.reference, Some(text(&inspected["ImageName"])));
    assert_eq!(context.image.id, Some(format!("sha256:{}", text(&inspected["Image"]))));
    assert_eq!(context.image.digest, Some(text(&inspected["ImageDigest"])));
    assert_eq!(context.created, Some(text(&inspected["Created"])));
    assert_eq!(context.state.as_str(), text(&inspected["State"]["Status"]));
    assert_eq!(context.state_confidence, Confidence::High);
    let labels = serde_json::to_value(&context.labels).unwrap();
    let told = &inspected["Config"]["Labels"];
    assert_eq!(
        labels,
        if told.is_null() { Value::Object(serde_json::Map::new()) } else { told.clone() }
    );
    assert_eq!(inspected["Mounts"].as_array().unwrap().len(), context.mounts.len());
    let data = &inspected["GraphDriver"]["Data"];
    let mounted =
        [text(&data["UpperDir"]), text(&data["LowerDir"])].join(":").replace(AT, "/storage");
    let (folders, own) = layers(container);
    assert_eq!(folders.join(":"), mounted);
    assert_eq!(own, 1);
}

#[test]
fn states_in_the_log_of_the_database_count() {
    if Command::new("sqlite3").arg("--version").output().is_err() {
        return test_material::skip("no sqlite3; run scripts/setup, which installs it");
    }
    let Some((folder, _)) = unpack("podman5-sqlite-small") else { return };
    let store = folder.path().join("storage");
    // The log is gone when the last program closes the database, so that both are copied before.
    let commands = [
        "PRAGMA journal_mode=WAL",
        "UPDATE ContainerState SET JSON = replace(CAST(JSON AS TEXT), '\"state\":3', '\"state\":5')",
        ".shell mkdir copy && cp db.sql db.sql-wal copy",
    ];
    let sqlite = Command::new("sqlite3").arg("db.sql").args(commands).current_dir(&store).output();
    assert!(sqlite.unwrap().status.success());
    for file in ["db.sql", "db.sql-wal"] {
        fs::rename(store.join("copy").join(file), store.join(file)).unwrap();
    }
    let all = found(folder.path());
    assert_eq!(all.gaps, []);
    assert_eq!(container(&all, "running1").context.state, ContainerState::Paused);
    assert_eq!(container(&all, "stopped1").context.state, ContainerState::Exited);
}
