//! Scans of real Debian disks: packages equal what `dpkg-query` wrote beside each disk, from every
//! kind of image, and damage loses only what it hits.

use crate::support::{disks, packages, scan, scan_with, tool};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

fn expected(image: &Path) -> Vec<String> {
    let text = fs::read_to_string(image.with_extension("img.packages")).expect("the witness");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn packages_equal_dpkg_query_from_raw_and_qcow2() {
    let Some(folder) = disks() else { return };
    for (name, extension) in [("debian-11", "img"), ("debian-12", "img"), ("debian-12", "qcow2")] {
        let image = folder.join(name).with_extension(extension);
        let (code, report) = scan(&[&image]);
        assert_eq!(packages(&report), expected(&image), "{name}.{extension}");
        assert_eq!((code, &report["gaps"]), (0, &serde_json::json!([])), "{name}.{extension}");
    }
}

#[test]
fn the_host_is_told_and_few_blocks_are_read() {
    let Some(folder) = disks() else { return };
    let (_, report) = scan_with(&["--only", "os"], &[&folder.join("debian-12.img")]);
    assert!(report["walk"].is_null());
    let host = &report["host"];
    assert_eq!(host["os"]["id"], "debian");
    assert_eq!(host["os"]["version_id"], "12");
    assert_eq!(host["hostname"], "sidelight-fixture");
    assert_eq!(host["ips"], serde_json::json!(["10.9.8.7"]));
    assert_eq!(host["mounts"][0]["path"], "/");
    assert_eq!(host["mounts"][1]["path"], "/boot/efi");
    assert!(host["kernels"][0].as_str().is_some_and(|kernel| kernel.contains("cloud-amd64")));
    let receipt = &report["receipt"];
    let read = receipt["blocks_read"].as_u64().expect("a number");
    assert!(read <= 20, "read {read} blocks");
    assert!(receipt["blocks_allocated"].as_u64().expect("a number") > 1000);
    assert!(receipt["peak_memory_bytes"].as_u64().expect("a number") < 100 << 20);
}

/// A sparse copy, so that a damaged disk of 2 GiB costs what it holds.
fn copy(image: &Path, work: &Path) -> File {
    let target = work.join("copy.img");
    let status =
        std::process::Command::new("cp").arg("--sparse=always").args([image, &target]).status();
    assert!(status.expect("cp runs").success());
    File::options().write(true).read(true).open(target).expect("the copy")
}

#[test]
fn a_damaged_table_is_read_from_its_backup() {
    let Some(folder) = disks() else { return };
    let work = tempfile::tempdir().expect("a folder");
    let image = folder.join("debian-11.img");
    let disk = copy(&image, work.path());
    disk.write_all_at(&[0xff; 64], 512 + 16).expect("written");
    let (code, report) = scan(&[&work.path().join("copy.img")]);
    assert_eq!(packages(&report), expected(&image));
    assert_eq!(code, 3);
    assert!(report["gaps"][0]["detail"].as_str().expect("text").contains("backup table"));
}

#[test]
fn a_truncated_disk_keeps_what_is_there() {
    let Some(folder) = disks() else { return };
    let work = tempfile::tempdir().expect("a folder");
    let disk = copy(&folder.join("debian-11.img"), work.path());
    disk.set_len(1 << 30).expect("cut");
    let (code, report) = scan(&[&work.path().join("copy.img")]);
    assert_eq!(code, 3);
    let gaps = report["gaps"].as_array().expect("gaps");
    assert!(
        gaps.iter().any(|gap| gap["detail"].as_str().is_some_and(|d| d.contains("past the end"))),
        "{gaps:?}"
    );
}

/// `debugfs` and `dd` set what a kernel sets for as long as a filesystem is mounted.
#[test]
fn a_filesystem_without_a_journal_that_was_not_unmounted_is_told() {
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    let not_clean = |image: &str| tool("debugfs", &["-w", "-R", "ssv state 0", image]);
    for (kind, is_left, expected) in [
        ("ext2", false, false),
        ("ext2", true, true),
        ("ext4", true, false),
        ("vfat", false, false),
        ("vfat", true, true),
    ] {
        let image = path("image");
        let _ = fs::remove_file(&image);
        File::create(&image).expect("made").set_len(40 << 20).expect("grown");
        match kind {
            "vfat" => tool("mkfs.vfat", &[&image]),
            _ => tool("mke2fs", &["-q", "-F", "-t", kind, &image]),
        };
        if is_left && kind == "vfat" {
            let boot = File::options().write(true).open(&image).expect("opened");
            boot.write_all_at(&[1], 37).expect("written");
            assert!(said("fsck.fat", &["-n", &image]).contains("Dirty bit is set"));
        } else if is_left {
            not_clean(&image);
            assert!(tool("dumpe2fs", &["-h", &image]).contains("not clean"));
        }
        let (_, report) = scan(&[Path::new(&image)]);
        let gaps = report["gaps"].as_array().expect("gaps");
        let is_it = |gap: &&serde_json::Value| {
            gap["detail"].as_str().is_some_and(|it| it.contains("was not unmounted"))
        };
        let found = gaps.iter().find(is_it).map(|gap| gap["reason"] == "corrupt");
        assert_eq!(found, expected.then_some(true), "{kind} {is_left}: {gaps:?}");
    }
}

/// What a tool prints that ends with an error when it finds something.
fn said(program: &str, arguments: &[&str]) -> String {
    tool(
        "sh",
        &["-c", &format!("{program} \"$@\" || true"), "sh"]
            .iter()
            .chain(arguments)
            .copied()
            .collect::<Vec<_>>(),
    )
}

#[test]
fn what_holds_nothing_known_is_a_gap() {
    let work = tempfile::tempdir().expect("a folder");
    // What was never written holds nothing; that there is no root is told all the same.
    for (name, bytes, told) in
        [("empty", vec![], 2), ("zeroes", vec![0; 1 << 20], 1), ("noise", vec![0xa5; 1 << 20], 2)]
    {
        let path = work.path().join(name);
        fs::write(&path, bytes).expect("written");
        let (code, report) = scan(&[&path]);
        assert_eq!(code, 3, "{name}");
        assert!(
            report["gaps"].as_array().is_some_and(|gaps| gaps.len() == told),
            "{name}: {report}"
        );
    }
}
