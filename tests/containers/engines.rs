//! Disks on which real engines have their stores, copied while containers ran: `scripts/fixtures/engines`.

use crate::support::{each, expected, listed, scan, whole};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What an engine says of a container: a row of its file.
struct Row {
    name: String,
    id: String,
    reference: String,
    image: String,
    digest: String,
    created: String,
    state: String,
}

fn rows(witness: &Path, engine: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(witness.join(format!("{engine}.tsv"))).unwrap();
    let rows = text.lines().map(|line| {
        let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let [name, id, reference, image, digest, created, state, _]: [String; 8] =
            columns.try_into().unwrap();
        Row { name, id, reference, image, digest, created, state }
    });
    rows.collect()
}

/// Which asset a row is about: containerd's ids are the same in two namespaces.
fn is_of(engine: &str, row: &Row, asset: &Value) -> bool {
    let namespace = engine.strip_prefix("containerd-");
    let fits = match namespace {
        Some(namespace) => asset["container"]["namespace"] == namespace,
        None => asset["container"]["engine"] != "containerd",
    };
    asset["kind"] == "container" && asset["id"] == row.id.as_str() && fits
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Names, states, images and digests.
fn tell(engine: &str, row: &Row, asset: &Value) {
    let what = format!("{engine}: {}", row.name);
    let context = &asset["container"];
    let image = &context["image"];
    if context["kubernetes"].is_null() {
        assert_eq!(text(&asset["name"]), row.name, "{what}");
    } else {
        assert_eq!(asset["name"], "app", "{what}");
    }
    assert_eq!(text(&image["reference"]), row.reference, "{what}");
    let id = row.image.trim_start_matches("sha256:");
    assert_eq!(text(&image["id"]), format!("sha256:{id}"), "{what}");
    if !row.digest.is_empty() {
        assert_eq!(text(&image["digest"]), row.digest, "{what}");
    }
    assert_eq!(text(&context["created"]), row.created, "{what}");
    let state = text(&context["state"]);
    let fits = match row.state.as_str() {
        "RUNNING" => state == "running",
        // Whether a task that is there has ended is in no file of the store, nor whether one was ever there.
        "STOPPED" => state == "running" && context["state_confidence"] != "high",
        "none" => state == "unknown",
        word => state == word && context["state_confidence"] == "high",
    };
    assert!(fits, "{what}: {state}, and its engine says {}", row.state);
}

/// The packages of dpkg, each as `dpkg-query` says inside.
fn packages(witness: &Path, engine: &str, row: &Row, asset: &Value) -> usize {
    let file = witness.join(format!("{engine}-{}.dpkg", row.name));
    let Ok(listed) = std::fs::read_to_string(&file) else { return 0 };
    let installed = listed.lines().filter_map(|line| line.strip_suffix("\tinstalled"));
    let expected: BTreeSet<String> = installed.map(str::to_owned).collect();
    let ours = asset["packages"].as_array().unwrap().iter();
    let ours: BTreeSet<String> = ours
        .filter(|it| it["ecosystem"] == "deb")
        .map(|it| [text(&it["name"]), text(&it["version"]), text(&it["arch"])].join("\t"))
        .collect();
    assert_eq!(ours, expected, "{engine}: {}", row.name);
    ours.len()
}

/// Holds what is said of the containers of these engines, their trees and packages, against the engines.
fn compare(disk: &str, engines: &[&str], containers: usize, trees: usize) {
    let Some(disks) = test_material::disks() else { return };
    let witness = disks.join("engines");
    let image = disks.join(disk);
    let (code, report) = scan(&image, &["--images"]);
    assert_eq!((code, &report["gaps"]), (0, &serde_json::json!([])));
    let all = report["assets"].as_array().unwrap();
    let mut by_id: BTreeMap<String, (String, Row, &Value)> = BTreeMap::new();
    let mut counted = 0;
    for engine in engines {
        for row in rows(&witness, engine) {
            let asset = all.iter().find(|asset| is_of(engine, &row, asset));
            let asset = asset.unwrap_or_else(|| panic!("{engine}: {} is not found", row.name));
            tell(engine, &row, asset);
            counted += packages(&witness, engine, &row, asset);
            let namespace = text(&asset["container"]["namespace"]);
            by_id.insert(format!("{namespace}/{}", row.id), ((*engine).to_owned(), row, asset));
        }
    }
    used(&report, by_id.values().map(|(_, _, asset)| *asset));
    let found = all.iter().filter(|asset| asset["kind"] == "container").count();
    assert_eq!((found, by_id.len()), (containers, containers));
    assert!(counted >= 90 * trees, "{counted}");
    let mut compared = 0;
    each(&image, &mut |container, tree| {
        let namespace = container.context.namespace.as_deref().unwrap_or_default();
        let (engine, row, asset) = &by_id[&format!("{namespace}/{}", container.id)];
        let what = format!("{engine}: {}", row.name);
        let tree = tree.unwrap_or_else(|| panic!("{what}: {:?}", container.layers));
        let file = witness.join(format!("{engine}-{}.tsv", row.name));
        if file.exists() {
            let mut expected = expected(&file);
            if engine == "podman-alice" {
                for line in expected.values_mut() {
                    *line = shifted(line);
                }
            }
            let mut ours = listed(&tree);
            // Sockets are in no export.
            ours.retain(|path, line| !line.starts_with("o\t") || expected.contains_key(path));
            for (path, line) in &expected {
                assert_eq!(ours.get(path), Some(line), "{what}: {path}");
            }
            let extra: Vec<_> = ours.keys().filter(|path| !expected.contains_key(*path)).collect();
            assert!(extra.is_empty(), "{what}: {extra:?}");
            compared += 1;
        }
        // What was taken from layers below is what a reading of the whole gives.
        let ours = asset["packages"].as_array().unwrap().iter().map(Value::to_string);
        let whole: Vec<Value> =
            whole(tree).iter().map(|it| serde_json::from_str(it).unwrap()).collect();
        let whole: Vec<String> = whole.iter().map(Value::to_string).collect();
        assert_eq!(ours.collect::<Vec<_>>(), whole, "{what}");
    });
    assert_eq!(compared, trees);
}

/// Images of containers are listed as such; all others are assets, each once.
fn used<'a>(report: &Value, containers: impl Iterator<Item = &'a Value>) {
    let images = report["images"].as_array().unwrap();
    for container in containers {
        let id = &container["container"]["image"]["id"];
        let mut same = images.iter().filter(|it| &it["id"] == id);
        assert!(same.any(|it| it["containers"].as_u64() > Some(0)), "{id}");
    }
    let assets = report["assets"].as_array().unwrap().iter();
    let assets: Vec<_> = assets.filter(|asset| asset["kind"] == "image").collect();
    let scanned = images.iter().filter(|it| it["scanned"] == true).count();
    let unused = images.iter().filter(|it| it["containers"] == 0).count();
    assert_eq!((assets.len(), scanned), (unused, unused));
    for image in assets {
        assert!(image["packages"].as_array().unwrap().len() > 80, "{}", image["name"]);
    }
}

/// Owners as they are on the disk of a user whose engine has no root's rights.
fn shifted(line: &str) -> String {
    let mut columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
    for owner in &mut columns[2..4] {
        let number: u32 = owner.parse().unwrap();
        *owner = if number == 0 { 1000 } else { 99_999 + number }.to_string();
    }
    columns.join("\t")
}

#[test]
fn all_engines_of_debian_12_on_one_host() {
    let engines = [
        "docker",
        "docker-vfs",
        "containerd-default",
        "containerd-k8s.io",
        "podman",
        "podman-alice",
    ];
    compare("engines.img", &engines, 21, 21);
}

#[test]
fn newer_engines_on_xfs() {
    compare("engines-trixie.img", &["docker26", "podman5"], 8, 8);
}

#[test]
fn five_containers_of_five_images() {
    compare("five.img", &["five"], 5, 5);
}

#[test]
fn sixty_containers_of_five_images() {
    compare("sixty.img", &["sixty"], 60, 0);
}

#[test]
fn a_file_of_a_container_is_read_by_its_name_or_id() {
    let Some(disks) = test_material::disks() else { return };
    let image = disks.join("engines-trixie.img");
    let image = image.to_str().unwrap();
    let rows = rows(&disks.join("engines"), "podman5");
    let plain = rows.iter().find(|row| row.name == "plain").unwrap();
    let id = &plain.id[..10];
    let release = run(&["cat", "--container", id, image, "/etc/debian_version"]);
    assert_eq!(release.0, 0, "{}", release.1);
    assert!(release.1.starts_with("12."), "{}", release.1);
    let several = run(&["ls", "--container", "plain", image, "/"]);
    assert!(several.0 == 2 && several.1.contains("choose one by its id"), "{}", several.1);
    let none = run(&["ls", "--container", "nobody", image, "/"]);
    assert!(none.0 == 2 && none.1.contains("there are: "), "{}", none.1);
}

/// The exit code, and all that is printed.
fn run(arguments: &[&str]) -> (i32, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sidelight"));
    let output = { output }.args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}
