//! Hosts of many layouts: each has its packages in the right place and others, as decoys, where a
//! running system would not show them. Partition tables are sfdisk's, filesystems those of mke2fs,
//! mkfs.xfs and ntfs-3g.

mod boot;
mod btrfs;
mod images;
mod mounts;
mod windows;

use crate::support::{scan, tool};
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const SECTOR: u64 = 512;
const MIB: u64 = 1 << 20;
/// A plain partition of Linux.
const LINUX: &str = "0fc63daf-8483-4772-8e79-3d69d8477de4";

/// What a partition holds.
enum Content {
    /// An ext4 filesystem of these files, and further options of mke2fs.
    Ext4(Vec<(&'static str, String)>, &'static [&'static str]),
    /// The bytes of this file.
    Image(PathBuf),
    /// Bytes of no known format.
    Noise,
    /// Nothing.
    Blank,
}

struct Part {
    label: &'static str,
    kind: &'static str,
    /// Attribute bits.
    bits: &'static [u32],
    mib: u64,
    content: Content,
}

/// A partition of ext4.
fn part(label: &'static str, files: Vec<(&'static str, String)>) -> Part {
    Part { label, kind: LINUX, bits: &[], mib: 4, content: Content::Ext4(files, &[]) }
}

/// The same with options of mke2fs, such as a UUID.
fn part_with(
    label: &'static str,
    options: &'static [&'static str],
    files: Vec<(&'static str, String)>,
) -> Part {
    Part { content: Content::Ext4(files, options), ..part(label, Vec::new()) }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A disk with these partitions. The partition id of the n-th has n at its end.
fn disk(work: &Path, name: &str, parts: &[Part]) -> PathBuf {
    let image = work.join(name);
    let total = parts.iter().map(|part| part.mib).sum::<u64>() + 2;
    File::create(&image).expect("made").set_len(total * MIB).expect("grown");
    table(work, name, &image, parts);
    let mut offset = MIB;
    for (number, part) in (1..).zip(parts) {
        fill(work, &format!("{name}-{number}"), &image, offset, part);
        offset += part.mib * MIB;
    }
    image
}

/// Partitions one after the other. sfdisk writes them, since sgdisk waits for all disks of the machine.
fn table(work: &Path, name: &str, image: &Path, parts: &[Part]) {
    let mut script = "label: gpt\n".to_owned();
    let mut start = MIB / SECTOR;
    for (number, part) in (1..).zip(parts) {
        let size = part.mib * MIB / SECTOR;
        let (kind, label, id) = (part.kind, part.label, part_id(number));
        let line = format!(
            "{number}: start={start}, size={size}, type={kind}, uuid={id}, name=\"{label}\""
        );
        let bits: Vec<String> = part.bits.iter().map(u32::to_string).collect();
        let bits = match bits.as_slice() {
            [] => String::new(),
            bits => format!(", attrs=\"GUID:{}\"", bits.join(",")),
        };
        script = format!("{script}{line}{bits}\n");
        start += size;
    }
    let file = work.join(format!("{name}.table"));
    fs::write(&file, script).expect("written");
    let (file, image) = (text(&file), text(image));
    let command = format!("sfdisk --quiet --no-reread --no-tell-kernel '{image}' < '{file}'");
    tool("sh", &["-c", &command]);
}

fn part_id(number: u32) -> String {
    format!("aaaaaaaa-bbbb-4ccc-8ddd-{number:012}")
}

fn fill(work: &Path, name: &str, image: &Path, offset: u64, part: &Part) {
    let seek = format!("seek={}", offset / MIB);
    let copy = |from: &str| {
        let from = format!("if={from}");
        let to = format!("of={}", text(image));
        tool("dd", &[&from, &to, &seek, "bs=1M", "conv=notrunc,sparse", "status=none"]);
    };
    match &part.content {
        Content::Ext4(files, options) => {
            let folder = work.join(name);
            for (path, content) in files {
                write(&folder, path, content);
            }
            fs::create_dir_all(&folder).expect("made");
            let place = format!("offset={offset}");
            let mut arguments = vec!["-q", "-F", "-t", "ext4", "-b", "4096", "-O", "^has_journal"];
            arguments.extend(["-E", &place, "-d", text(&folder)]);
            arguments.extend(*options);
            let blocks = (part.mib * MIB / 4096).to_string();
            arguments.extend([text(image), &blocks]);
            tool("mke2fs", &arguments);
        }
        Content::Image(file) => copy(text(file)),
        Content::Noise => {
            let noise = work.join(name);
            let bytes: Vec<u8> =
                (0..part.mib * MIB).map(|at| (at * 7 + at / 3 + 1) as u8).collect();
            fs::write(&noise, bytes).expect("written");
            copy(text(&noise));
        }
        Content::Blank => {}
    }
}

/// Writes a file; `-> target` is a link, and a path that ends in a slash is a folder.
fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    if path.to_str().is_some_and(|path| path.ends_with('/')) {
        fs::create_dir_all(&path).expect("made");
        return;
    }
    fs::create_dir_all(path.parent().expect("below the root")).expect("made");
    match content.strip_prefix("-> ") {
        Some(target) => symlink(target, &path).expect("linked"),
        None => fs::write(&path, content).expect("written"),
    }
}

/// A file of a tree.
fn file(path: &'static str, content: &str) -> (&'static str, String) {
    (path, content.to_owned())
}

/// dpkg's status with one package.
fn status(path: &'static str, package: &str) -> (&'static str, String) {
    let text = format!(
        "Package: {package}\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n\n"
    );
    (path, text)
}

const STATUS: &str = "var/lib/dpkg/status";

/// A small Debian of this version with one package.
fn debian(version: &str, package: &str) -> Vec<(&'static str, String)> {
    let name = format!("Debian GNU/Linux {version}");
    vec![
        file(
            "etc/os-release",
            &format!("ID=debian\nVERSION_ID={version}\nPRETTY_NAME=\"{name}\"\n"),
        ),
        file("etc/debian_version", version),
        file("etc/fstab", ""),
        file("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
        file("usr/bin/", ""),
        status(STATUS, package),
    ]
}

/// The same, with more files.
fn with(
    mut files: Vec<(&'static str, String)>,
    more: Vec<(&'static str, String)>,
) -> Vec<(&'static str, String)> {
    for (path, content) in more {
        files.retain(|(known, _)| *known != path);
        files.push((path, content));
    }
    files
}

/// What a scan found.
struct Seen {
    code: i32,
    report: Value,
}

impl Seen {
    fn of(disks: &[&Path]) -> Self {
        let (code, report) = scan(disks);
        Self { code, report }
    }

    fn packages(&self) -> Vec<&str> {
        let packages = self.report["assets"][0]["packages"].as_array().expect("packages");
        packages.iter().filter_map(|package| package["name"].as_str()).collect()
    }

    fn os(&self) -> (&str, &str) {
        let os = &self.report["host"]["os"];
        (os["id"].as_str().expect("an id"), os["version_id"].as_str().expect("a version"))
    }

    /// `path device` of each mount.
    fn mounts(&self) -> Vec<String> {
        let mounts = self.report["host"]["mounts"].as_array().expect("mounts");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        mounts.iter().map(|it| format!("{} {}", text(&it["path"]), text(&it["device"]))).collect()
    }

    /// `place: detail` of each gap.
    fn gaps(&self) -> Vec<String> {
        let gaps = self.report["gaps"].as_array().expect("gaps");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        gaps.iter().map(|it| format!("{}: {}", text(&it["place"]), text(&it["detail"]))).collect()
    }

    /// State and detail of a part.
    fn part(&self, name: &str) -> (&str, &str) {
        let parts = self.report["coverage"]["parts"].as_array().expect("parts");
        let part = parts.iter().find(|part| part["name"] == name);
        let part = part.unwrap_or_else(|| panic!("no part {name} of {parts:?}"));
        (part["state"].as_str().expect("a state"), part["detail"].as_str().unwrap_or_default())
    }

    /// The packages are these, and there is no gap.
    #[track_caller]
    fn is_whole(&self, packages: &[&str]) {
        assert_eq!((self.packages(), self.gaps()), (packages.to_vec(), Vec::new()));
        assert_eq!(self.code, 0);
    }
}
