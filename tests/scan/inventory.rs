//! What is said of package databases: those that are read, those that are known and not read, and
//! those with nothing in them.

use crate::directory::{names, root};
use crate::support::scan;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Writes a file below the root, with the folders that it needs.
fn plant(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

fn gaps(report: &serde_json::Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    gaps.map(|gap| [&gap["place"], &gap["reason"], &gap["detail"]].map(text).join(" | ")).collect()
}

#[test]
fn a_store_that_is_known_and_not_read_is_a_gap() {
    for (file, place, name) in [
        ("var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite", "rpm database"),
        ("var/lib/rpm/Packages", "/var/lib/rpm/Packages", "rpm database"),
        ("usr/lib/sysimage/rpm/Packages.db", "/usr/lib/sysimage/rpm/Packages.db", "rpm database"),
        ("lib/apk/db/installed", "/lib/apk/db/installed", "apk database"),
        ("var/lib/pacman/local/zlib-1-1/desc", "/var/lib/pacman/local", "pacman database"),
        ("var/lib/snapd/snaps/core_1.snap", "/var/lib/snapd/snaps", "snap store"),
        ("var/lib/flatpak/app/org.x/current", "/var/lib/flatpak/app", "flatpak store"),
        ("var/lib/docker/overlay2/0a/diff/x", "/var/lib/docker/overlay2", "docker store of images"),
        (
            "var/lib/docker/containers/0a/config.v2.json",
            "/var/lib/docker/containers",
            "docker store of containers",
        ),
        (
            "var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
            "/var/lib/containerd/io.containerd.metadata.v1.bolt",
            "containerd store",
        ),
        (
            "var/lib/containers/storage/overlay/0a/link",
            "/var/lib/containers/storage/overlay",
            "podman or CRI-O store",
        ),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        let target = root(work.path());
        plant(work.path(), file, "x");
        let (code, report) = scan(&[&target]);
        let expected = format!("{place} | unsupported | {name} is recognised and not read");
        assert_eq!((code, gaps(&report)), (3, vec![expected]), "{file}");
        assert_eq!(names(&report), ["good"], "{file}");
    }
}

#[test]
fn what_a_tool_leaves_before_its_first_use_is_no_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    plant(work.path(), "var/lib/rpm/Packages", "");
    plant(work.path(), "var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
    plant(work.path(), "var/lib/snapd/snaps/partial", "");
    plant(work.path(), "var/lib/containers/storage/overlay/.has-mount-program", "false");
    for folder in ["docker/overlay2/l", "docker/containers", "flatpak/app"] {
        fs::create_dir_all(work.path().join("var/lib").join(folder)).expect("made");
    }
    let (code, report) = scan(&[&target]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
}

#[test]
fn a_database_that_two_paths_lead_to_is_told_once_and_is_not_missing() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    fs::remove_file(work.path().join("var/lib/dpkg/status")).expect("removed");
    plant(work.path(), "usr/lib/sysimage/rpm/rpmdb.sqlite", "x");
    symlink("../../usr/lib/sysimage/rpm", work.path().join("var/lib/rpm")).expect("linked");
    let (_, report) = scan(&[&target]);
    let told = "/var/lib/rpm/rpmdb.sqlite | unsupported | rpm database is recognised and not read";
    assert_eq!(gaps(&report), [told]);
}
