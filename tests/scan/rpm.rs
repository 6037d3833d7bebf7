//! Hosts with rpm databases: those of real hosts, whose packages are in `expected.tsv`, and those of
//! `rpmdb-reader`'s tests, of which the rpm that made them says what is in them.

mod damage;
mod identity;
mod origins;
mod places;
#[cfg(feature = "ebs")]
mod snapshot;

use crate::support::{scan, tool};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;
const AMAZON: &str = "ID=\"amzn\"\nVERSION_ID=\"2\"\nPRETTY_NAME=\"Amazon Linux 2\"\n";

/// Whether rpm is there; `false` skips the test.
fn has_rpm() -> bool {
    let there = std::process::Command::new("rpm").arg("--version").output().is_ok();
    if !there {
        test_material::skip("no rpm; run scripts/setup, which installs it");
    }
    there
}

/// Copies a file to a path below a root, with the folders that it needs.
fn plant(root: &Path, path: &str, from: &Path) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::copy(from, path).expect("copied");
}

/// A root with this `os-release` and nothing else.
fn root(root: &Path, os_release: &str) {
    fs::create_dir_all(root.join("etc")).expect("made");
    fs::write(root.join("etc/os-release"), os_release).expect("written");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// An ext4 filesystem of this folder, at a place of an image.
fn ext4(folder: &Path, image: &Path, at: u64) {
    let place = format!("offset={at}");
    let fixed = ["-q", "-F", "-t", "ext4", "-b", "4096", "-E", &place, "-d", text(folder)];
    tool("mke2fs", &[&fixed[..], &[text(image), "32m"]].concat());
}

/// A folder as a directory target.
fn directory(root: &Path) -> PathBuf {
    PathBuf::from(format!("dir:{}", text(root)))
}

/// The committed database of a kind.
fn committed(file: &str) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rpmdb-reader/tests/data");
    data.join(file)
}

fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    gaps.map(|gap| [&gap["place"], &gap["reason"], &gap["detail"]].map(text).join(" | ")).collect()
}

fn packages(report: &Value) -> &[Value] {
    report["assets"][0]["packages"].as_array().expect("packages")
}

fn or_none(value: &Value) -> String {
    value.as_str().filter(|text| !text.is_empty()).unwrap_or("(none)").to_owned()
}

/// What stands after a key in the purl.
fn qualifier(package: &Value, key: &str) -> Option<String> {
    let purl = package["purl"].as_str().expect("a purl");
    let mut pairs = purl.split_once('?')?.1.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(name, _)| *name == key)?.1;
    Some(value.replace("%2B", "+").replace("%5E", "^").replace("%7E", "~"))
}

/// Name, epoch, version, release, architecture, source package, module and vendor.
fn row(package: &Value) -> String {
    let whole = package["version"].as_str().expect("a version");
    let (epoch, rest) = whole.split_once(':').unwrap_or(("(none)", whole));
    let (version, release) = rest.split_once('-').expect("a release");
    let source_rpm = qualifier(package, "upstream").unwrap_or_else(|| "(none)".to_owned());
    let source = &package["source"];
    let written = ["name", "version"].map(|key| source[key].as_str().expect("text")).join("-");
    assert_eq!(format!("{written}.src.rpm"), source_rpm);
    assert_eq!(qualifier(package, "epoch").as_deref().unwrap_or("(none)"), epoch);
    let fields = [
        package["name"].as_str().expect("a name").to_owned(),
        epoch.to_owned(),
        version.to_owned(),
        release.to_owned(),
        or_none(&package["arch"]),
        source_rpm,
        or_none(&package["module"]),
        or_none(&package["vendor"]),
    ];
    fields.join("\t")
}

/// All rows, sorted; an epoch that is absent counts as the 0 that `expected.tsv` has.
fn rows_with_epoch(report: &Value) -> Vec<String> {
    let rows = packages(report).iter().map(|package| {
        let row = row(package);
        let (name, rest) = row.split_once('\t').expect("an epoch");
        rest.strip_prefix("(none)").map_or(row.clone(), |rest| format!("{name}\t0{rest}"))
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

/// Holds two sorted lists against each other, and shows only what differs.
fn assert_same(found: &[String], expected: &[String], what: &str) {
    let only = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|row| !other.contains(row)).cloned().collect()
    };
    assert_eq!(only(found, expected), only(expected, found), "{what}");
    assert_eq!(found.len(), expected.len(), "{what}");
}

/// Unpacks a part of an archive of the shared data.
fn unpack(archive: &str, pattern: &str) -> Option<tempfile::TempDir> {
    let archive = test_material::shared()?.join("data").join(archive);
    let folder = tempfile::tempdir().expect("a folder");
    let into = ["-C", text(folder.path()), "--wildcards", pattern];
    tool("tar", &[&["--zstd", "-xf", text(&archive)], &into[..]].concat());
    Some(folder)
}

/// Where the database of a host of the shared data is, and what is in it.
struct RealHost {
    database: PathBuf,
    expected: Vec<String>,
}

/// The hosts below an unpacked folder, by name.
fn real_hosts(folder: &Path) -> Vec<(String, RealHost)> {
    let hosts = fs::read_dir(folder.join("fixtures/rpmdb/reconstructed")).expect("hosts");
    let mut hosts: Vec<_> = hosts
        .map(|entry| {
            let entry = entry.expect("an entry");
            let names = ["Packages", "rpmdb.sqlite"].map(|name| entry.path().join(name));
            let database = names.into_iter().find(|path| path.exists()).expect("a database");
            let expected = fs::read_to_string(entry.path().join("expected.tsv")).expect("read");
            let mut expected: Vec<_> = expected.lines().map(str::to_owned).collect();
            expected.sort();
            let name = entry.file_name().into_string().expect("UTF-8");
            (name, RealHost { database, expected })
        })
        .collect();
    hosts.sort_by(|(a, _), (b, _)| a.cmp(b));
    hosts
}

/// The way a host is laid out on its disk.
fn make_disk(name: &str, host: &RealHost, work: &Path) -> PathBuf {
    let (folder, image) = (work.join("root"), work.join("host.img"));
    let file = host.database.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    root(&folder, AMAZON);
    let into = match name {
        "rhel_10" => "usr/lib/sysimage/rpm",
        "alma_9" => "usr/share/rpm",
        _ => "var/lib/rpm",
    };
    plant(&folder, &format!("{into}/{file}"), &host.database);
    if into != "var/lib/rpm" {
        fs::create_dir_all(folder.join("var/lib")).expect("made");
        let link = folder.join("var/lib/rpm");
        std::os::unix::fs::symlink(format!("../../{into}"), link).expect("linked");
    }
    match name {
        "centos_7" => xfs(&folder, file, work, &image),
        "oracle_8" => {
            fs::File::create(&image).expect("made").set_len(34 * MIB).expect("grown");
            let table = work.join("table");
            fs::write(&table, "label: dos\nstart=2048, type=83\n").expect("written");
            let sfdisk = "sfdisk --quiet --no-reread --no-tell-kernel";
            let command = format!("{sfdisk} '{}' < '{}'", text(&image), text(&table));
            tool("sh", &["-c", &command]);
            ext4(&folder, &image, MIB);
        }
        _ => ext4(&folder, &image, 0),
    }
    image
}

/// An XFS filesystem with `os-release` and a database in `/var/lib/rpm`, filled by mkfs.xfs from a list.
fn xfs(folder: &Path, file: &str, work: &Path, image: &Path) {
    let (os_release, database) =
        (folder.join("etc/os-release"), folder.join("var/lib/rpm").join(file));
    let list = work.join("list");
    let (os_release, database) = (text(&os_release), text(&database));
    let etc = format!("etc d--755 0 0\nos-release ---644 0 0 {os_release}\n$\n");
    let var = format!(
        "var d--755 0 0\nlib d--755 0 0\nrpm d--755 0 0\n{file} ---644 0 0 {database}\n$\n$\n$\n"
    );
    fs::write(&list, format!("/\n0 0\nd--755 0 0\n{etc}{var}$\n")).expect("written");
    fs::File::create(image).expect("made").set_len(320 * MIB).expect("grown");
    tool("mkfs.xfs", &["-q", "-p", text(&list), text(image)]);
}

#[test]
fn twelve_real_hosts_on_disks_have_the_packages_that_are_expected() {
    let Some(folder) = unpack("fixtures.tar.zst", "*rpmdb/reconstructed/*") else { return };
    let (mut hosts, mut count) = (0, 0);
    for (name, host) in real_hosts(folder.path()) {
        let work = tempfile::tempdir().expect("a folder");
        let image = make_disk(&name, &host, work.path());
        let (code, report) = scan(&[&image]);
        assert_eq!((code, gaps(&report)), (0, Vec::new()), "{name}");
        assert_same(&rows_with_epoch(&report), &host.expected, &name);
        (hosts, count) = (hosts + 1, count + host.expected.len());
    }
    assert_eq!((hosts, count), (12, 5687));
}

/// What rpm says of the files that were installed.
#[test]
fn the_same_packages_in_each_of_the_three_kinds() {
    const QUERY: &str = r"%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{MODULARITYLABEL}\t%{VENDOR}\n";
    let Some(folder) = unpack("rpmdb/rpm-backends.tar.zst", "*") else { return };
    if !has_rpm() {
        return;
    }
    let data = folder.path().join("rpmdb");
    let command = format!("rpm -qp --qf '{QUERY}' '{}'/*.rpm", text(&data.join("rpms")));
    let answer = tool("sh", &["-c", &command]);
    let mut expected: Vec<_> = answer.lines().map(str::to_owned).collect();
    expected.sort();
    for file in ["sqlite-rpm4.18/rpmdb.sqlite", "ndb-rpm4.20/Packages.db", "bdb-rpm4.16/Packages"] {
        let work = tempfile::tempdir().expect("a folder");
        let (folder, image) = (work.path().join("root"), work.path().join("host.img"));
        root(&folder, AMAZON);
        let (from, _) = file.split_once('/').expect("a folder");
        fs::create_dir_all(folder.join("var/lib")).expect("made");
        tool("cp", &["-a", text(&data.join(from)), text(&folder.join("var/lib/rpm"))]);
        ext4(&folder, &image, 0);
        let (code, report) = scan(&[&image]);
        assert_eq!((code, gaps(&report)), (0, Vec::new()), "{file}");
        let mut found: Vec<_> = packages(&report).iter().map(row).collect();
        found.sort();
        assert_eq!(found, expected, "{file}");
        assert_eq!(found.len(), 5);
    }
}

/// What rpm said of a package: name, epoch, version, release, architecture, source, module, vendor,
/// second of installation and key.
fn as_rpm_says(line: &str) -> String {
    let fields: Vec<_> = line.split('\t').collect();
    let key = fields[13].split_once("Key ID ").map_or("(none)", |(_, key)| &key[..16]);
    let order = [0, 1, 2, 3, 4, 5, 9, 6, 10].map(|at| fields[at]);
    format!("{}\t{key}", order.join("\t"))
}

#[test]
fn every_field_is_what_rpm_says() {
    for file in ["bdb/Packages", "ndb/Packages.db"] {
        let work = tempfile::tempdir().expect("a folder");
        root(work.path(), AMAZON);
        let name = file.split_once('/').expect("a folder").1;
        plant(work.path(), &format!("var/lib/rpm/{name}"), &committed(file));
        let (code, report) = scan(&[&directory(work.path())]);
        assert_eq!((code, gaps(&report)), (0, Vec::new()), "{file}");
        let mut found: Vec<_> = packages(&report)
            .iter()
            .map(|it| {
                let time = it["installed_at"].as_str().expect("a time");
                let second = tool("date", &["-u", "-d", time, "+%s"]);
                format!("{}\t{}\t{}", row(it), second.trim(), or_none(&it["signing_key"]))
            })
            .collect();
        let answer = fs::read(committed(file).with_file_name("expected")).expect("read");
        let answer = String::from_utf8_lossy(&answer);
        let mut expected: Vec<_> =
            answer.lines().filter(|line| !line.starts_with('\t')).map(as_rpm_says).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{file}");
        assert_eq!(found.len(), 7);
    }
}
