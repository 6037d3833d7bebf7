//! Programs that Go built, against `go version -m`; one with a list of crates as `cargo auditable` leaves
//! it; and well-known programs of this machine, against what they say of themselves.

use crate::support::{Names, assert_same, has, names, output};
use sidelight::filesystem::Directory;
use sidelight::host::{Host, Tree};
use sidelight::inventory::language::{CATALOGERS, executables};
use sidelight::model::{Ecosystem, GapReason, HostContext, Package, Partial};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use test_material::Counting;

/// What the cataloger of executables finds in a file of this machine.
fn read(path: &Path) -> Partial<Vec<Package>> {
    let (root, path) = (Directory::open(Path::new("/")).unwrap(), path.to_str().unwrap());
    let host = Host { tree: Tree::new(Arc::new(root)), context: HostContext::default() };
    let cataloger = CATALOGERS.iter().find(|it| it.name() == "executables").unwrap();
    cataloger.catalog(&host, path.as_bytes())
}

/// A module with a dependency that a folder replaces.
fn module(folder: &Path) {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("dep/go.mod", "module example.org/dep/v2\n\ngo 1.18\n");
    write("dep/dep.go", "package dep\n\nvar Text = \"x\"\n");
    let requires = "require example.org/dep/v2 v2.3.4\nreplace example.org/dep/v2 => ./dep\n";
    write("go.mod", &format!("module example.org/app\n\ngo 1.18\n{requires}"));
    write(
        "main.go",
        "package main\n\nimport \"example.org/dep/v2\"\n\nfunc main() { println(dep.Text) }\n",
    );
}

fn go(folder: &Path, system: &str, architecture: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("go");
    command.args(arguments).current_dir(folder).env("GOOS", system).env("GOARCH", architecture);
    command.env("GOCACHE", folder.join("cache")).env("GOPATH", folder.join("path"));
    command.env("GOFLAGS", "-mod=mod").env("GOPROXY", "off").env("CGO_ENABLED", "0");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Modules and the standard library as `go version -m` tells them.
fn told(text: &str) -> Names {
    let version = text.lines().next().and_then(|line| line.rsplit_once(": go")).unwrap().1;
    let mut names = vec![("stdlib".to_owned(), version.to_owned())];
    for line in text.lines() {
        let words: Vec<_> = line.trim_start().split('\t').collect();
        match words[..] {
            ["mod" | "dep", path, version, ..] => names.push((path.to_owned(), version.to_owned())),
            // The folder has no version; the module keeps its name.
            ["=>", _, version, ..] => version.clone_into(&mut names.last_mut().unwrap().1),
            _ => {}
        }
    }
    names.into_iter().collect()
}

#[test]
fn go_programs_of_all_formats() {
    if Command::new("go").arg("version").output().is_err() {
        return test_material::skip("no Go; run scripts/setup, which installs it");
    }
    let folder = tempfile::tempdir().unwrap();
    module(folder.path());
    let systems =
        [("linux", "amd64"), ("linux", "s390x"), ("windows", "amd64"), ("darwin", "arm64")];
    for (system, architecture) in systems {
        let program = folder.path().join(system);
        go(folder.path(), system, architecture, &["build", "-o", program.to_str().unwrap(), "."]);
        let told = told(&go(folder.path(), "", "", &["version", "-m", program.to_str().unwrap()]));
        assert_eq!(told.len(), 3, "{told:?}");
        let found = read(&program);
        assert_same(
            &format!("go, {system} {architecture}"),
            &names(&found.found, Ecosystem::Golang),
            &told,
        );
        assert_eq!(found.gaps, []);
    }
    let program = folder.path().join("stripped");
    let flags = "-ldflags=-s -w -X main.version=1.2.3";
    go(folder.path(), "linux", "amd64", &["build", flags, "-o", program.to_str().unwrap(), "."]);
    let found = names(&read(&program).found, Ecosystem::Golang);
    assert!(found.contains(&("example.org/app".to_owned(), "v1.2.3".to_owned())), "{found:?}");
}

#[test]
fn of_a_large_go_program_little_is_read() {
    let found = output("go", &["env", "GOROOT"], Path::new("/"));
    let program = Path::new(found.trim()).join("bin/go");
    if !program.exists() {
        return test_material::skip("no Go; run scripts/setup, which installs it");
    }
    let bytes = fs::read(program).unwrap();
    let (size, device) = (bytes.len(), Counting::new(bytes));
    let found = executables::packages(Arc::new(device.clone()), b"/renamed");
    assert_eq!((found.found.len(), found.gaps.len()), (2, 0), "{found:?}");
    let taken = device.take();
    assert!(taken.blocks() <= 3, "{} blocks of 512 KiB of {size} bytes", taken.blocks());
    assert!(taken.bytes < 64 << 10, "{} bytes of {size}", taken.bytes);
}

/// A program of this machine with a section of these bytes, that lines of Python give.
fn with_section(folder: &Path, script: &str) -> Option<std::path::PathBuf> {
    let (section, program) = (folder.join("section"), folder.join("program"));
    let head = "import json, os, sys, zlib\n";
    output(
        test_material::python()?,
        &["-c", &format!("{head}open('section', 'wb').write({script})")],
        folder,
    );
    let add = format!(".dep-v0={}", section.display());
    let arguments = ["--add-section", &add, "/bin/true", program.to_str()?];
    output("objcopy", &arguments, folder);
    Some(program)
}

#[test]
fn crates_that_cargo_auditable_lists() {
    if !has("objcopy") {
        return test_material::skip("no objcopy; run scripts/setup, which installs it");
    }
    let folder = tempfile::tempdir().unwrap();
    let list = r#"zlib.compress(json.dumps({"packages": [
        {"name": "app", "version": "0.1.0", "source": "local", "root": True, "dependencies": [1]},
        {"name": "serde", "version": "1.0.1", "source": "crates.io"},
        {"name": "cc", "version": "1.0.2", "source": "crates.io", "kind": "build"}]}).encode())"#;
    let Some(program) = with_section(folder.path(), list) else { return };
    let found = read(&program);
    let expected = [("app", "0.1.0"), ("serde", "1.0.1")];
    let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned())).into();
    assert_same("rust", &names(&found.found, Ecosystem::Cargo), &expected);
    assert_eq!(found.gaps, []);
    let cases = [
        ("b'no zlib'", GapReason::Corrupt),
        ("zlib.compress(b'no JSON')", GapReason::Corrupt),
        ("zlib.compress(b'[' * 100000)", GapReason::Corrupt),
        ("zlib.compress(os.urandom(100))[:50]", GapReason::Corrupt),
        ("zlib.compress(bytes(1 << 28))", GapReason::Limit),
        ("os.urandom(5 << 20)", GapReason::Limit),
    ];
    for (script, reason) in cases {
        let Some(program) = with_section(folder.path(), script) else { return };
        let reasons: Vec<_> = read(&program).gaps.iter().map(|gap| gap.reason).collect();
        assert_eq!(reasons, [reason], "{script}");
    }
}

#[test]
fn well_known_programs_say_the_same_of_themselves() {
    let programs = [
        ("bash", "/bin/bash", "--version", "version "),
        ("perl", "/usr/bin/perl", "-v", "(v"),
        ("git", "/usr/bin/git", "--version", "version "),
        ("openssl", "/usr/bin/openssl", "version", "OpenSSL "),
        ("curl", "/usr/bin/curl", "--version", "curl "),
        ("xz", "/usr/bin/xz", "--version", "(XZ Utils) "),
        ("zstandard", "/usr/bin/zstd", "--version", ") v"),
    ];
    let mut compared = 0;
    for (product, path, argument, before) in programs {
        if !Path::new(path).exists() {
            continue;
        }
        let text = output(path, &[argument], Path::new("/"));
        let version = text.split_once(before).unwrap().1;
        let version = version.split([' ', '(', ')', ',', '\n']).next().unwrap();
        let found = names(&read(Path::new(path)).found, Ecosystem::Generic);
        assert!(found.contains(&(product.to_owned(), version.to_owned())), "{version}: {found:?}");
        compared += 1;
    }
    assert!(compared >= 2, "only {compared} programs");
}

#[test]
fn what_is_no_program_is_neither_a_package_nor_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [&[u8]; 6] = [
        b"",
        b"#!/bin/sh\nexit 0\n",
        b"MZ",
        b"\xca\xfe\xba\xbe\0\0\0\x34class",
        b"nginx/1.22.1",
        &[0; 4096],
    ];
    for bytes in cases {
        let path = folder.path().join("nginx");
        fs::write(&path, bytes).unwrap();
        assert_eq!(read(&path), Partial::default());
    }
}
