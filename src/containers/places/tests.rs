//! Configurations that name stores.

use super::*;
use std::fs;

#[test]
fn flags_of_units_and_variables() {
    let unit = "[Service]\nExecStart=/usr/bin/dockerd -H fd:// --data-root=/mnt/a \\\n -g /mnt/b/\n# --graph /no\n";
    assert_eq!(values(unit, &["--data-root", "--graph", "-g"]), ["/mnt/a", "/mnt/b"]);
    assert_eq!(values("DOCKER_OPTS=\"--graph /c --x\"", &["--graph"]), ["/c"]);
    assert_eq!(values("OPTIONS=--graph=/d", &["--graph"]), ["/d"]);
    assert_eq!(
        values("--data-root relative --data-root / --data-rooted /x", &["--data-root"]),
        [""; 0]
    );
}

#[test]
fn every_configuration_that_moves_a_store() {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    for (path, text) in [
        (
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nal:x:1001:1001::/srv/al:/bin/sh\nbin:x:2:2::/bin:/no\n",
        ),
        ("etc/docker/daemon.json", r#"{"data-root":"/mnt/docker/"}"#),
        (
            "etc/systemd/system/docker.service.d/a.conf",
            "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --data-root /mnt/flag\n",
        ),
        (
            "etc/containerd/config.toml",
            "root = '/mnt/containerd'\nimports = ['/etc/containerd/conf.d/*.toml']\n",
        ),
        ("etc/containerd/conf.d/x.toml", "root = '/mnt/imported'\n"),
        ("etc/rancher/k3s/config.yaml", "token: x\ndata-dir: \"/mnt/k3s\"\n"),
        (
            "etc/containers/storage.conf",
            "[storage]\ngraphroot='/mnt/graph'\nrootless_storage_path='/mnt/$USER/st'\n[storage.options]\nadditionalimagestores=['/mnt/more']\n",
        ),
        ("etc/crio/crio.conf.d/1.conf", "[crio]\nroot = '/mnt/crio'\n"),
        ("srv/al/.config/docker/daemon.json", r#"{"graph":"/mnt/al"}"#),
        ("srv/al/.local/share/x", ""),
    ] {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), text).unwrap();
    }
    let mut gaps = Vec::new();
    let places = find(&Tree::of_directory(root.path()).unwrap(), &mut gaps);
    assert_eq!(gaps, []);
    let holds = |set: &BTreeSet<String>, paths: &[&str]| {
        for path in paths {
            assert!(set.contains(*path), "{path}: {set:?}");
        }
    };
    holds(
        &places.docker,
        &["/mnt/docker", "/mnt/flag", "/mnt/al", "/srv/al/.local/share/docker", "/var/lib/docker"],
    );
    holds(&places.containerd, &["/mnt/containerd", "/mnt/imported", "/mnt/k3s/agent/containerd"]);
    holds(
        &places.storage,
        &["/mnt/graph", "/mnt/al/st", "/mnt/crio", "/srv/al/.local/share/containers/storage"],
    );
    assert!(places.additional.contains("/mnt/more"));
}

#[test]
fn a_configuration_that_is_none_is_a_gap_and_all_of_the_host_is_no_store() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("etc/docker")).unwrap();
    let tree = Tree::of_directory(root.path()).unwrap();
    for (text, moved, problems) in [
        (r#"{"data-root":"/"}"#, 0, 0),
        (r#"{"data-root":"x"}"#, 0, 0),
        (r#"{"data-root":"/mnt/d/"}"#, 1, 0),
        ("", 0, 0),
        ("{", 0, 1),
    ] {
        fs::write(root.path().join("etc/docker/daemon.json"), text).unwrap();
        let mut gaps = Vec::new();
        let places = find(&tree, &mut gaps);
        assert_eq!(places.docker.len(), 2 + moved, "{text}");
        assert_eq!(gaps.len(), problems, "{text}");
    }
}
