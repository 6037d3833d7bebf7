//! Files that are refused as disks, and what images say of the blocks that hold data. The images
//! and packed files are made by the tools whose formats they are.

use crate::support::{scan, tool};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

/// The message of a scan that must not start; one that hangs is ended.
fn refusal(path: &str) -> String {
    let program = env!("CARGO_BIN_EXE_sidelight");
    let output = Command::new("timeout").args(["60", program, "scan", "--no-match", path]).output();
    let output = output.expect("timeout runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{path}: {stderr}");
    stderr
}

#[test]
fn pipes_sockets_and_character_devices_are_refused_at_once() {
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    tool("mkfifo", &[&path("pipe")]);
    let _listener = UnixListener::bind(path("socket")).expect("bound");
    for (path, word) in [
        (path("pipe"), "a pipe as a disk"),
        (path("socket"), "a socket as a disk"),
        ("/dev/zero".to_owned(), "a character device as a disk"),
    ] {
        let message = refusal(&path);
        assert!(message.contains(word), "{path}: {message}");
    }
}

#[test]
fn images_of_other_formats_and_packed_ones_are_named() {
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    let raw = path("raw");
    fs::write(&raw, vec![0xa5; 1 << 20]).expect("written");
    for (format, options, name) in [
        ("vmdk", "subformat=monolithicSparse", "a vmdk image; convert it"),
        ("vmdk", "subformat=monolithicFlat", "a vmdk image; convert it"),
        ("vpc", "subformat=dynamic", "a vhd image; convert it"),
        ("vhdx", "subformat=dynamic", "a vhdx image; convert it"),
        ("vdi", "static=off", "a vdi image; convert it"),
    ] {
        let image = path("image");
        tool("qemu-img", &["convert", "-q", "-O", format, "-o", options, &raw, &image]);
        let message = refusal(&image);
        assert!(message.contains(name), "{format}, {options}: {message}");
    }
    for (program, ending, name) in [
        ("gzip", "gz", "a gzip file; unpack it"),
        ("xz", "xz", "an xz file; unpack it"),
        ("zstd", "zst", "a zstd file; unpack it"),
        ("bzip2", "bz2", "a bzip2 file; unpack it"),
    ] {
        tool(program, &["-q", "-k", &raw]);
        let message = refusal(&format!("{raw}.{ending}"));
        assert!(message.contains(name), "{program}: {message}");
    }
}

fn allocated(image: &Path) -> serde_json::Value {
    scan(&[image]).1["receipt"]["blocks_allocated"].clone()
}

#[test]
fn blocks_that_hold_data_are_counted_alike_in_raw_and_qcow2() {
    const BLOCK: u64 = 512 * 1024;
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    let raw = path("raw");
    let disk = File::create(&raw).expect("made");
    disk.set_len(64 * BLOCK).expect("grown");
    // In the first block, over the border of two, twice in one, and at the end.
    for at in [0, 6 * BLOCK - 4096, 20 * BLOCK + 4096, 20 * BLOCK + 262_144, 64 * BLOCK - 8192] {
        disk.write_all_at(&[0xa5; 8192], at).expect("written");
    }
    let sizes: [&[&str]; 3] = [&[], &["-o", "cluster_size=512"], &["-c"]];
    assert_eq!(allocated(Path::new(&raw)), 5);
    for options in sizes {
        let image = path("image.qcow2");
        let arguments = [&["convert", "-O", "qcow2"][..], options, &[&raw, &image]].concat();
        tool("qemu-img", &arguments);
        assert_eq!(allocated(Path::new(&image)), 5, "{options:?}");
    }
}

/// A disk of 64 TiB whose first-level entries are those that `entry` gives.
fn crafted(path: &Path, entry: impl Fn(u64) -> u64) {
    tool("qemu-img", &["create", "-q", "-f", "qcow2", path.to_str().expect("UTF-8"), "64T"]);
    let image = File::options().read(true).write(true).open(path).expect("opened");
    let mut place = [0; 8];
    image.read_exact_at(&mut place, 40).expect("read");
    let table: Vec<u8> = (0..131_072).flat_map(|index| entry(index).to_be_bytes()).collect();
    image.write_all_at(&table, u64::from_be_bytes(place)).expect("written");
    // As far as the entries reach; the file has holes there.
    image.set_len(entry(131_071) + (1 << 20)).expect("grown");
}

#[test]
fn a_crafted_qcow2_of_64_tib_is_not_counted() {
    let work = tempfile::tempdir().expect("a folder");
    let path = work.path().join("image.qcow2");
    for entry in [|_| 16 << 20, |index| (16 << 20) + index * 65_536] {
        crafted(&path, entry);
        let (_, report) = scan(&[&path]);
        assert_eq!(report["receipt"]["blocks_allocated"], serde_json::Value::Null);
        let memory = report["receipt"]["peak_memory_bytes"].as_u64().expect("a number");
        assert!(memory < 100 << 20, "{memory}");
        fs::remove_file(&path).expect("removed");
    }
}
