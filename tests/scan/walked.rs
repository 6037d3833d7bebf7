//! What the walk over a host's files finds, whose it is, and what is not entered.

use crate::directory::root;
use crate::inventory::plant;
use crate::support::{disks, scan, scan_with, sidelight};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

fn metadata(name: &str, version: &str) -> String {
    format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\ntext\n")
}

/// Name and version, evidence and owner of all packages of an ecosystem.
fn of(report: &Value, ecosystem: &str) -> Vec<(String, String, Option<String>)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let packages = report["assets"][0]["packages"].as_array().expect("packages").iter();
    packages
        .filter(|package| package["ecosystem"] == ecosystem)
        .map(|package| {
            let name = format!("{} {}", text(&package["name"]), text(&package["version"]));
            let owner = package["owner"].as_str().map(str::to_owned);
            (name, text(&package["evidence"][0]), owner)
        })
        .collect()
}

/// Installs one file as a package, by dpkg itself, which writes the list of its files.
fn install(work: &Path, host: &Path, name: &str, file: &str, text: &str) {
    let package = work.join(name);
    plant(&package, file, text);
    let control = format!(
        "Package: {name}\nVersion: 1-1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: b\n"
    );
    plant(&package, "DEBIAN/control", &control);
    fs::create_dir_all(host.join("var/lib/dpkg/info")).expect("made");
    fs::create_dir_all(host.join("var/lib/dpkg/updates")).expect("made");
    let file = work.join(format!("{name}.deb"));
    for (tool, arguments) in [
        ("dpkg-deb", vec!["--root-owner-group", "--build", package.to_str().expect("UTF-8")]),
        (
            "dpkg",
            vec!["--root", host.to_str().expect("UTF-8"), "--force-script-chrootless", "--install"],
        ),
    ] {
        let output = Command::new(tool).args(arguments).arg(&file).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn debians_requests_has_an_owner_and_that_of_pip_has_none() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let host = work.path().join("host");
    let target = root(&host);
    let own = "usr/lib/python3/dist-packages/requests-2.28.1.dist-info/METADATA";
    install(work.path(), &host, "python3-requests", own, &metadata("requests", "2.28.1"));
    let other = "usr/local/lib/python3.11/dist-packages/requests-2.31.0.dist-info/METADATA";
    plant(&host, other, &metadata("requests", "2.31.0"));
    let (_, report) = scan(&[&target]);
    let expected = [
        ("requests 2.28.1".to_owned(), format!("/{own}"), Some("python3-requests".to_owned())),
        ("requests 2.31.0".to_owned(), format!("/{other}"), None),
    ];
    assert_eq!(of(&report, "pypi"), expected);
}

/// Tools spell one name in several ways; the registries take them for one.
#[test]
fn a_package_under_two_spellings_of_its_name_is_one() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let installed = "srv/app/lib/PyYAML-6.0.1.dist-info/METADATA";
    plant(work.path(), installed, &metadata("PyYAML", "6.0.1"));
    let lock = "version = 1\n[[package]]\nname = \"pyyaml\"\nversion = \"6.0.1\"\n\
                source = { registry = \"https://pypi.org/simple\" }\n";
    plant(work.path(), "srv/app/uv.lock", lock);
    let resolved = r#"{"version":1,"dependencies":{"net8.0":{"newtonsoft.json":{"type":"Direct","resolved":"13.0.3"}}}}"#;
    plant(work.path(), "srv/net/packages.lock.json", resolved);
    let config = r#"<?xml version="1.0"?><packages><package id="Newtonsoft.Json" version="13.0.3"/></packages>"#;
    plant(work.path(), "srv/net/packages.config", config);
    let (_, report) = scan(&[&target]);
    let packages = report["assets"][0]["packages"].as_array().expect("packages");
    let of = |kind: &str| packages.iter().filter(|it| it["ecosystem"] == kind).collect::<Vec<_>>();
    let ([python], [net]) = (&of("pypi")[..], &of("nuget")[..]) else { panic!("{packages:?}") };
    assert_eq!((&python["name"], &python["state"]), (&json!("PyYAML"), &Value::Null));
    assert_eq!(python["evidence"], json!([format!("/{installed}"), "/srv/app/uv.lock"]));
    assert_eq!(net["evidence"], json!(["/srv/net/packages.config", "/srv/net/packages.lock.json"]));
}

/// dpkg unpacks over a link to a folder, and lists the path through it.
#[test]
fn files_of_a_package_behind_a_link_have_its_owner() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let host = work.path().join("host");
    let target = root(&host);
    fs::create_dir_all(host.join("data/app")).expect("made");
    fs::create_dir_all(host.join("opt")).expect("made");
    symlink("../data/app", host.join("opt/app")).expect("a link");
    let own = "opt/app/lib/a-1.dist-info/METADATA";
    install(work.path(), &host, "app", own, &metadata("a", "1"));
    plant(&host, "data/app/lib/b-2.dist-info/METADATA", &metadata("b", "2"));
    let (_, report) = scan(&[&target]);
    let real = |file: &str| format!("/data/app/lib/{file}.dist-info/METADATA");
    let expected = [
        ("a 1".to_owned(), real("a-1"), Some("app".to_owned())),
        ("b 2".to_owned(), real("b-2"), None),
    ];
    assert_eq!(of(&report, "pypi"), expected);
}

#[test]
fn the_owner_of_each_python_package_of_a_debian_disk_lists_its_file() {
    let Some(folder) = disks() else { return };
    let image = folder.join("debian-12.img");
    let (_, report) = scan(&[&image]);
    let found = of(&report, "pypi");
    assert!(found.len() > 20, "{found:?}");
    let mut by_owner: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, evidence, owner) in found {
        let owner = owner.unwrap_or_else(|| panic!("{name} has no owner"));
        by_owner.entry(owner).or_default().push(evidence);
    }
    for (owner, files) in by_owner {
        // A package that may be installed in several architectures has one in the name of its list.
        let list = ["", ":amd64"].map(|arch| {
            let list = format!("/var/lib/dpkg/info/{owner}{arch}.list");
            let output = sidelight(&["cat", image.to_str().expect("UTF-8"), &list]);
            String::from_utf8(output.stdout).expect("UTF-8")
        });
        let list = list.concat();
        for file in files {
            assert!(list.lines().any(|line| line == file), "{owner}: {file}");
        }
    }
}

#[test]
fn stores_of_containers_and_what_the_user_excludes_are_not_entered_and_told() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    for folder in [
        "opt/app",
        "srv/secret",
        "var/lib/docker/overlay2/0a/diff/usr/lib",
        "home/a/.local/share/containers/storage/overlay/0a/diff",
        "data/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs",
    ] {
        let name = format!("{folder}/{}.dist-info/METADATA", folder.len());
        plant(work.path(), &name, &metadata("found", &folder.len().to_string()));
    }
    let (_, report) = scan_with(&["--exclude-path", "/srv/secret"], &[&target]);
    let found: Vec<_> = of(&report, "pypi").into_iter().map(|(_, evidence, _)| evidence).collect();
    assert_eq!(found, ["/opt/app/7.dist-info/METADATA"]);
    let paths: Vec<_> = report["walk"]["excluded"].as_array().expect("a list").iter().collect();
    let paths: Vec<_> = paths.iter().map(|it| it["path"].clone()).collect();
    let expected =
        ["/data", "/home/a/.local/share/containers/storage", "/srv/secret", "/var/lib/docker"];
    assert_eq!(json!(paths), json!(expected));
    let (_, report) = scan_with(&["--only", "os"], &[&target]);
    assert_eq!((of(&report, "pypi").len(), &report["walk"]), (0, &Value::Null));
}

#[test]
fn stores_that_a_link_or_a_configuration_moved_are_not_entered_and_are_gaps() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    for (place, layers) in [
        ("data/docker", "overlay2/0a/diff"),
        ("mnt/moved", "overlay2/0a/diff"),
        ("srv/podman", "overlay/0a/diff"),
        ("srv/containerd", "io.containerd.snapshotter.v1.native/snapshots/1"),
        ("var/lib/lxc", "web/rootfs"),
        ("var/lib/machines", "web"),
        ("var/snap/lxd/common/lxd/storage-pools", "default/containers/web/rootfs"),
    ] {
        let name = format!("{place}/{layers}/a.dist-info/METADATA");
        plant(work.path(), &name, &metadata("found", "1"));
    }
    plant(work.path(), "opt/app/a.dist-info/METADATA", &metadata("found", "1"));
    symlink("/data/docker", work.path().join("var/lib/docker")).expect("made");
    plant(work.path(), "etc/docker/daemon.json", r#"{"data-root": "/mnt/moved"}"#);
    let conf = "[storage]\ndriver = \"overlay\"\ngraphroot = \"/srv/podman\"\n";
    plant(work.path(), "etc/containers/storage.conf", conf);
    plant(work.path(), "etc/containerd/config.toml", "version = 2\nroot = '/srv/containerd/'\n");
    let wishes = ["--exclude-path", "/not/there", "--exclude-path", "/linked/srv/"];
    symlink("opt", work.path().join("linked")).expect("made");
    plant(work.path(), "opt/srv/b.dist-info/METADATA", &metadata("found", "2"));
    let (code, report) = scan_with(&wishes, &[&target]);
    let found: Vec<_> = of(&report, "pypi").into_iter().map(|(_, evidence, _)| evidence).collect();
    assert_eq!((code, found), (3, vec!["/opt/app/a.dist-info/METADATA".to_owned()]));
    let places: Vec<_> = report["gaps"].as_array().expect("gaps").iter().collect();
    let places: Vec<_> = places.iter().map(|gap| gap["place"].clone()).collect();
    let expected = [
        "/data/docker/overlay2",
        "/mnt/moved/overlay2",
        "/srv/containerd/io.containerd.snapshotter.v1.native/snapshots",
        "/srv/podman/overlay",
        "/var/lib/lxc",
        "/var/lib/machines",
        "/var/snap/lxd/common/lxd/storage-pools",
    ];
    assert_eq!(json!(places), json!(expected));
    let excluded = report["walk"]["excluded"].as_array().expect("a list");
    let excluded: Vec<_> = excluded.iter().map(|it| it["path"].as_str().expect("text")).collect();
    let expected = [
        "/data/docker",
        "/mnt/moved",
        "/not/there",
        "/opt/srv",
        "/srv/containerd",
        "/srv/podman",
        "/var/lib/lxc",
        "/var/lib/machines",
        "/var/snap/lxd/common/lxd/storage-pools",
    ];
    assert_eq!(excluded, expected);
}

#[test]
fn what_is_installed_and_locked_is_one_package() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let lock = r#"{"lockfileVersion":3,"packages":{"":{"name":"app"},
        "node_modules/a":{"version":"1.0.0"},"node_modules/b":{"version":"2.0.0"}}}"#;
    plant(work.path(), "opt/app/package-lock.json", lock);
    let installed = r#"{"name":"a","version":"1.0.0"}"#;
    plant(work.path(), "opt/app/node_modules/a/package.json", installed);
    let (_, report) = scan(&[&target]);
    let packages = report["assets"][0]["packages"].as_array().expect("packages");
    let get = |name: &str| packages.iter().find(|it| it["name"] == name).expect("it");
    assert_eq!(packages.iter().filter(|it| it["name"] == "a").count(), 1);
    let both = ["/opt/app/node_modules/a/package.json", "/opt/app/package-lock.json"];
    assert_eq!((&get("a")["evidence"], &get("a")["state"]), (&json!(both), &Value::Null));
    assert_eq!(get("b")["state"], "locked");
}
