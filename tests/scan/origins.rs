//! Hosts whose package managers keep where packages come from; apt, which fetches its indexes into the host
//! without a network, is the witness for Debian's.

use crate::support::{scan, tool};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const DEBIAN: &str =
    "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nPRETTY_NAME=\"Debian 12\"\n";

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

/// A stanza of `status` or of an index.
fn stanza(name: &str, version: &str, arch: &str, more: &str) -> String {
    format!(
        "Package: {name}\n{more}Maintainer: m <m@example.org>\nArchitecture: {arch}\nVersion: {version}\nDescription: x\n\n"
    )
}

/// An archive as `apt` takes one: release file and one index for a component.
fn archive(folder: &Path, release: &str, suite: &str, component: &str, packages: &str) {
    let dist = folder.join("dists").join(suite);
    let index = format!("{component}/binary-amd64/Packages");
    write(&dist.join(&index), packages);
    let sum = tool("sha256sum", &[dist.join(&index).to_str().expect("UTF-8")]);
    let sum = sum.split_whitespace().next().expect("a sum");
    let size = packages.len();
    let components = format!("Components: {component}\nArchitectures: amd64\n");
    let date = "Date: Thu, 01 Jan 2026 00:00:00 UTC\n";
    write(
        &dist.join("Release"),
        &format!("{release}{components}{date}SHA256:\n {sum} {size} {index}\n"),
    );
}

/// A host with five packages, and archives that have three of them.
fn host(work: &Path) -> PathBuf {
    let root = work.join("root");
    write(&root.join("etc/os-release"), DEBIAN);
    let installed = "Status: install ok installed\n";
    let mut status = String::new();
    for (name, version, arch) in [
        ("base", "1-1", "amd64"),
        ("fixed", "1:2-1+deb12u1", "amd64"),
        ("docker-ce", "5:24~bookworm", "amd64"),
        ("local", "1", "all"),
        ("older", "1", "amd64"),
    ] {
        status += &stanza(name, version, arch, installed);
    }
    write(&root.join("var/lib/dpkg/status"), &status);
    let debian = "Origin: Debian\nLabel: Debian\nSuite: oldstable\nCodename: bookworm\n";
    let mut packages = stanza("base", "1-1", "amd64", "Filename: a\nSize: 1\n");
    packages += &stanza("older", "2", "amd64", "Filename: a\nSize: 1\n");
    archive(&work.join("debian"), debian, "bookworm", "main", &packages);
    let security = "Origin: Debian\nLabel: Debian-Security\nSuite: oldstable-security\nCodename: bookworm-security\n";
    let packages = stanza("fixed", "1:2-1+deb12u1", "amd64", "Filename: a\nSize: 1\n");
    archive(&work.join("debian"), security, "bookworm-security", "updates/main", &packages);
    let docker = "Origin: Docker\nSuite: bookworm\nCodename: bookworm\n";
    let packages = stanza("docker-ce", "5:24~bookworm", "amd64", "Filename: a\nSize: 1\n");
    archive(&work.join("docker"), docker, "bookworm", "stable", &packages);
    root
}

/// Runs a tool of apt on the host.
fn apt(work: &Path, program: &str, options: &[&str], arguments: &[&str]) -> String {
    let root = work.join("root");
    let mut all = vec![
        format!("-oDir={}", root.display()),
        "-oDir::State::status=var/lib/dpkg/status".to_owned(),
    ];
    all.push(format!("-oDir::State::status={}", root.join("var/lib/dpkg/status").display()));
    for fixed in [
        "APT::Architecture=amd64",
        "APT::Architectures=amd64",
        "APT::Sandbox::User=root",
        "Acquire::Languages=none",
        "Debug::NoLocking=1",
    ] {
        all.push(format!("-o{fixed}"));
    }
    let empty = work.join("empty");
    write(&empty, "");
    let options = options.iter().map(|it| format!("-o{it}"));
    let arguments = arguments.iter().map(|it| (*it).to_owned());
    let output = Command::new(program)
        .args(all.into_iter().chain(options).chain(arguments))
        .env("APT_CONFIG", &empty)
        .output()
        .expect("apt runs");
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{} {}", shown(&output.stdout), shown(&output.stderr));
    shown(&output.stdout)
}

/// Where `apt-cache policy` says that the installed version is: `bookworm/main`, if anywhere but here.
fn policy(text: &str) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    let (mut name, mut here) = (String::new(), false);
    for line in text.lines() {
        if let Some(package) = line.strip_suffix(':').filter(|it| !it.starts_with(' ')) {
            package.clone_into(&mut name);
            found.insert(name.clone(), None);
            here = false;
        } else if line.starts_with(" *** ") {
            here = true;
        } else if line.starts_with("     ") && !line.starts_with("        ") {
            here = false;
        } else if here && line.contains(" Packages") {
            let archive = line.split_whitespace().nth(2).expect("an archive");
            found.entry(name.clone()).or_default().get_or_insert(archive.to_owned());
        }
    }
    found
}

fn packages(report: &Value) -> &[Value] {
    report["assets"][0]["packages"].as_array().expect("packages")
}

fn found(report: &Value, field: &str) -> BTreeMap<String, Option<String>> {
    let of = |it: &Value| {
        let name = it["name"].as_str().expect("a name").to_owned();
        (name, it[field].as_str().map(str::to_owned))
    };
    packages(report).iter().map(of).collect()
}

/// Has apt fetch the indexes, kept as these options say, and compares.
fn check(options: &[&str], ending: &str) {
    if Command::new("apt-get").arg("--version").output().is_err() {
        return test_material::skip("no apt");
    }
    let work = tempfile::tempdir().expect("made");
    let root = host(work.path());
    let at =
        |folder: &str| format!("deb [trusted=yes] copy:{}", work.path().join(folder).display());
    let (debian, docker) = (at("debian"), at("docker"));
    let sources = format!(
        "{debian} bookworm main\n{debian} bookworm-security updates/main\n{docker} bookworm stable\n"
    );
    write(&root.join("etc/apt/sources.list"), &sources);
    for folder in
        ["etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"]
    {
        fs::create_dir_all(root.join(folder)).expect("made");
    }
    apt(work.path(), "apt-get", options, &["-qq", "update"]);
    let lists = fs::read_dir(root.join("var/lib/apt/lists")).expect("lists");
    let names = lists.map(|it| it.expect("an entry").file_name().into_string().expect("UTF-8"));
    let kept = names.filter(|name| name.ends_with(&format!("_Packages{ending}"))).count();
    assert_eq!(kept, 3);
    let names = ["base", "fixed", "docker-ce", "local", "older"];
    let said = apt(work.path(), "apt-cache", options, &[&["policy"], &names[..]].concat());
    let expected = policy(&said);
    assert_eq!(expected.values().flatten().count(), 3, "{said}");
    let (code, report) = scan(&[Path::new(&format!("dir:{}", root.display()))]);
    assert_eq!((code, &report["gaps"]), (0, &Value::Array(Vec::new())));
    assert_eq!(found(&report, "repository"), expected);
    let origins = found(&report, "origin");
    let origin = |name: &str| origins[name].as_deref();
    let said = ["base", "fixed", "docker-ce", "local"].map(origin);
    assert_eq!(said, [Some("Debian"), Some("Debian"), Some("Docker"), None]);
    let archives = report["host"]["archives"].as_array().expect("archives");
    assert_eq!(archives.len(), 3);
    assert!(archives.iter().all(|it| it["index_read"] == true));
}

#[test]
fn archives_are_those_that_apt_names() {
    check(&["Acquire::GzipIndexes=false"], "");
}

#[test]
fn indexes_that_apt_keeps_packed_are_read() {
    for kind in ["lz4", "gz", "xz", "zst"] {
        let order = format!("Acquire::CompressionTypes::Order={kind}");
        let keep = format!("APT::Compressor::{kind}::Cost=1");
        check(&["Acquire::GzipIndexes=true", &order, &keep], &format!(".{kind}"));
    }
}
