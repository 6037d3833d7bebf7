//! Volumes over several disks: a host whose root is striped over two, and every fixture that the real
//! tools made.

use crate::support::{disks, packages, scan, sidelight};
use ebs_standin::Standin;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const DISKS: [&str; 3] = ["one.img", "two.img", "three.img"];

fn expected(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("debian-11.img.packages")).expect("the witness");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn check_whole(report: &Value, folder: &Path) {
    assert_eq!(packages(report), expected(folder));
    assert_eq!(report["gaps"], json!([]));
    // Written to the log alone.
    assert_eq!(report["host"]["hostname"], "over-three-disks");
    let mounts = report["host"]["mounts"].as_array().expect("mounts").iter();
    let paths: Vec<_> = mounts.map(|it| it["path"].as_str().expect("a path")).collect();
    assert_eq!(paths, ["/", "/boot", "/var"]);
    assert_eq!(report["coverage"]["bytes"]["gap"], 0);
}

#[test]
fn a_host_over_three_disks_is_joined_from_files_and_from_snapshots() {
    let Some(folder) = disks() else { return };
    let images = DISKS.map(|name| folder.join("lvm-host").join(name));
    let (code, report) = scan(&[&images[0], &images[1], &images[2]]);
    assert_eq!(code, 0);
    check_whole(&report, &folder);

    let ids = [1, 2, 3].map(|number| format!("snap-0123456789abcde{number:02}"));
    let builder = images
        .iter()
        .zip(&ids)
        .fold(Standin::builder(), |builder, (image, id)| builder.snapshot(id, image));
    let server = builder.start().expect("the stand-in starts");
    let output = Command::new(env!("CARGO_BIN_EXE_sidelight"))
        .args(["scan", "--no-match", "--format", "json", &ids.join(",")])
        .env("AWS_ENDPOINT_URL_EBS", server.url())
        .envs([
            ("AWS_ACCESS_KEY_ID", "AKIATEST"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_REGION", "us-east-1"),
        ])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    check_whole(&serde_json::from_slice(&output.stdout).expect("JSON"), &folder);
}

#[test]
fn a_disk_that_is_left_out_is_a_gap_and_not_a_clean_result() {
    let Some(folder) = disks() else { return };
    let images = DISKS.map(|name| folder.join("lvm-host").join(name));
    let (code, report) = scan(&[&images[0], &images[2]]);
    assert_eq!(code, 3);
    let gaps = report["gaps"].as_array().expect("gaps");
    let told = |reason: &str, word: &str| {
        gaps.iter().any(|gap| {
            gap["reason"] == reason && gap["detail"].as_str().is_some_and(|it| it.contains(word))
        })
    };
    assert!(told("missing", "physical volume"), "{gaps:?}");
}

/// The fixtures of a kind, unpacked: name, disks, and volumes with their sizes as the tools say.
fn fixtures(kind: &str, work: &Path) -> Vec<(String, Vec<PathBuf>, BTreeMap<String, u64>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("disk-fixtures").join(kind);
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).expect("the fixtures") {
        let fixture = entry.expect("an entry").path();
        if !fixture.join("volumes.tsv").is_file() {
            continue;
        }
        let name = fixture.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
        let mut images = Vec::new();
        let files = fs::read_dir(&fixture).expect("the fixture");
        for packed in files.map(|it| it.expect("an entry").path()) {
            if packed.extension().is_some_and(|extension| extension == "zst") {
                let image =
                    work.join(format!("{name}-{}", packed.file_stem().expect("a name").display()));
                let mut out = File::create(&image).expect("a file");
                zstd::stream::copy_decode(File::open(&packed).expect("there"), &mut out)
                    .expect("zstd");
                images.push(image);
            }
        }
        images.sort();
        found.push((name, images, volumes(&fixture)));
    }
    assert!(found.len() > 20, "{}: {} fixtures", folder.display(), found.len());
    found
}

/// By name, those that can be read.
fn volumes(fixture: &Path) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(fixture.join("volumes.tsv")).expect("volumes");
    let volume = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        Some((fields[0].to_owned(), fields.get(2)?.parse().ok()?))
    };
    let volumes: BTreeMap<_, _> = text.lines().filter_map(volume).collect();
    assert!(!volumes.is_empty(), "{}: no sizes in {text:?}", fixture.display());
    volumes
}

/// The parts that stand on others, by name.
fn found(images: &[PathBuf]) -> BTreeMap<String, u64> {
    let mut arguments = vec!["disks", "--format", "json"];
    arguments.extend(images.iter().map(|path| path.to_str().expect("UTF-8 path")));
    let output = sidelight(&arguments);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let parts = report["coverage"]["parts"].as_array().expect("parts").iter();
    let volumes = parts.filter(|part| part["on"].as_array().is_some_and(|on| !on.is_empty()));
    volumes
        .map(|part| {
            (
                part["name"].as_str().expect("a name").to_owned(),
                part["size"].as_u64().expect("a size"),
            )
        })
        .collect()
}

#[test]
fn every_logical_volume_of_the_fixtures_is_a_part() {
    let work = tempfile::tempdir().expect("a folder");
    for (name, images, volumes) in fixtures("lvm2", work.path()) {
        let found = found(&images);
        for (volume, size) in volumes {
            assert_eq!(found.get(&volume), Some(&size), "{name}: {volume} of {found:?}");
        }
    }
}

#[test]
fn every_array_of_the_fixtures_is_a_part() {
    let work = tempfile::tempdir().expect("a folder");
    for (name, images, arrays) in fixtures("md", work.path()) {
        // The kernel refuses it too, until it is told the layout.
        if name == "raid0_unequal_unknown" {
            continue;
        }
        let found: Vec<_> = found(&images).into_values().filter(|size| *size > 0).collect();
        for size in arrays.values() {
            assert!(found.contains(size), "{name}: {size} of {found:?}");
        }
    }
}
