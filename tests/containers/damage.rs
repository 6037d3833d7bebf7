//! Stores that were copied half-written, or that somebody made to mislead: one container has a gap, all others are
//! complete, and nothing outside the store is read.

use crate::stores::{DOCKER_STORE, unpack};
use crate::support::{assets, run, scan_target};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A host as a folder, with Docker's store.
struct Host {
    work: tempfile::TempDir,
    root: PathBuf,
}

impl Host {
    fn new(shared: &Path) -> Self {
        let work = tempfile::tempdir_in("/var/tmp").unwrap();
        let unpacked = unpack(shared, DOCKER_STORE.name, work.path());
        let root = work.path().join("root");
        fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").unwrap();
        let package = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n";
        fs::write(root.join("var/lib/dpkg/status"), package).unwrap();
        fs::rename(unpacked, root.join("var/lib/docker")).unwrap();
        Self { work, root }
    }

    fn store(&self, path: &str) -> PathBuf {
        self.root.join("var/lib/docker").join(path)
    }

    /// The folder of the record of the container of this name.
    fn record(&self, name: &str) -> PathBuf {
        let all = fs::read_dir(self.store("containers")).unwrap();
        let mut all = all.map(|entry| entry.unwrap().path());
        let is_it = |path: &PathBuf| {
            let text = fs::read_to_string(path.join("config.v2.json")).unwrap();
            text.contains(&format!("\"Name\":\"/{name}\""))
        };
        all.find(is_it).unwrap()
    }

    /// The folder of a container's own layer, and its id.
    fn layer(&self, name: &str) -> String {
        let id = self.record(name).file_name().unwrap().to_str().unwrap().to_owned();
        let path = self.store(&format!("image/overlay2/layerdb/mounts/{id}/mount-id"));
        fs::read_to_string(path).unwrap()
    }

    fn scan(&self) -> Value {
        scan_target(&format!("dir:{}", self.root.display()), &[]).1
    }
}

/// Packages and system of each container.
fn told(report: &Value) -> Vec<(String, usize, Value)> {
    let all = assets(report, "container").into_iter().map(|(name, asset)| {
        let packages = asset["packages"].as_array().unwrap().len();
        (name, packages, asset["container"]["os"]["id"].clone())
    });
    all.collect()
}

fn gaps(report: &Value) -> Vec<String> {
    let all = report["gaps"].as_array().unwrap().iter().map(|gap| {
        format!(
            "{} | {} | {}",
            gap["place"].as_str().unwrap(),
            gap["reason"].as_str().unwrap(),
            gap["detail"].as_str().unwrap()
        )
    });
    // The images of the store have no package database, which is told of each.
    all.filter(|gap| !gap.contains("no package database")).collect()
}

/// What is done to a store, and words that the gap of the container `running1` has.
type Case = (&'static str, fn(&Host), &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "a lower layer that is gone",
        |host| {
            let lower = fs::read_to_string(
                host.store(&format!("overlay2/{}/lower", host.layer("running1"))),
            )
            .unwrap();
            // Its first is the one that Docker prepares for it alone.
            let link = host.store(&format!("overlay2/{}", lower.split(':').next().unwrap()));
            fs::remove_dir_all(link.canonicalize().unwrap()).unwrap();
        },
        &["docker container running1 (", "missing", "a layer of a container is not there"],
    ),
    (
        "a link to a layer that leads out of the store",
        |host| {
            let lower = fs::read_to_string(
                host.store(&format!("overlay2/{}/lower", host.layer("running1"))),
            )
            .unwrap();
            let link = host.store(&format!("overlay2/{}", lower.split(':').next().unwrap()));
            fs::remove_file(&link).unwrap();
            symlink("../../../../../etc", &link).unwrap();
        },
        &["docker container running1 (", "corrupt", "leads to no layer"],
    ),
    (
        "a layer that is a link",
        |host| {
            let own = host.store(&format!("overlay2/{}/diff", host.layer("running1")));
            fs::remove_dir_all(&own).unwrap();
            symlink("/etc", &own).unwrap();
        },
        &["docker container running1 (", "corrupt", "a link in a store"],
    ),
    (
        "names of layers that are paths",
        |host| {
            fs::write(
                host.store(&format!("overlay2/{}/lower", host.layer("running1"))),
                "l/../../x:/etc",
            )
            .unwrap();
        },
        &["docker container running1 (", "corrupt", "names of layers that are none"],
    ),
    (
        "an own layer that is a path",
        |host| {
            let id = host.record("running1");
            let id = id.file_name().unwrap().to_str().unwrap();
            fs::write(
                host.store(&format!("image/overlay2/layerdb/mounts/{id}/mount-id")),
                "../../../etc",
            )
            .unwrap();
        },
        &["docker container running1 (", "corrupt", "the name of a layer that is none"],
    ),
    (
        "no record of its layers",
        |host| {
            let id = host.record("running1");
            let id = id.file_name().unwrap().to_str().unwrap();
            fs::remove_dir_all(host.store(&format!("image/overlay2/layerdb/mounts/{id}"))).unwrap();
        },
        &["docker container running1 (", "missing", "no record of its layers"],
    ),
];

#[test]
fn one_container_has_a_gap_and_all_others_are_complete() {
    let Some(shared) = test_material::shared() else { return };
    if !test_material::root() {
        return;
    }
    let sound = told(&Host::new(&shared).scan());
    assert_eq!(sound.len(), 5);
    for (what, damage, words) in CASES {
        let host = Host::new(&shared);
        damage(&host);
        let report = host.scan();
        let gaps = gaps(&report);
        assert_eq!(gaps.len(), 1, "{what}: {gaps:?}");
        assert!(words.iter().all(|word| gaps[0].contains(word)), "{what}: {gaps:?}");
        let expected = sound.iter().map(|(name, packages, os)| match name.as_str() {
            "running1" => (name.clone(), 0, Value::from("")),
            _ => (name.clone(), *packages, os.clone()),
        });
        assert_eq!(told(&report), expected.collect::<Vec<_>>(), "{what}");
    }
}

#[test]
fn records_that_are_broken_lose_words_and_no_packages() {
    let Some(shared) = test_material::shared() else { return };
    if !test_material::root() {
        return;
    }
    let sound = told(&Host::new(&shared).scan());
    let host = Host::new(&shared);
    let record = host.record("running1");
    let id = record.file_name().unwrap().to_str().unwrap()[..12].to_owned();
    let text = fs::read(record.join("config.v2.json")).unwrap();
    fs::write(record.join("config.v2.json"), &text[..text.len() / 2]).unwrap();
    // And an image's configuration that is none.
    let configs = host.store("image/overlay2/imagedb/content/sha256");
    let image = "6b78104fc439fd460abcff923163d4e3b02169aeebb4cf9bd82e6e1e328f62f7";
    fs::write(configs.join(image), "{").unwrap();
    // A name that would lead out of the store.
    fs::create_dir(host.store("containers/..%2f..")).unwrap();
    let report = host.scan();
    let mut expected: Vec<_> =
        sound.iter().map(|(_, packages, os)| (*packages, os.clone())).collect();
    expected.push((0, Value::from("")));
    let mut found: Vec<_> =
        told(&report).into_iter().map(|(_, packages, os)| (packages, os)).collect();
    let order = |it: &(usize, Value)| (it.0, it.1.to_string());
    found.sort_by_key(order);
    expected.sort_by_key(order);
    assert_eq!(found, expected);
    let gaps = gaps(&report).join("\n");
    for word in ["config.v2.json | corrupt", "a container whose id is none"] {
        assert!(gaps.contains(word), "{word}: {gaps}");
    }
    let containers = assets(&report, "container");
    assert_eq!(containers[&id]["container"]["state"], "unknown");
    let oci = &containers["stopped1"]["container"]["image"]["oci"];
    assert_eq!((&oci["config"], oci["detail"].is_string()), (&Value::from("invalid"), true));
}

#[test]
fn a_chain_of_layers_that_is_a_circle_ends() {
    let Some(shared) = test_material::shared() else { return };
    if !test_material::root() {
        return;
    }
    let host = Host::new(&shared);
    // Without what is mounted, the chain of the records is followed.
    fs::remove_file(host.store(&format!("overlay2/{}/lower", host.layer("running1")))).unwrap();
    let layers = host.store("image/overlay2/layerdb/sha256");
    for entry in fs::read_dir(&layers).unwrap() {
        let entry = entry.unwrap();
        let itself = format!("sha256:{}", entry.file_name().to_str().unwrap());
        fs::write(entry.path().join("parent"), itself).unwrap();
    }
    let report = host.scan();
    let gaps = gaps(&report);
    assert!(gaps.iter().any(|gap| gap.contains("leads in a circle")), "{gaps:?}");
    assert_eq!(told(&report).iter().filter(|(_, packages, _)| *packages > 0).count(), 4);
}

#[test]
fn whiteouts_remove_names_and_nothing_else() {
    let Some(shared) = test_material::shared() else { return };
    if !test_material::root() {
        return;
    }
    let host = Host::new(&shared);
    let own = host.store(&format!("overlay2/{}/diff", host.layer("running1")));
    // To the kernel these are files like others; a device is a whiteout of its own name alone.
    fs::write(own.join(".wh..."), "").unwrap();
    fs::write(own.join(".wh...wh."), "").unwrap();
    fs::create_dir_all(own.join("usr")).unwrap();
    run("mknod", &[own.join("usr/..x").to_str().unwrap(), "c", "0", "0"]);
    run("mknod", &[own.join("etc").to_str().unwrap(), "c", "0", "0"]);
    let report = host.scan();
    assert!(!gaps(&report).iter().any(|gap| gap.contains("running1 (")), "{:?}", gaps(&report));
    let found = told(&report);
    let running = found.iter().find(|(name, ..)| name == "running1").unwrap();
    // Its `/etc` is gone, and with it what says which system it is.
    assert_ne!(running.2, "fixtureos");
    assert_eq!(found.len(), 5);
    drop(host.work);
}
