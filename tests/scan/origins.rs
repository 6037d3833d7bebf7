//! Hosts whose package managers keep where packages come from; apt, which fetches its indexes into the host
//! without a network, is the witness for Debian's.

use crate::support::{scan, scan_with, tool};
use serde_json::Value;
use std::collections::BTreeMap;
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
    let mut command = Command::new(program);
    command.args(all.into_iter().chain(options).chain(arguments)).env("APT_CONFIG", &empty);
    english(&mut command)
}

/// What a command prints, in English.
fn english(command: &mut Command) -> String {
    let output = command.env("LC_ALL", "C").output().expect("apt runs");
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{} {}", shown(&output.stdout), shown(&output.stderr));
    shown(&output.stdout)
}

/// The archives in which `apt-cache policy` sees the installed version: `bookworm/main`.
fn policy(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let (mut name, mut here) = (String::new(), false);
    for line in text.lines() {
        if let Some(package) = line.strip_suffix(':').filter(|it| !it.starts_with(' ')) {
            package.clone_into(&mut name);
            found.insert(name.clone(), Vec::new());
            here = false;
        } else if line.starts_with(" *** ") {
            here = true;
        } else if line.starts_with("     ") && !line.starts_with("        ") {
            here = false;
        } else if here && line.contains(" Packages") {
            let archive = line.split_whitespace().nth(2).expect("an archive");
            found.entry(name.clone()).or_default().push(archive.to_owned());
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
    let expected =
        expected.into_iter().map(|(name, said)| (name, said.into_iter().next())).collect();
    let (code, report) = scan(&[Path::new(&format!("dir:{}", root.display()))]);
    assert_eq!((code, &report["gaps"]), (0, &Value::Array(Vec::new())));
    assert_eq!(found(&report, "repository"), expected);
    let target = format!("dir:{}", root.display());
    let (_, all) = scan_with(&["--only", "os", "--all-indexes"], &[Path::new(&target)]);
    assert_eq!(found(&all, "repository"), expected);
    let origins = found(&report, "origin");
    let origin = |name: &str| origins[name].as_deref();
    let said = ["base", "fixed", "docker-ce", "local"].map(origin);
    assert_eq!(said, [Some("Debian"), Some("Debian"), Some("Docker"), None]);
    let archives = report["host"]["archives"].as_array().expect("archives");
    assert_eq!(archives.len(), 3);
    assert!(archives.iter().all(|it| it["index_read"] == true));
}

/// Every package of a real host that is this machine: what `apt-cache policy` says of its version.
#[test]
fn all_packages_of_this_machine() {
    let lists = Path::new("/var/lib/apt/lists");
    let names = fs::read_dir(lists).into_iter().flatten().flatten();
    let is_index = |it: &fs::DirEntry| it.file_name().to_string_lossy().contains("_Packages");
    if names.filter(is_index).count() == 0 {
        return test_material::skip("apt has no indexes here; run apt-get update");
    }
    let work = tempfile::tempdir().expect("made");
    let copy = |from: &Path| {
        let to = work.path().join(from.strip_prefix("/").expect("absolute"));
        fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        fs::copy(from, to).expect("copied");
    };
    copy(Path::new("/etc/os-release"));
    copy(Path::new("/var/lib/dpkg/status"));
    let kept = fs::read_dir(lists).expect("lists").map(|it| it.expect("an entry").path());
    let is_wanted = |it: &PathBuf| {
        ["_Packages", "Release"].iter().any(|word| it.to_string_lossy().contains(word))
    };
    kept.filter(|it| it.is_file() && is_wanted(it)).for_each(|it| copy(&it));
    let target = format!("dir:{}", work.path().display());
    let (code, report) = scan_with(&["--all-indexes"], &[Path::new(&target)]);
    assert_eq!((code, &report["gaps"]), (0, &Value::Array(Vec::new())));
    let names = packages(&report).iter().map(|it| {
        let text = |field: &str| it[field].as_str().expect("text");
        if text("arch") == "all" {
            text("name").to_owned()
        } else {
            [text("name"), text("arch")].join(":")
        }
    });
    let names: Vec<_> = names.collect();
    let arguments: Vec<_> =
        ["policy"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let expected = policy(&english(Command::new("apt-cache").args(&arguments)));
    assert!(expected.len() > 50, "{}", expected.len());
    let mut known = 0;
    for (name, archives) in found(&report, "repository") {
        let Some(said) = expected.get(&name) else { continue };
        known += usize::from(archives.is_some());
        assert_eq!(archives.is_some(), !said.is_empty(), "{name}: {archives:?} {said:?}");
        assert!(archives.is_none_or(|it| said.contains(&it)), "{name} {said:?}");
    }
    eprintln!("{} packages, {known} of an archive", expected.len());
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

#[test]
fn an_ubuntu_says_what_its_contract_brings_it() {
    let work = tempfile::tempdir().expect("made");
    let put = |path: &str, text: &str| write(&work.path().join(path), text);
    put("etc/os-release", "ID=ubuntu\nVERSION_ID=\"18.04\"\nPRETTY_NAME=\"Ubuntu 18.04.6 LTS\"\n");
    let installed = "Status: install ok installed\n";
    let status = ["1.1+esm2", "1.1ubuntu1"]
        .map(|version| stanza(&format!("p{version}"), version, "all", installed));
    put("var/lib/dpkg/status", &status.concat());
    put(
        "etc/apt/sources.list.d/ubuntu-esm-infra.list",
        "deb https://esm.ubuntu.com/infra/ubuntu bionic-infra-security main\n",
    );
    put("var/lib/ubuntu-advantage/private/machine-token.json", "{\"machineToken\": \"secret\"}");
    let services = r#"{"attached": true, "expires": "2030-01-01T00:00:00+00:00", "services": [{"name": "esm-apps", "status": "enabled"}, {"name": "fips", "status": "n/a"}]}"#;
    put("var/lib/ubuntu-advantage/status.json", services);
    let (_, report) = scan(&[Path::new(&format!("dir:{}", work.path().display()))]);
    let expected = serde_json::json!({
        "attached": true,
        "enabled": ["esm-apps", "esm-infra"],
        "sources": ["esm-infra"],
        "expires": "2030-01-01T00:00:00+00:00",
        "esm_packages": 1,
        "evidence": [
            "/etc/apt/sources.list.d/ubuntu-esm-infra.list",
            "/var/lib/ubuntu-advantage/private/machine-token.json",
            "/var/lib/ubuntu-advantage/status.json",
        ],
    });
    assert_eq!(report["host"]["ubuntu_pro"], expected);
    assert!(!report.to_string().contains("secret"));
}
