//! Files that are refused as disks, and what images say of the blocks that hold data. The images
//! and packed files are made by the tools whose formats they are.

use crate::support::{scan, sidelight, tool};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

/// The message of a scan that must not start; one that hangs is ended.
fn refusal(path: &str) -> String {
    refusal_with(path, &[])
}

fn refusal_with(path: &str, options: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_sidelight");
    let mut timeout = Command::new("timeout");
    timeout.args(["60", program, "scan", "--no-match", path]).args(options);
    let output = timeout.output().expect("timeout runs");
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
    for (format, name) in [("qed", "a qed image; convert it"), ("parallels", "a parallels image")] {
        let image = path("image");
        tool("qemu-img", &["convert", "-q", "-O", format, &raw, &image]);
        let message = refusal(&image);
        assert!(message.contains(name), "{format}: {message}");
    }
    tool("bzip2", &["-q", "-k", &raw]);
    let message = refusal(&format!("{raw}.bz2"));
    assert!(message.contains("a bzip2 file; unpack it"), "{message}");
    tool("tar", &["-cf", &path("tar"), &raw]);
    let message = refusal(&path("tar"));
    assert!(message.contains("a tar archive without an OVF; unpack it"), "{message}");
}

/// A disk that holds a filesystem, and a file on it.
fn filesystem(path: &Path, name: &str) {
    let content = path.with_extension("content");
    fs::create_dir_all(content.join("etc")).expect("made");
    fs::write(content.join("etc/os-release"), "ID=debian\nVERSION_ID=12\n").expect("written");
    fs::write(content.join("etc/hostname"), name).expect("written");
    let (path, content) = (path.to_str().expect("UTF-8"), content.to_str().expect("UTF-8"));
    tool("mke2fs", &["-q", "-t", "ext4", "-O", "^has_journal", "-d", content, path, "8M"]);
}

#[test]
fn a_host_is_found_in_images_of_all_formats_and_in_packed_ones() {
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    let raw = path("raw");
    filesystem(Path::new(&raw), "this-host");
    let mut images = vec![raw.clone()];
    for (format, options) in [
        ("qcow2", "extended_l2=on,compression_type=zstd"),
        ("vmdk", "subformat=monolithicSparse"),
        ("vmdk", "subformat=streamOptimized"),
        ("vmdk", "subformat=twoGbMaxExtentFlat"),
        ("vpc", "subformat=dynamic"),
        ("vpc", "subformat=fixed"),
        ("vhdx", "subformat=dynamic"),
        ("vdi", "static=off"),
    ] {
        let image = path(&format!("image{}", images.len()));
        tool("qemu-img", &["convert", "-q", "-O", format, "-o", options, &raw, &image]);
        images.push(image);
    }
    for (program, ending) in [("gzip", "gz"), ("xz", "xz"), ("zstd", "zst")] {
        tool(program, &["-q", "-k", &raw]);
        images.push(format!("{raw}.{ending}"));
    }
    for image in images {
        let (code, report) = scan(&[Path::new(&image)]);
        let host = &report["host"];
        let found = (host["hostname"].as_str(), host["os"]["id"].as_str());
        assert_eq!(found, (Some("this-host"), Some("debian")), "{image}: {code} {report}");
    }
}

/// Each is told and stands in the coverage; alone it ends the scan.
#[test]
fn an_image_that_cannot_be_opened_does_not_stop_the_others() {
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    filesystem(Path::new(&path("good")), "this-host");
    let image = ["create", "-q", "-f", "qcow2", "-u", "-F", "raw", "-b", "none", "b.qcow2", "8M"];
    let output = Command::new("qemu-img").args(image).current_dir(work.path()).output();
    assert!(output.expect("qemu-img runs").status.success());
    let secret = ["--object", "secret,id=key,data=abc", "-o"];
    let options = ["encrypt.format=luks,encrypt.key-secret=key", &path("luks.qcow2"), "8M"];
    tool("qemu-img", &[&["create", "-q", "-f", "qcow2"][..], &secret, &options].concat());
    tool("qemu-img", &["convert", "-q", "-O", "qed", &path("good"), &path("b.qed")]);
    fs::write(path("b.gz"), b"\x1f\x8b\x08").expect("written");
    for (name, reason, told) in [
        ("b.qcow2", "unreadable", "the backing file \"none\": No such file"),
        ("luks.qcow2", "unsupported", "encrypted qcow2"),
        ("b.qed", "unsupported", "a qed image"),
        ("b.gz", "unreadable", "unpacking the gzip stream"),
        ("nowhere", "missing", "No such file"),
    ] {
        let bad = path(name);
        for targets in [[path("good"), bad.clone()], [bad.clone(), path("good")]] {
            let (code, report) = scan(&targets.each_ref().map(Path::new));
            assert_eq!((code, &report["host"]["hostname"]), (3, &"this-host".into()), "{name}");
            let gaps = report["gaps"].as_array().expect("gaps");
            let gap = gaps.iter().find(|gap| gap["place"] == name).expect(name);
            let detail = gap["detail"].as_str().expect("text");
            assert!(gap["reason"] == reason && detail.contains(told), "{gap}");
            let parts = report["coverage"]["parts"].as_array().expect("parts");
            let part = parts.iter().find(|part| part["name"] == name).expect(name);
            assert_eq!((&part["state"], &part["detail"]), (&"gap".into(), &gap["detail"]));
        }
        assert!(refusal(&bad).contains(told), "{name}");
    }
}

/// Whether or not what is missing is asked for.
#[test]
fn an_image_that_was_cut_off_is_told_when_it_is_opened() {
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    filesystem(Path::new(&path("raw")), "this-host");
    let noise: Vec<u8> =
        (0..1_u32 << 20).map(|it| (it.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    let raw = File::options().write(true).open(path("raw")).expect("opened");
    raw.write_all_at(&noise, 7 << 20).expect("written");
    tool("qemu-img", &["convert", "-q", "-O", "qcow2", &path("raw"), &path("whole.qcow2")]);
    let whole = fs::read(path("whole.qcow2")).expect("read");
    fs::write(path("cut.qcow2"), &whole[..whole.len() - (600 << 10)]).expect("written");
    let (_, report) = scan(&[Path::new(&path("whole.qcow2"))]);
    let of_image = |report: &serde_json::Value, name: &str| {
        let gaps = report["gaps"].as_array().expect("gaps").iter();
        let own = gaps.filter(|gap| gap["place"] == name).map(|gap| gap["detail"].to_string());
        own.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(of_image(&report, "whole.qcow2"), "");
    let (code, report) = scan(&[Path::new(&path("cut.qcow2"))]);
    assert_eq!((code, &report["host"]["hostname"]), (3, &"this-host".into()));
    let told = of_image(&report, "cut.qcow2");
    assert!(told.contains("bytes of the disk are past the end of the image"), "{report}");
}

/// A packed disk of a filesystem in somewhat more than a GiB, most of it holes.
fn packed(work: &Path) -> String {
    let raw = work.join("raw").to_str().expect("UTF-8").to_owned();
    filesystem(Path::new(&raw), "packed-host");
    File::options().write(true).open(&raw).expect("opened").set_len(1100 << 20).expect("grown");
    tool("zstd", &["-q", "--rm", &raw]);
    format!("{raw}.zst")
}

#[test]
fn a_packed_disk_is_unpacked_as_far_as_is_allowed() {
    let work = tempfile::tempdir().expect("a folder");
    let path = packed(work.path());
    for limit in ["0", "1"] {
        let message = refusal_with(&path, &["--unpack-limit", limit]);
        let bytes = limit.parse::<u64>().expect("a number") << 30;
        let expected = format!("unpacks to more than {bytes} bytes that are allowed");
        assert!(message.contains(&expected), "{message}");
        assert!(
            message.contains("unpack it to a file first, or raise --unpack-limit"),
            "{message}"
        );
    }
    for command in [&["scan", "--no-match"][..], &["disks"]] {
        let arguments = [command, &["--unpack-limit", "2", "--format", "json", &path]].concat();
        let output = sidelight(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(if command.len() > 1 { 3 } else { 0 }), "{stderr}");
    }
}

#[test]
fn a_packed_disk_that_there_is_no_room_for_says_where() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    let noise: Vec<u8> =
        (0..4_u32 << 20).map(|it| (it.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    fs::write(path("raw"), noise).expect("written");
    tool("gzip", &["-q", &path("raw")]);
    fs::create_dir(path("small")).expect("made");
    tool("mount", &["-t", "tmpfs", "-o", "size=1M", "tmpfs", &path("small")]);
    let program = env!("CARGO_BIN_EXE_sidelight");
    let output = Command::new(program)
        .args(["scan", "--no-match", &path("raw.gz")])
        .env("TMPDIR", path("small"))
        .output();
    tool("umount", &[&path("small")]);
    let output = output.expect("it runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    let expected = format!("there is room for in {:?}; name a larger one in TMPDIR", path("small"));
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn the_disks_of_an_appliance_are_those_of_one_host() {
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    filesystem(Path::new(&path("root")), "root");
    tool("mke2fs", &["-q", "-t", "ext4", "-O", "^has_journal", &path("other"), "8M"]);
    for name in ["root", "other"] {
        let options =
            ["-o", "subformat=streamOptimized", &path(name), &path(&format!("{name}.vmdk"))];
        tool("qemu-img", &[&["convert", "-q", "-O", "vmdk"][..], &options].concat());
    }
    fs::write(path("host.ovf"), "<Envelope/>").expect("written");
    fs::write(path("cd.iso"), "nothing").expect("written");
    let members = ["host.ovf", "root.vmdk", "cd.iso", "other.vmdk"];
    let folder = work.path().to_str().expect("UTF-8");
    tool("tar", &[&["-C", folder, "-cf", &path("host.ova")][..], &members].concat());
    let (code, report) = scan(&[Path::new(&path("host.ova"))]);
    assert_eq!(report["host"]["hostname"], "root", "{report}");
    assert_eq!(report["host"]["mounts"][0]["device"], "host.ova:root.vmdk", "{report}");
    let gaps = report["gaps"].as_array().expect("gaps");
    assert!(gaps.iter().any(|gap| gap["place"] == "host.ova:cd.iso"), "{report}");
    assert_eq!(code, 3);
}

#[test]
fn a_backing_file_outside_the_folder_of_the_image_is_refused() {
    let work = tempfile::tempdir().expect("a folder");
    let image = work.path().join("image").to_str().expect("UTF-8").to_owned();
    tool("qemu-img", &["create", "-q", "-f", "qcow2", &image, "1M"]);
    tool("qemu-img", &["rebase", "-u", "-b", "/etc/passwd", "-F", "raw", &image]);
    let message = refusal(&image);
    assert!(message.contains("\"/etc/passwd\" is not opened: it is outside"), "{message}");
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
    let image = path("image.vmdk");
    tool("qemu-img", &["convert", "-O", "vmdk", &raw, &image]);
    assert_eq!(allocated(Path::new(&image)), 5, "vmdk");
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
