//! Databases of real containerd and Podman, from the shared data.

use crate::listing::{assert_same, listing, open};
use crate::witness::{dump, run};
use block_source::BlockSource;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use test_material::Counting;

/// Unpacks what fits a pattern.
fn unpack(archive: &str, pattern: &str, folder: &Path) -> Option<()> {
    let archive = test_material::shared()?.join("data").join(archive);
    let mut tar = Command::new("tar");
    tar.args(["--zstd", "--wildcards", "-xf"]).arg(archive).arg("-C").arg(folder);
    run(tar.arg(pattern));
    Some(())
}

/// One file packed by zstd.
fn unpacked(name: &str, folder: &Path) -> Option<PathBuf> {
    let packed = test_material::shared()?.join("data/stores/bolt").join(name);
    let path = folder.join(name.trim_end_matches(".zst"));
    run(Command::new("zstd").arg("-dqf").arg(packed).arg("-o").arg(&path));
    Some(path)
}

/// Buckets and values as an independent reader counted them.
#[test]
fn containerd_of_120_images() {
    let folder = TempDir::new().unwrap();
    for (name, counts) in [
        ("containerd16_meta.db.zst", (2189, 5573)),
        ("containerd16_overlay_metadata.db.zst", (367, 2904)),
    ] {
        let Some(path) = unpacked(name, folder.path()) else { return };
        let device = Counting::new(fs::read(&path).unwrap());
        let found = listing(device.clone());
        let (taken, size) = (device.take(), device.size());
        eprintln!("{name}: {size} bytes, {} reads, {} bytes read", taken.reads, taken.bytes);
        assert!(taken.bytes < size);
        assert_eq!((found.counts(), found.problems.len()), (counts, 0));
        let Some(expected) = dump(&path) else { return };
        assert_same(name, &found, &expected);
    }
}

fn find(folder: &Path) -> Vec<PathBuf> {
    let output = run(Command::new("find").arg(folder).args(["-type", "f", "-name", "*.db"]));
    let mut files: Vec<_> = String::from_utf8(output).unwrap().lines().map(PathBuf::from).collect();
    files.sort();
    files
}

#[test]
fn all_of_other_scanners_tests_and_of_the_stores() {
    let folder = TempDir::new().unwrap();
    for (archive, pattern) in [
        ("fixtures.tar.zst", "*container-runtime/*.db"),
        ("stores/containerd-overlayfs-small.tar.zst", "*.db"),
        ("stores/docker-overlay2-small.tar.zst", "*.db"),
        ("stores/docker26-containerd-snapshotter-small.tar.zst", "*.db"),
        ("stores/podman-containers-storage-small.tar.zst", "*.db"),
    ] {
        if unpack(archive, pattern, folder.path()).is_none() {
            return;
        }
    }
    let (mut databases, mut values, mut others) = (0, 0, Vec::new());
    for path in find(folder.path()) {
        let bytes = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Err(problem) = open(bytes.clone()) {
            others.push(format!("{name}: {problem}"));
            continue;
        }
        let Some(expected) = dump(&path) else { return };
        let found = listing(bytes);
        assert_same(&name, &found, &expected);
        (databases, values) = (databases + 1, values + found.counts().1);
    }
    others.sort();
    assert_eq!((databases, values), (25, 6722));
    let too_short = ": damaged bbolt database: a file that is too short for bbolt, page 0";
    let expected =
        ["invalid_meta.db", "not_bolt_state.db"].map(|name| format!("{name}{too_short}"));
    assert_eq!(others, expected);
}
