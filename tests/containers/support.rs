//! Disks with a host on which container stores lie, and what is said of them.

use serde_json::Value;
use sha2::{Digest, Sha256};
use sidelight::filesystem::Kind;
use sidelight::host::{Descend, Detail, Tree};
use sidelight::pipeline::{self, Counter, Progress, Request, Stage, parse_target};
use sidelight::{containers, model::printable};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a program, which must succeed, and gives what it prints.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// A disk of one filesystem, mounted while it is filled.
pub struct Disk {
    pub image: PathBuf,
    mounted: PathBuf,
    is_mounted: bool,
}

impl Disk {
    /// A new one, with what makes it a host.
    pub fn new(folder: &Path, format: &str) -> Self {
        let (image, mounted) = (folder.join("disk.img"), folder.join("mounted"));
        std::fs::create_dir_all(&mounted).unwrap();
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(400 << 20).unwrap();
        let quiet = if format == "xfs" { "-qf" } else { "-qF" };
        run(&format!("mkfs.{format}"), &[quiet, image.to_str().unwrap()]);
        run("mount", &["-o", "loop", image.to_str().unwrap(), mounted.to_str().unwrap()]);
        let disk = Self { image, mounted, is_mounted: true };
        std::fs::create_dir_all(disk.path("/etc")).unwrap();
        let release = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n";
        disk.write("/etc/os-release", release);
        disk.write("/var/lib/dpkg/status", "Package: base-files\nStatus: install ok installed\nVersion: 12.4\nArchitecture: amd64\n");
        disk
    }

    /// Where a path of the host is while the disk is mounted.
    pub fn path(&self, path: &str) -> PathBuf {
        self.mounted.join(path.trim_start_matches('/'))
    }

    pub fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        std::fs::write(self.path(path), text).unwrap();
    }

    /// Copies a folder with all that belongs to its files.
    pub fn copy(&self, from: &Path, to: &str) {
        let to = self.path(to);
        std::fs::create_dir_all(&to).unwrap();
        run("cp", &["-a", &format!("{}/.", from.display()), to.to_str().unwrap()]);
    }

    /// Ends the mount, so that all is on the disk.
    pub fn finish(&mut self) {
        if std::mem::take(&mut self.is_mounted) {
            run("umount", &[self.mounted.to_str().unwrap()]);
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.finish();
    }
}

/// The report of a scan, and its exit code.
pub fn scan(image: &Path, options: &[&str]) -> (i32, Value) {
    scan_target(image.to_str().unwrap(), options)
}

/// The same of a target as it is written.
pub fn scan_target(target: &str, options: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_sidelight"))
        .args(["scan", "--format", "json", "--no-match"])
        .args(options)
        .arg(target)
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    (code, report)
}

/// The assets of a kind, by engine, namespace, and name.
pub fn assets<'a>(report: &'a Value, kind: &str) -> BTreeMap<String, &'a Value> {
    let assets = report["assets"].as_array().unwrap().iter().filter(|it| it["kind"] == kind);
    let named = assets.map(|asset| {
        let context = &asset["container"];
        let namespace =
            context["namespace"].as_str().map(|it| format!("{it}/")).unwrap_or_default();
        (format!("{namespace}{}", asset["name"].as_str().unwrap()), asset)
    });
    named.collect()
}

struct Silent;

impl Progress for Silent {
    fn stage(&self, _: Stage) {}
    fn count(&self, _: Counter) {}
}

/// The packages of a merged tree, read whole.
pub fn whole(tree: Tree) -> Vec<String> {
    let mut gaps = Vec::new();
    let context = sidelight::host::identify_container(&tree, &mut gaps);
    let host = sidelight::host::Host { tree, context };
    let catalogued =
        sidelight::inventory::Catalogued::whole(&host, &sidelight::inventory::Options::default());
    catalogued.packages().0.iter().map(|it| serde_json::to_string(it).unwrap()).collect()
}

/// Has `look` look at each container of a disk and its merged tree, if it has one.
pub fn each(image: &Path, look: &mut dyn FnMut(&containers::Container, Option<Tree>)) {
    let targets = parse_target(image.to_str().unwrap()).unwrap();
    let targets: Vec<_> = targets.into_iter().collect();
    let opened = pipeline::open(&Request::new(&targets, 64 << 20), &Silent).unwrap();
    let host = opened.tree.unwrap();
    let found = containers::find(&host);
    for container in &found.containers {
        let tree = container.layers.as_ref().ok().map(|layers| {
            let folders: Vec<_> = layers.folders.iter().map(|layer| layer.at).collect();
            let marks = found.marks[&container.context.store];
            host.merged(&folders, marks).unwrap()
        });
        look(container, tree);
    }
}

/// All of a tree, a line each: path, type, mode, user, group, size, and digest or target.
pub fn listed(tree: &Tree) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    let mut gaps = Vec::new();
    let mut visit = |step: &sidelight::host::WalkStep| {
        let path = printable(&[step.folder, b"/", step.name].concat());
        let found = step.metadata.unwrap();
        let (letter, size, last) = match step.kind {
            Kind::Directory => ("d", 0, String::new()),
            Kind::Symlink => ("l", 0, printable(&tree.read_link(step.at).unwrap())),
            Kind::File => ("f", found.size, digest(tree, &path)),
            Kind::Other => ("o", 0, String::new()),
        };
        let (mode, uid, gid) = (found.mode, found.uid, found.gid);
        lines.insert(path, format!("{letter}\t{mode:04o}\t{uid}\t{gid}\t{size}\t{last}"));
        Descend::Yes
    };
    tree.walk_below(b"/", Detail::Metadata, &mut visit, &mut gaps).unwrap();
    assert_eq!(gaps, []);
    lines
}

fn digest(tree: &Tree, path: &str) -> String {
    let mut bytes = Vec::new();
    tree.open(path.as_bytes()).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
    let mut text = String::new();
    for byte in Sha256::digest(&bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// What an engine's export holds, as [`listed`] has it. Of a hard link the export names another path of the file.
pub fn expected(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).unwrap();
    let (mut rows, mut hard) = (BTreeMap::new(), Vec::new());
    for line in text.lines() {
        let [path, letter, mode, uid, gid, size, last]: [&str; 7] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let path = path.trim_end_matches("/.");
        // The bits that tell the type are in some exports only.
        let mode = &mode[mode.len() - 4..];
        match letter {
            _ if path.is_empty() => {}
            "c" | "b" | "p" => {
                drop(rows.insert(path.to_owned(), format!("o\t{mode}\t{uid}\t{gid}\t0\t")));
            }
            "h" => hard.push((path.to_owned(), format!("/{}", last.trim_start_matches("./")))),
            _ => drop(rows.insert(
                path.to_owned(),
                format!("{letter}\t{mode}\t{uid}\t{gid}\t{size}\t{last}"),
            )),
        }
    }
    for (path, target) in hard {
        let same = rows[&target].clone();
        rows.insert(path, same);
    }
    rows
}
