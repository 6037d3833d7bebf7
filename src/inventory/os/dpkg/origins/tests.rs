//! Packages and the archives that have them, and indexes that break off.

use super::*;
use crate::host::Tree;
use crate::model::{Ecosystem, HostContext, Os};
use std::fs;
use std::io::Write;

fn archive(origin: &str, codename: &str, index: &str) -> Archive {
    Archive {
        origin: Some(origin.to_owned()).filter(|origin| !origin.is_empty()),
        codename: Some(codename.to_owned()),
        site: "host.example".to_owned(),
        component: "main".to_owned(),
        index: format!("/{index}"),
        index_read: true,
        ..Archive::default()
    }
}

fn package(name: &str, version: &str, arch: &str) -> Package {
    let of = Package::new(Ecosystem::Deb, name.to_owned(), version.to_owned(), String::new());
    Package { arch: arch.to_owned(), ..of }
}

fn noted(
    archives: Vec<Archive>,
    files: &[(&str, &[u8])],
    mut packages: Vec<Package>,
) -> (Vec<String>, Vec<Gap>) {
    let root = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(root.path().join(name), bytes).unwrap();
    }
    let os = Os { id: "debian".to_owned(), ..Os::default() };
    let context = HostContext { os, archives, ..HostContext::default() };
    let host = Host { tree: Tree::of_directory(root.path()).unwrap(), context };
    let mut gaps = Vec::new();
    note(&host, &mut packages, &mut gaps);
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let show = |it: &Package| format!("{} {} {}", it.name, word(&it.origin), word(&it.repository));
    (packages.iter().map(show).collect(), gaps)
}

fn stanza(name: &str, version: &str, arch: &str) -> String {
    format!(
        "Package: {name}\nArchitecture: {arch}\nDescription: x\n Version: 9\nVersion: {version}\n\n"
    )
}

#[test]
fn a_package_is_of_the_first_archive_with_its_version_and_architecture() {
    let own =
        [stanza("a", "1", "amd64"), stanza("b", "2", "all"), stanza("d", "1", "i386")].concat();
    let other = [stanza("a", "1", "amd64"), stanza("c", "3", "amd64")].concat();
    let archives = vec![archive("Debian", "bookworm", "own"), archive("Docker", "x", "other")];
    let files: [(&str, &[u8]); 2] =
        [("own", own.as_bytes()), ("other", other.trim_end().as_bytes())];
    let packages = vec![
        package("a", "1", "amd64"),
        package("b", "1", "all"),
        package("c", "3", "amd64"),
        Package { origin: Some("Own".to_owned()), ..package("d", "1", "amd64") },
    ];
    let (found, gaps) = noted(archives, &files, packages);
    assert_eq!(gaps, []);
    assert_eq!(found, ["a Debian bookworm/main", "b - -", "c Docker x/main", "d Own -"]);
}

#[test]
fn a_mirror_under_a_name_of_its_own_makes_no_package_foreign() {
    let text = stanza("a", "1", "amd64");
    let files: [(&str, &[u8]); 1] = [("own", text.as_bytes())];
    let packages = || vec![package("a", "1", "amd64")];
    let mirror = || archive(". bookworm", "bookworm", "own");
    let (found, _) = noted(vec![mirror()], &files, packages());
    assert_eq!(found, ["a - bookworm/main"]);
    let unread = Archive { index_read: false, ..archive("Debian", "bookworm", "none") };
    let (found, _) = noted(vec![unread, archive("", "bookworm", "own")], &files, packages());
    assert_eq!(found, ["a - bookworm/main"]);
}

#[test]
fn a_mirror_of_a_part_makes_no_package_foreign_that_the_system_has_or_had() {
    let own = ["3", "7", "1"].iter().zip(["same", "newer", "older"]);
    let own: String = own.map(|(version, name)| stanza(name, version, "amd64")).collect();
    let other = ["same", "newer", "older", "unknown"];
    let other: String = other.map(|name| stanza(name, "3", "amd64")).concat();
    let files: [(&str, &[u8]); 2] = [("own", own.as_bytes()), ("other", other.as_bytes())];
    let archives = |own| vec![archive("Debian", "bookworm", own), archive("Corp", "x", "other")];
    let packages =
        || ["same", "newer", "older", "unknown"].map(|name| package(name, "3", "amd64")).to_vec();
    let (found, _) = noted(archives("own"), &files, packages());
    let expected =
        ["same Debian bookworm/main", "newer - x/main", "older Corp x/main", "unknown Corp x/main"];
    assert_eq!(found, expected);
    // What cannot be read tells nothing.
    let damaged: [(&str, &[u8]); 2] = [("own.gz", b"\x1f\x8b\x08rubbish"), files[1]];
    let (found, gaps) = noted(archives("own.gz"), &damaged, packages());
    assert_eq!((found[0].as_str(), gaps.len()), ("same - x/main", 1));
}

#[test]
fn what_is_damaged_tells_what_came_before() {
    let text =
        [stanza("a", "1", "amd64"), "x: y\n".repeat(200_000), stanza("b", "1", "amd64")].concat();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let mut packed = packed.finish().unwrap();
    packed.truncate(packed.len() - 40);
    let archives = ["own_Packages.gz", "own_Packages.bz2", "none_Packages"];
    let archives = archives.map(|name| archive("Debian", "bookworm", name)).into();
    let files: [(&str, &[u8]); 2] = [("own_Packages.gz", &packed), ("own_Packages.bz2", b"BZh9")];
    let packages = vec![package("a", "1", "amd64"), package("b", "1", "amd64")];
    let (found, gaps) = noted(archives, &files, packages);
    assert_eq!(found, ["a Debian bookworm/main", "b - -"]);
    let reasons: Vec<_> = gaps.iter().map(|gap| (gap.place.as_str(), gap.reason)).collect();
    let expected =
        [("/own_Packages.gz", GapReason::Corrupt), ("/own_Packages.bz2", GapReason::Unsupported)];
    assert_eq!(reasons, expected);
}

#[test]
fn stanzas_of_rubbish_name_no_package() {
    let rubbish =
        [&b"Package: a\0\xff\n\n\n\nPackage:\nVersion:\n"[..], &vec![b'x'; 1 << 17]].concat();
    let files: [(&str, &[u8]); 1] = [("own", &rubbish)];
    let archives = vec![archive("Debian", "bookworm", "own")];
    let (found, gaps) = noted(archives, &files, vec![package("a", "", "")]);
    assert_eq!((found, gaps), (vec!["a - -".to_owned()], Vec::new()));
}
