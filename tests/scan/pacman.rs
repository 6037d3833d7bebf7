//! Hosts with a pacman database, made by pacman itself, which says what is in it.

use crate::support::{scan, tool};
use serde_json::Value;
use sidelight::host::{Host, Tree};
use sidelight::inventory::{Cataloger, Owners, os::pacman::Pacman};
use sidelight::model::HostContext;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ARCH: &str = "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n";
/// Name, version, base, architecture and packager of packages.
const PACKAGES: [[&str; 5]; 4] = [
    ["zlib", "1:1.3.1-2", "zlib", "x86_64", "Levente Polyak <anthraxx@archlinux.org>"],
    ["gcc-libs", "14.2.1+r134+gab884fffe3fc-1", "gcc", "x86_64", "Frederik Schwan"],
    ["linux-firmware-whence", "20241111.b5885ec5-1", "linux-firmware", "any", "jan"],
    ["yay-bin", "12.4.2-1", "yay-bin", "x86_64", "Unknown Packager"],
];

/// Whether pacman is there and may install; `false` skips the test.
fn has_pacman() -> bool {
    if !test_material::root() {
        return false;
    }
    let there = std::process::Command::new("pacman").arg("--version").output().is_ok();
    if !there {
        test_material::skip("no pacman; run scripts/setup, which installs it");
    }
    there
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    gaps.map(|gap| [&gap["place"], &gap["reason"], &gap["detail"]].map(text).join(" | ")).collect()
}

fn packages(report: &Value) -> &[Value] {
    report["assets"][0]["packages"].as_array().expect("packages")
}

/// What pacman prints when asked about a root.
fn pacman(root: &Path, arguments: &[&str]) -> String {
    let database = root.join("var/lib/pacman");
    let config = root.join("pacman.conf");
    let places = ["--root", text(root), "--dbpath", text(&database), "--config", text(&config)];
    tool("env", &[&["LC_ALL=C", "TZ=UTC", "pacman"], &places[..], arguments].concat())
}

/// A root in which pacman has installed the packages.
fn install(work: &Path) -> PathBuf {
    let root = work.join("root");
    fs::create_dir_all(root.join("var/lib/pacman")).expect("made");
    fs::create_dir_all(root.join("etc")).expect("made");
    fs::write(root.join("etc/os-release"), ARCH).expect("written");
    let config = "[options]\nSigLevel = Never\nArchitecture = x86_64\nDisableSandbox\n";
    fs::write(root.join("pacman.conf"), config.replace("DisableSandbox\n", "")).expect("written");
    for [name, version, base, arch, packager] in PACKAGES {
        let files = work.join(name);
        fs::create_dir_all(files.join("usr/share").join(name)).expect("made");
        for at in 0..3 {
            let file = files.join("usr/share").join(name).join(format!("file {at}"));
            fs::write(file, name).expect("written");
        }
        let info = format!(
            "pkgname = {name}\npkgbase = {base}\npkgver = {version}\npkgdesc = %NAME%\nurl = x\nbuilddate = 1700000000\npackager = {packager}\nsize = 9\narch = {arch}\nlicense = MIT\n"
        );
        fs::write(files.join(".PKGINFO"), info).expect("written");
        let archive = work.join(format!("{name}.pkg.tar.zst"));
        tool("tar", &["--zstd", "-cf", text(&archive), "-C", text(&files), ".PKGINFO", "usr"]);
        pacman(&root, &["-U", "--noconfirm", text(&archive)]);
    }
    root
}

fn disk(work: &Path, root: &Path) -> PathBuf {
    let image = work.join("host.img");
    tool("mke2fs", &["-q", "-F", "-t", "ext4", "-d", text(root), text(&image), "64m"]);
    image
}

/// Name, version, architecture, packager and second of installation, as `pacman -Qi` has them.
fn queried(root: &Path) -> Vec<String> {
    let answer = pacman(root, &["-Qi"]);
    let field = |block: &str, key: &str| {
        let line = block.lines().find(|line| line.starts_with(key)).expect("a field");
        line.split_once(':').expect("a colon").1.trim().to_owned()
    };
    let row = |block: &str| {
        let keys = ["Name", "Version", "Architecture", "Packager", "Install Date"];
        let mut row = keys.map(|key| field(block, key));
        let second = tool("date", &["-u", "-d", &row[4], "+%s"]);
        second.trim().clone_into(&mut row[4]);
        row.join("\t")
    };
    let mut rows: Vec<_> = answer.trim().split("\n\n").map(row).collect();
    rows.sort();
    rows
}

fn found(report: &Value) -> Vec<String> {
    let row = |it: &Value| {
        let of = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let second = tool("date", &["-u", "-d", &of("installed_at"), "+%s"]);
        [of("name"), of("version"), of("arch"), of("vendor"), second.trim().to_owned()].join("\t")
    };
    let mut rows: Vec<_> = packages(report).iter().map(row).collect();
    rows.sort();
    rows
}

#[test]
fn a_database_that_pacman_made_has_what_pacman_says() {
    if !has_pacman() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = install(work.path());
    let (code, report) = scan(&[&disk(work.path(), &root)]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
    let expected = queried(&root);
    assert_eq!((found(&report), expected.len()), (expected, 4));
    let gcc = packages(&report).iter().find(|it| it["name"] == "gcc-libs").expect("it");
    let version = "14.2.1%2Br134%2Bgab884fffe3fc-1";
    let purl = format!("pkg:alpm/arch/gcc-libs@{version}?arch=x86_64&upstream=gcc");
    assert_eq!((&gcc["purl"], &gcc["source"]["name"]), (&purl.into(), &"gcc".into()));
}

/// pacman goes on with a package by what its folder is called, and complains.
#[test]
fn a_package_whose_desc_is_damaged_is_known_by_its_folder() {
    if !has_pacman() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = install(work.path());
    let local = root.join("var/lib/pacman/local");
    fs::remove_file(local.join("zlib-1:1.3.1-2/desc")).expect("removed");
    fs::write(local.join("yay-bin-12.4.2-1/desc"), b"%NAME%\nother\n\n\xff\n").expect("written");
    fs::create_dir(local.join("stray")).expect("made");
    fs::write(local.join("a-file-1-1"), "").expect("made");
    let (code, report) = scan(&[&disk(work.path(), &root)]);
    let names = |text: String| {
        let pair = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let mut names: Vec<_> = text.lines().map(pair).collect();
        names.sort();
        names
    };
    let lines = packages(&report)
        .iter()
        .map(|it| [&it["name"], &it["version"]].map(|text| text.as_str().expect("text")).join(" "));
    let lines = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(names(lines), names(pacman(&root, &["-Q"])));
    assert_eq!(code, 3);
    assert_eq!(
        gaps(&report),
        [
            "/var/lib/pacman/local/stray | corrupt | a folder whose name is no name and version",
            "/var/lib/pacman/local/yay-bin-12.4.2-1/desc | corrupt | its NAME is not what its folder is called",
            "/var/lib/pacman/local/zlib-1:1.3.1-2/desc | missing | not a regular file",
        ]
    );
}

#[test]
fn the_files_that_packages_own_are_those_that_pacman_lists() {
    if !has_pacman() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = install(work.path());
    let directory = sidelight::filesystem::Directory::open(&root).expect("opened");
    let host = Host { tree: Tree::new(Arc::new(directory)), context: HostContext::default() };
    let mut owners = Owners::new(&host.tree, &mut Vec::new());
    let found = Pacman.catalog_owning(&host, b"/var/lib/pacman/local", &mut owners);
    assert_eq!(found.gaps, []);
    let listed = pacman(&root, &["-Ql"]);
    let listed: Vec<_> = listed.lines().filter(|line| !line.ends_with('/')).collect();
    for line in &listed {
        let (name, path) = line.split_once(' ').expect("a path");
        let path = path.replacen(text(&root), "", 1);
        assert_eq!(owners.of(path.as_bytes()), Some(name), "{path}");
    }
    assert_eq!((owners.len(), listed.len()), (12, 12));
}

/// Many packages are read at the same time, and come in order.
#[test]
fn a_thousand_packages() {
    if !has_pacman() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = install(work.path());
    let local = root.join("var/lib/pacman/local");
    for at in 0..1000 {
        let folder = local.join(format!("made-{at}-1.{at}-1"));
        fs::create_dir(&folder).expect("made");
        let desc = format!(
            "%NAME%\nmade-{at}\n\n%VERSION%\n1.{at}-1\n\n%ARCH%\nany\n\n%PACKAGER%\nme\n\n%INSTALLDATE%\n{}\n\n",
            1_700_000_000 + at
        );
        fs::write(folder.join("desc"), desc).expect("written");
    }
    let (code, report) = scan(&[&disk(work.path(), &root)]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
    let lines = packages(&report)
        .iter()
        .map(|it| [&it["name"], &it["version"]].map(|text| text.as_str().expect("text")).join(" "));
    let mut found: Vec<_> = lines.collect();
    found.sort();
    let answer = pacman(&root, &["-Q"]);
    let mut expected: Vec<_> = answer.lines().collect();
    expected.sort_unstable();
    assert_eq!(
        (found.len(), &found[..]),
        (1004, &expected.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..])
    );
}
