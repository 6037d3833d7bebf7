//! Hosts with an apk database: real ones of the shared data, read beside us by awk, and the package
//! lists of real hosts, written as a database.

use crate::support::{packages, scan, tool};
use serde_json::Value;
use sidelight::host::{Host, Tree};
use sidelight::inventory::{Cataloger, Owners, os::apk::Apk};
use sidelight::model::HostContext;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ALPINE: &str = "ID=alpine\nVERSION_ID=3.19.0\nPRETTY_NAME=\"Alpine Linux v3.19\"\n";
/// Records of at least a name and a version: name, version, architecture, source and its version.
const AWK: &str = r#"BEGIN { RS=""; FS="\n"; OFS="\t" } {
  split("", of)
  for (at = 1; at <= NF; at++) { key = substr($at, 1, 2); if (!(key in of)) of[key] = substr($at, 3) }
  if (of["P:"] != "" && of["V:"] != "")
    print of["P:"], of["V:"], of["A:"], (of["o:"] == "" ? of["P:"] : of["o:"]), of["V:"]
}"#;
const AWK_FILES: &str = r#"/^P:/ { name = substr($0, 3) } /^F:/ { folder = substr($0, 3) }
/^R:/ { print name "\t/" (folder == "" ? "" : folder "/") substr($0, 3) } /^$/ { folder = "" }"#;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Writes a host with this database.
fn plant(root: &Path, folder: &str, database: &[u8]) {
    fs::create_dir_all(root.join("etc")).expect("made");
    fs::write(root.join("etc/os-release"), ALPINE).expect("written");
    fs::create_dir_all(root.join(folder)).expect("made");
    fs::write(root.join(folder).join("installed"), database).expect("written");
}

/// An ext4 disk of a folder.
fn disk(work: &Path, root: &Path) -> PathBuf {
    let image = work.join("host.img");
    let fixed = ["-q", "-F", "-t", "ext4", "-d", text(root), text(&image), "64m"];
    tool("mke2fs", &fixed);
    image
}

fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    gaps.map(|gap| [&gap["place"], &gap["reason"], &gap["detail"]].map(text).join(" | ")).collect()
}

fn awk(program: &str, database: &Path) -> Vec<String> {
    let mut lines: Vec<_> =
        tool("awk", &[program, text(database)]).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// A folder of the shared data.
fn shared(pattern: &str) -> Option<tempfile::TempDir> {
    let archive = test_material::shared()?.join("data/fixtures.tar.zst");
    let folder = tempfile::tempdir().expect("a folder");
    let into = ["-C", text(folder.path()), "--wildcards", pattern];
    tool("tar", &[&["--zstd", "-xf", text(&archive)], &into[..]].concat());
    Some(folder)
}

#[test]
fn real_databases_have_what_awk_finds_in_them() {
    let Some(folder) = shared("*/apk/testdata/*") else { return };
    for (file, count, problems) in [
        ("os-scalibr/apk/testdata/installed", 15, 0),
        ("os-scalibr/apk/testdata/different-arch", 1, 0),
        ("dpkg-rpm-apk-trivy/pkg/apk/testdata/apk", 15, 1),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        let root = work.path().join("root");
        let from = folder.path().join("fixtures").join(file);
        plant(&root, "lib/apk/db", &fs::read(&from).expect("read"));
        let (_, report) = scan(&[&disk(work.path(), &root)]);
        let (found, expected) = (packages(&report), awk(AWK, &from));
        assert_eq!((found.len(), gaps(&report).len()), (count, problems), "{file}: {report:#}");
        assert_eq!(found, expected, "{file}");
    }
}

/// Name, version, architecture, source and its version of a list of packages.
type List = Vec<[String; 5]>;

fn of_vuls(file: &Path) -> List {
    let list: Value = serde_json::from_slice(&fs::read(file).expect("read")).expect("JSON");
    let mut sources = std::collections::HashMap::new();
    for source in list["SrcPackages"].as_object().expect("sources").values() {
        for binary in source["binaryNames"].as_array().expect("names") {
            sources.insert(binary.as_str().expect("a name"), source["name"].as_str().expect("it"));
        }
    }
    let packages = list["packages"].as_object().expect("packages").values();
    let row = |it: &Value| {
        let of = |key: &str| it[key].as_str().expect("text").to_owned();
        let source = sources[of("name").as_str()].to_owned();
        [of("name"), of("version"), of("arch"), source, of("version")]
    };
    packages.map(row).collect()
}

fn of_trivy(file: &Path) -> List {
    let list: Value = serde_json::from_slice(&fs::read(file).expect("read")).expect("JSON");
    let keys = ["Name", "Version", "Arch", "SrcName", "SrcVersion"];
    let row = |it: &Value| keys.map(|key| it[key].as_str().unwrap_or_default().to_owned());
    list.as_array().expect("packages").iter().map(row).collect()
}

#[test]
fn the_packages_of_real_hosts_written_as_a_database() {
    let Some(folder) = shared("*alpine*.json*") else { return };
    let folder = folder.path().join("fixtures");
    for (list, count) in [
        (of_vuls(&folder.join("hostlists-vulsio/alpine_319.json")), 18),
        (of_trivy(&folder.join("pkglists-trivy/alpine-310.json.golden")), 14),
    ] {
        let (work, mut database) = (tempfile::tempdir().expect("a folder"), String::new());
        for [name, version, arch, source, _] in &list {
            let _ = write!(database, "C:Q1x=\nP:{name}\nV:{version}\nA:{arch}\no:{source}\n\n");
        }
        let root = work.path().join("root");
        plant(&root, "lib/apk/db", database.as_bytes());
        let (code, report) = scan(&[&disk(work.path(), &root)]);
        let mut expected: Vec<_> = list.iter().map(|row| row.join("\t")).collect();
        expected.sort();
        assert_eq!((code, gaps(&report)), (0, Vec::new()));
        assert_eq!(packages(&report), expected);
        assert_eq!(expected.len(), count);
    }
}

#[test]
fn merged_folders_are_one_database_and_its_purls_are_those_of_the_specification() {
    let work = tempfile::tempdir().expect("a folder");
    let root = work.path().join("root");
    plant(
        &root,
        "usr/lib/apk/db",
        b"P:libcrypto3\nV:3.1.4-r2\nA:x86_64\no:openssl\n\nP:musl\nV:1.2.4_git20230717-r4\nA:x86_64\no:musl\n",
    );
    symlink("usr/lib", root.join("lib")).expect("linked");
    let (code, report) = scan(&[&disk(work.path(), &root)]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
    let found = report["assets"][0]["packages"].as_array().expect("packages");
    let purls: Vec<_> = found.iter().map(|it| it["purl"].as_str().expect("a purl")).collect();
    assert_eq!(
        purls,
        [
            "pkg:apk/alpine/libcrypto3@3.1.4-r2?arch=x86_64&distro=alpine-3.19.0&upstream=openssl",
            "pkg:apk/alpine/musl@1.2.4_git20230717-r4?arch=x86_64&distro=alpine-3.19.0",
        ]
    );
    assert_eq!(found[0]["evidence"], serde_json::json!(["/lib/apk/db/installed"]));
}

#[test]
fn damage_is_told_with_its_line_and_the_rest_is_read() {
    for (database, told, count) in [
        (b"P:a\nV:1\n\n\xff\xfe\n\nP:b\nV:1\n".as_slice(), "corrupt | line 4: not a field", 2),
        (b"P:a\nV:1\n\nP:b\n", "corrupt | record at line 4: no version", 1),
        (b"", "missing | a package database in which nothing is installed", 0),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        plant(work.path(), "lib/apk/db", database);
        let (code, report) = scan(&[&PathBuf::from(format!("dir:{}", text(work.path())))]);
        let expected = format!("/lib/apk/db/installed | {told}");
        assert_eq!((code, gaps(&report)), (3, vec![expected]));
        assert_eq!(packages(&report).len(), count);
    }
}

#[test]
fn the_files_that_packages_own_are_those_that_awk_finds() {
    let Some(folder) = shared("*/apk/testdata/*") else { return };
    let from = folder.path().join("fixtures/os-scalibr/apk/testdata/installed");
    let work = tempfile::tempdir().expect("a folder");
    plant(work.path(), "lib/apk/db", &fs::read(&from).expect("read"));
    let directory = sidelight::filesystem::Directory::open(work.path()).expect("opened");
    let host = Host { tree: Tree::new(Arc::new(directory)), context: HostContext::default() };
    let mut owners = Owners::new(&host.tree, &mut Vec::new());
    Apk.catalog_owning(&host, b"/lib/apk/db/installed", &mut owners);
    let expected = awk(AWK_FILES, &from);
    for line in &expected {
        let (name, path) = line.split_once('\t').expect("a path");
        assert_eq!(owners.of(path.as_bytes()), Some(name), "{path}");
    }
    assert_eq!((owners.len(), expected.len()), (expected.len(), 109));
    assert!(expected.contains(&"alpine-baselayout\t/etc/motd".to_owned()));
}
