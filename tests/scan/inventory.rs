//! What is said of package databases: those that are read, those that are known and not read, and
//! those with nothing in them.

use crate::directory::{names, root};
use crate::support::{packages, scan, tool};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Writes a file below the root, with the folders that it needs.
pub fn plant(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

fn gaps(report: &serde_json::Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    gaps.map(|gap| [&gap["place"], &gap["reason"], &gap["detail"]].map(text).join(" | ")).collect()
}

#[test]
fn a_store_whose_records_are_lost_or_broken_is_a_gap() {
    const NO_RECORD: &str = "missing | layers of containers of which no record was read, so that they were not read either";
    const NO_JSON: &str =
        "corrupt | not the JSON that it should be: expected value at line 1 column 1";
    let docker =
        ["/overlay2", "/containers/0a/config.v2.json"].map(|it| format!("/var/lib/docker{it}"));
    let container = "docker container 0a (0a) | missing | /var/lib/docker: no layers of it were found for the storage driver \"\"";
    for (file, expected) in [
        ("var/lib/docker/overlay2/0a/diff/x", vec![format!("{} | {NO_RECORD}", docker[0])]),
        (
            "var/lib/docker/containers/0a/config.v2.json",
            vec![format!("{} | {NO_JSON}", docker[1]), container.to_owned()],
        ),
        (
            "var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
            vec![
                "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db | corrupt | damaged bbolt database: a file that is too short for bbolt, page 0"
                    .to_owned(),
            ],
        ),
        (
            "var/lib/containers/storage/overlay/0a/diff/x",
            vec![format!("/var/lib/containers/storage/overlay | {NO_RECORD}")],
        ),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        let target = root(work.path());
        plant(work.path(), file, "x");
        let (code, report) = scan(&[&target]);
        assert_eq!((code, gaps(&report)), (3, expected), "{file}");
        assert_eq!(names(&report), ["good"], "{file}");
    }
}

#[test]
fn what_a_tool_leaves_before_its_first_use_is_no_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    plant(work.path(), "var/lib/rpm/Packages", "");
    plant(work.path(), "var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
    plant(work.path(), "var/lib/snapd/snaps/partial", "");
    plant(work.path(), "var/lib/containers/storage/overlay/.has-mount-program", "false");
    for folder in ["docker/overlay2/l", "docker/containers", "flatpak/app"] {
        fs::create_dir_all(work.path().join("var/lib").join(folder)).expect("made");
    }
    let (code, report) = scan(&[&target]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
}

#[test]
fn a_database_that_two_paths_lead_to_is_told_once_and_is_not_missing() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    fs::remove_file(work.path().join("var/lib/dpkg/status")).expect("removed");
    plant(work.path(), "usr/lib/sysimage/rpm/rpmdb.sqlite", "x");
    symlink("../../usr/lib/sysimage/rpm", work.path().join("var/lib/rpm")).expect("linked");
    let (_, report) = scan(&[&target]);
    let told = "not supported: package database of an unknown kind";
    assert_eq!(gaps(&report), [format!("/var/lib/rpm/rpmdb.sqlite | unsupported | {told}")]);
}

/// A stanza as dpkg writes it.
fn stanza(name: &str, state: &str, version: &str, arch: &str, more: &str) -> String {
    let status = format!("Status: install ok {state}\n");
    let fixed = "Maintainer: a <a@example.org>\nDescription: b\n";
    let arch = if arch.is_empty() { String::new() } else { format!("Architecture: {arch}\n") };
    let version =
        if version.is_empty() { String::new() } else { format!("Version: {version}\n{fixed}") };
    format!("Package: {name}\n{status}{arch}{more}{version}\n")
}

/// What `dpkg-query` says is installed, as lines.
fn dpkg_query(root: &Path) -> Vec<String> {
    let folder = root.join("var/lib/dpkg");
    let format = "--showformat=${db:Status-Status}|${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n";
    let admin = format!("--admindir={}", folder.display());
    let lines = tool("dpkg-query", &[&admin, format, "--show"]);
    // Those whose files are there, configured or not.
    let there =
        ["installed", "triggers-awaited", "triggers-pending", "unpacked", "half-configured"];
    let split = lines.lines().filter_map(|line| line.split_once('|'));
    let mut packages: Vec<_> = split
        .filter(|(state, _)| there.contains(state))
        .map(|(_, package)| package.to_owned())
        .collect();
    packages.sort();
    packages
}

/// Debian 11 to 13, Ubuntu 18.04 to 22.04, one of them for armhf.
#[test]
fn dpkg_databases_of_real_systems_on_disks_equal_dpkg_query() {
    let Some(shared) = test_material::shared() else { return };
    let work = tempfile::tempdir().expect("a folder");
    let archive = shared.join("data/fixtures.tar.zst");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let folder = text(work.path());
    let members = ["-C", &folder, "--wildcards", "fixtures/dpkg/*/var/lib/dpkg/*"];
    tool("tar", &[&["--zstd", "-xf", &text(&archive)], &members[..]].concat());
    let (mut systems, mut count) = (0, 0);
    for entry in fs::read_dir(work.path().join("fixtures/dpkg")).expect("systems") {
        let system = entry.expect("an entry").path();
        if !system.join("var/lib/dpkg/status").exists() {
            continue;
        }
        let etc = system.join("etc");
        fs::create_dir_all(&etc).expect("made");
        fs::write(etc.join("os-release"), "ID=debian\nVERSION_ID=12\n").expect("written");
        let image = work.path().join("image");
        let _ = fs::remove_file(&image);
        fs::File::create(&image).expect("made").set_len(64 << 20).expect("grown");
        tool("mke2fs", &["-q", "-F", "-t", "ext4", "-d", &text(&system), &text(&image)]);
        let (code, report) = scan(&[&image]);
        assert_eq!((code, gaps(&report)), (0, Vec::new()), "{}", system.display());
        let expected = dpkg_query(&system);
        assert_eq!(packages(&report), expected, "{}", system.display());
        (systems, count) = (systems + 1, count + expected.len());
    }
    eprintln!("{systems} systems, {count} packages");
    assert!(systems >= 6 && count > 600, "{systems} systems, {count} packages");
}

#[test]
fn the_journal_of_dpkg_is_applied_over_its_status() {
    const SAME: &str = "Multi-Arch: same\n";
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let status = [
        stanza("upgraded", "installed", "1", "amd64", ""),
        stanza("removed", "installed", "1", "amd64", ""),
        stanza("purged", "installed", "1", "amd64", ""),
        stanza("half", "installed", "1", "amd64", ""),
        stanza("crossed", "installed", "1", "amd64", ""),
        stanza("libpair", "installed", "1", "amd64", SAME),
        stanza("libpair", "installed", "1", "i386", SAME),
        stanza("libsingle", "installed", "1", "amd64", SAME),
        stanza("libalone", "installed", "1", "amd64", SAME),
        stanza("untouched", "installed", "1", "all", ""),
    ];
    plant(work.path(), "var/lib/dpkg/status", &status.concat());
    for (index, text) in [
        stanza("upgraded", "unpacked", "2", "amd64", ""),
        stanza("upgraded", "installed", "2", "amd64", "Source: other (7)\n"),
        stanza("removed", "config-files", "1", "amd64", ""),
        stanza("purged", "not-installed", "", "", ""),
        stanza("half", "half-configured", "2", "amd64", ""),
        stanza("crossed", "installed", "2", "all", ""),
        stanza("libpair", "installed", "2", "i386", SAME),
        stanza("libsingle", "installed", "2", "i386", SAME),
        stanza("libalone", "installed", "2", "all", ""),
        stanza("new", "installed", "1:1-1", "amd64", ""),
    ]
    .iter()
    .enumerate()
    {
        plant(work.path(), &format!("var/lib/dpkg/updates/{index:04}"), text);
    }
    let unfinished = stanza("unfinished", "installed", "1", "amd64", "");
    plant(work.path(), "var/lib/dpkg/updates/tmp.i", &unfinished);
    let expected = dpkg_query(work.path());
    assert!(expected.iter().any(|line| line == "upgraded\t2\tamd64\tother\t7"), "{expected:?}");
    assert!(expected.iter().any(|line| line.starts_with("half\t2")), "{expected:?}");
    let (code, report) = scan(&[&target]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
    assert_eq!(packages(&report), expected);
    let all = report["assets"][0]["packages"].as_array().expect("packages");
    let unpacked = all.iter().filter(|package| package["state"] == "unpacked");
    assert_eq!(unpacked.map(|package| &package["name"]).collect::<Vec<_>>(), ["half"]);
}

#[test]
fn a_package_that_is_half_installed_is_a_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let status = [
        stanza("broken", "half-installed", "1", "amd64", ""),
        stanza("whole", "installed", "1", "amd64", ""),
    ];
    plant(work.path(), "var/lib/dpkg/status", &status.concat());
    let (code, report) = scan(&[&target]);
    assert_eq!((code, packages(&report)), (3, dpkg_query(work.path())));
    let told = gaps(&report).concat();
    assert!(told.contains("package broken is half installed"), "{told}");
}

#[test]
fn problems_are_listed_up_to_a_number_and_then_counted() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let broken = "Package: broken\nStatus: install ok\nVersion: 1\n\n".repeat(150);
    plant(
        work.path(),
        "var/lib/dpkg/status",
        &format!("Package: a\nStatus: a\nrubbish\n\n{broken}"),
    );
    let (code, report) = scan(&[&target]);
    let gaps = gaps(&report);
    // One text is one gap: the report holds the broken one once.
    assert_eq!((code, gaps.len()), (3, 3), "{gaps:?}");
    let counted = "/var/lib/dpkg/status | limit | 51 more problems that are not listed";
    assert!(gaps.iter().any(|gap| gap == counted), "{gaps:?}");
}

#[test]
fn a_database_without_a_package_is_a_gap() {
    for text in ["", "\n\n", "Package: a\nStatus: deinstall ok config-files\nVersion: 1\n"] {
        let work = tempfile::tempdir().expect("a folder");
        let target = root(work.path());
        plant(work.path(), "var/lib/dpkg/status", text);
        let (code, report) = scan(&[&target]);
        let told =
            "/var/lib/dpkg/status | missing | a package database in which nothing is installed";
        assert_eq!((code, gaps(&report)), (3, vec![told.to_owned()]), "{text:?}");
    }
}

#[test]
fn more_packages_than_any_host_has_are_a_limit() {
    use std::fmt::Write;
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let mut text = String::new();
    for index in 0..200_001 {
        let _ = write!(text, "Package: p{index}\nStatus: a b installed\nVersion: 1\n\n");
    }
    plant(work.path(), "var/lib/dpkg/status", &text);
    let (code, report) = scan(&[&target]);
    let told = "/var/lib/dpkg/status | limit | more than 200000 packages; the rest was not read";
    assert_eq!((code, gaps(&report)), (3, vec![told.to_owned()]));
    assert_eq!(names(&report).len(), 200_000);
}

#[test]
fn more_network_files_than_any_host_has_are_a_limit() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    for index in 0..1001 {
        plant(work.path(), &format!("etc/network/interfaces.d/{index:04}"), "");
    }
    plant(work.path(), "etc/network/interfaces.d/0999", "iface a\n address 10.0.0.9\n");
    plant(work.path(), "etc/network/interfaces.d/1000", "iface b\n address 10.0.0.10\n");
    let (code, report) = scan(&[&target]);
    let told =
        "/etc/network/interfaces.d | limit | 1001 files; only the first 1000 were read".to_owned();
    assert_eq!((code, gaps(&report)), (3, vec![told]));
    assert_eq!(report["host"]["ips"], serde_json::json!(["10.0.0.9"]));
}

#[test]
fn a_machine_id_is_32_hex_digits_or_none() {
    let sound = "0123456789abcdef0123456789ABCDEF";
    for (text, expected) in [
        (format!("{sound}\n"), serde_json::json!(sound)),
        ("uninitialized\n".to_owned(), serde_json::Value::Null),
        (format!("{sound}0\n"), serde_json::Value::Null),
        ("0123456789abcdef0123456789abcdeg".to_owned(), serde_json::Value::Null),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        let target = root(work.path());
        plant(work.path(), "etc/machine-id", &text);
        assert_eq!(scan(&[&target]).1["host"]["machine_id"], expected, "{text:?}");
    }
}
