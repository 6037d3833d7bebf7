//! Hosts of several disks: fstab names each in another way, the disks come in any order, and the
//! package database is on one of them.

use crate::support::{scan, tool};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const STATUS: &str =
    "Package: good\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n\n";
const UUID: &str = "11111111-2222-4333-8444-555555555555";
const PART_UUID: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A disk with one partition of this number, or none, filled by mke2fs from a folder. All partitions
/// have one name and id, as those of a disk and its copy do.
fn disk(work: &Path, name: &str, partition: Option<u32>, from: &Path, extra: &[&str]) -> PathBuf {
    let image = work.join(name);
    File::create(&image).expect("made").set_len(16 << 20).expect("grown");
    let mut offset = 0;
    if let Some(number) = partition {
        let (new, label) =
            (format!("--new={number}:2048:0"), format!("--change-name={number}:data disk"));
        let id = format!("--partition-guid={number}:{PART_UUID}");
        tool("sgdisk", &["--clear", &new, &label, &id, text(&image)]);
        offset = 2048 * 512;
    }
    let place = format!("offset={offset}");
    let mut arguments =
        vec!["-q", "-F", "-t", "ext4", "-b", "4096", "-E", &place, "-d", text(from)];
    arguments.extend(extra);
    arguments.extend([text(&image), "3000"]);
    tool("mke2fs", &arguments);
    image
}

struct Host {
    work: tempfile::TempDir,
    root: PathBuf,
    data: PathBuf,
}

/// Folders for a root whose fstab has `line`, and for `/var` with the package database.
fn host(lines: &str) -> Host {
    let work = tempfile::tempdir().expect("a folder");
    let (root, data) = (work.path().join("root"), work.path().join("var"));
    fs::create_dir_all(root.join("etc")).expect("made");
    fs::create_dir_all(root.join("var")).expect("made");
    fs::create_dir_all(data.join("lib/dpkg")).expect("made");
    fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=12\n").expect("written");
    fs::write(root.join("etc/fstab"), lines).expect("written");
    fs::write(data.join("lib/dpkg/status"), STATUS).expect("written");
    Host { work, root, data }
}

#[test]
fn every_way_of_naming_a_data_disk_joins_it() {
    for (spec, partition) in [
        (format!("UUID={}", UUID.to_uppercase()), None),
        ("LABEL=var".to_owned(), Some(1)),
        (format!("PARTUUID={PART_UUID}"), Some(7)),
        (r"PARTLABEL=data\040disk".to_owned(), Some(3)),
        (format!("/dev/disk/by-uuid/{UUID}"), Some(1)),
        ("/dev/nvme1n1".to_owned(), None),
        ("/dev/nvme1n1p2".to_owned(), Some(2)),
        ("/dev/xvdf".to_owned(), None),
        ("/dev/sdb1".to_owned(), Some(1)),
    ] {
        let host = host(&format!("/dev/root / ext4 defaults 0 1\n{spec} /var ext4 defaults 0 2\n"));
        let root = disk(host.work.path(), "root.img", Some(1), &host.root, &["-L", "root"]);
        let data =
            disk(host.work.path(), "data.img", partition, &host.data, &["-L", "var", "-U", UUID]);
        for targets in [[&root, &data], [&data, &root]] {
            let (code, report) = scan(&targets.map(PathBuf::as_path));
            assert_eq!((code, &report["gaps"]), (0, &serde_json::json!([])), "{spec}");
            assert_eq!(report["assets"][0]["packages"][0]["name"], "good", "{spec}");
            let mounts = &report["host"]["mounts"];
            assert_eq!(mounts[1]["path"], "/var", "{spec}");
            assert!(mounts[1]["device"].as_str().is_some_and(|name| name.starts_with("data.img")));
        }
    }
}

#[test]
fn a_disk_that_fstab_wants_and_nobody_gave_is_a_gap() {
    let host = host("LABEL=var /var ext4 defaults 0 2\nLABEL=backup /backup ext4 noauto 0 2\n");
    let root = disk(host.work.path(), "root.img", Some(1), &host.root, &[]);
    let (code, report) = scan(&[&root]);
    assert_eq!(code, 3);
    let gaps: Vec<_> =
        report["gaps"].as_array().expect("gaps").iter().map(|gap| &gap["place"]).collect();
    assert!(gaps.contains(&&"/var".into()) && !gaps.contains(&&"/backup".into()), "{gaps:?}");
}

#[test]
fn a_filesystem_that_nothing_mounts_is_a_gap_unless_it_is_empty() {
    let host = host("");
    let empty = host.work.path().join("empty");
    fs::create_dir(&empty).expect("made");
    fs::create_dir_all(host.root.join("var/lib/dpkg")).expect("made");
    fs::write(host.root.join("var/lib/dpkg/status"), STATUS).expect("written");
    let root = disk(host.work.path(), "root.img", Some(1), &host.root, &[]);
    let data = disk(host.work.path(), "data.img", None, &host.data, &[]);
    let nothing = disk(host.work.path(), "empty.img", None, &empty, &[]);
    let (code, report) = scan(&[&root, &nothing]);
    assert_eq!((code, &report["gaps"]), (0, &serde_json::json!([])));
    let (code, report) = scan(&[&root, &data]);
    assert_eq!((code, &report["gaps"][0]["place"]), (3, &"data.img".into()));
}

#[test]
fn the_root_is_the_filesystem_with_the_os_not_the_first() {
    let host = host("LABEL=var /var ext4 defaults 0 2\n");
    let work = host.work.path();
    let root = disk(work, "root.img", None, &host.root, &["-L", "root"]);
    let data = disk(work, "data.img", Some(1), &host.data, &["-L", "var"]);
    let (code, report) = scan(&[&data, &root]);
    assert_eq!((code, &report["host"]["mounts"][0]["device"]), (0, &"root.img".into()));
}

/// A root with a stale package database of its own where another is mounted over it.
fn stale(host: &Host) {
    fs::create_dir_all(host.root.join("srv/lib/dpkg")).expect("made");
    let stale = STATUS.replace("good", "stale");
    fs::write(host.root.join("srv/lib/dpkg/status"), stale).expect("written");
}

fn names(report: &serde_json::Value) -> Vec<&str> {
    let packages = report["assets"][0]["packages"].as_array().expect("packages");
    packages.iter().filter_map(|package| package["name"].as_str()).collect()
}

#[test]
fn a_mount_point_behind_a_link_is_joined() {
    let host = host("LABEL=var /var/lib/dpkg ext4 defaults 0 2\n");
    stale(&host);
    symlink("/srv/lib", host.root.join("var/lib")).expect("linked");
    let work = host.work.path();
    let root = disk(work, "root.img", None, &host.root, &["-L", "root"]);
    let data = disk(work, "data.img", None, &host.data.join("lib/dpkg"), &["-L", "var"]);
    let (code, report) = scan(&[&root, &data]);
    assert_eq!((code, names(&report)), (0, vec!["good"]));
}

#[test]
fn a_mount_point_that_cannot_be_made_is_a_gap_and_the_root_stays() {
    let host = host("LABEL=var /not/there ext4 defaults 0 2\nLABEL=var // ext4 defaults 0 2\n");
    fs::write(host.root.join("not"), "no folder").expect("written");
    fs::create_dir_all(host.root.join("var/lib/dpkg")).expect("made");
    fs::write(host.root.join("var/lib/dpkg/status"), STATUS).expect("written");
    let work = host.work.path();
    let root = disk(work, "root.img", None, &host.root, &["-L", "root"]);
    let data = disk(work, "data.img", None, &host.data, &["-L", "var"]);
    let (code, report) = scan(&[&root, &data]);
    assert_eq!((code, names(&report)), (3, vec!["good"]));
    assert_eq!(report["gaps"][0]["place"], "/not/there");
    assert_eq!(report["host"]["mounts"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_bind_mount_shows_what_it_binds() {
    let host = host("/srv/lib /var/lib none rw,bind 0 0\n");
    stale(&host);
    fs::create_dir_all(host.root.join("var/lib/dpkg")).expect("made");
    fs::write(host.root.join("var/lib/dpkg/status"), STATUS).expect("written");
    let root = disk(host.work.path(), "root.img", None, &host.root, &[]);
    let (code, report) = scan(&[&root]);
    assert_eq!((code, names(&report)), (0, vec!["stale"]));
}

#[test]
fn a_system_folder_on_another_machine_is_a_gap_and_data_is_not() {
    let host = host("nas:/var /var nfs defaults 0 0\nnas:/home /home nfs4 defaults 0 0\n");
    fs::create_dir_all(host.root.join("var/lib/dpkg")).expect("made");
    fs::write(host.root.join("var/lib/dpkg/status"), STATUS).expect("written");
    let root = disk(host.work.path(), "root.img", None, &host.root, &[]);
    let (code, report) = scan(&[&root]);
    assert_eq!((code, report["gaps"].as_array().map(Vec::len)), (3, Some(1)));
    assert_eq!(report["gaps"][0]["place"], "/var");
}

/// The type of a partition is a word of whoever made it; packages are not hidden by it.
#[test]
fn a_filesystem_is_found_whatever_its_partition_is_called() {
    for kind in ["ef00", "8200", "ef02", "0700"] {
        let host = host("PARTLABEL=data\\040disk /var ext4 defaults 0 2\n");
        let root = disk(host.work.path(), "root.img", None, &host.root, &[]);
        let data = disk(host.work.path(), "data.img", Some(4), &host.data, &[]);
        tool("sgdisk", &[&format!("--typecode=4:{kind}"), text(&data)]);
        let (code, report) = scan(&[&root, &data]);
        assert_eq!((code, names(&report)), (0, vec!["good"]), "{kind}");
    }
}
