//! Packages and what dnf5, dnf and yum keep of them; SQLite itself says what is in real histories.

use super::*;
use crate::host::Tree;
use crate::model::{Ecosystem, HostContext};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn package(name: &str, version: &str, arch: &str) -> Package {
    let of = Package::new(Ecosystem::Rpm, name.to_owned(), version.to_owned(), String::new());
    Package { arch: arch.to_owned(), ..of }
}

fn noted(root: &Path, mut packages: Vec<Package>) -> (Vec<String>, Vec<Gap>) {
    let host = Host { tree: Tree::of_directory(root).unwrap(), context: HostContext::default() };
    let mut gaps = Vec::new();
    note(&host, &mut packages, &mut gaps);
    let show = |it: &Package| it.repository.clone().unwrap_or_else(|| "-".to_owned());
    (packages.iter().map(show).collect(), gaps)
}

fn plant(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(&path[1..]);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_newer_tool_has_the_word() {
    let root = tempfile::tempdir().unwrap();
    let state = "version = \"1.0\"\n[nevras]\n\"a-1-2.x86_64\" = {from_repo=\"five\"}\n\"b-3:1-2.noarch\" = {from_repo=\"\"}\n";
    plant(root.path(), STATES[0], state.as_bytes());
    for (folder, repository) in [
        ("a/0af-a-1-2-x86_64", "yum-a\n"),
        ("b/0bf-b-1-2-noarch", "yum-b"),
        ("c/0cf-c-d-1-2-noarch", "yum-c"),
        ("e/0ef-e-1-2-i686", "no"),
    ] {
        plant(root.path(), &format!("{YUM}/{folder}/from_repo"), repository.as_bytes());
    }
    let packages = vec![
        package("a", "0:1-2", "x86_64"),
        package("b", "3:1-2", "noarch"),
        package("c-d", "1-2", "noarch"),
        package("e", "1-2", "x86_64"),
    ];
    let (found, gaps) = noted(root.path(), packages);
    assert_eq!((found, gaps), (["five", "yum-b", "yum-c", "-"].map(str::to_owned).into(), vec![]));
}

#[test]
fn a_state_that_is_damaged_is_a_gap_and_the_older_tool_is_asked() {
    for (state, count) in [("[nevras", 1), ("nevras = 1", 0), ("[nevras]\n\"a-1-2.x\" = 3\n", 0)] {
        let root = tempfile::tempdir().unwrap();
        plant(root.path(), STATES[1], state.as_bytes());
        plant(root.path(), &format!("{YUM}/a/0-a-1-2-x/from_repo"), b"yum");
        let (found, gaps) = noted(root.path(), vec![package("a", "1-2", "x")]);
        assert_eq!((found, gaps.len()), (vec!["yum".to_owned()], count), "{state}");
    }
}

const DNF: &str = "create table rpm(item_id integer unique not null, name text not null, epoch integer not null, version text, release text, arch text);
create table repo(id integer primary key, repoid text);
create table trans_item(id integer primary key autoincrement, trans_id integer, item_id integer, repo_id integer, action integer, reason integer, state integer);
insert into rpm values(1,'a',0,'1','2','x'),(2,'b',1,'1','2','x'),(3,'c',0,'1','2','x'),(4,'old',0,'1','2','x'),(5,'d',0,'1','2','x');
insert into repo values(1,'base'),(2,'updates'),(3,'@System');";
const ROWS: &str = "insert into trans_item(trans_id,item_id,repo_id,action,reason,state) values
(1,1,1,1,1,1),(1,2,1,1,1,1),(1,3,1,1,1,1),(1,4,1,1,1,1),(1,5,3,1,1,1),
(2,1,2,9,1,1),(2,2,2,8,1,1),(2,3,2,9,1,2),(2,1,1,10,1,1);";

fn sqlite(path: &Path, sql: &str) -> String {
    let output = Command::new("sqlite3").arg(path).arg(sql).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn has_sqlite() -> bool {
    let there = Command::new("sqlite3").arg("--version").output().is_ok();
    if !there {
        test_material::skip("no sqlite3; run scripts/setup, which installs it");
    }
    there
}

fn abc() -> Vec<Package> {
    ["a", "b", "c", "d", "e"]
        .map(|name| package(name, if name == "b" { "1:1-2" } else { "1-2" }, "x"))
        .into()
}

/// A history that is made here, as a file.
fn made(folder: &Path, sql: &str) -> PathBuf {
    let path = folder.join(&HISTORIES[2][1..]);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    sqlite(&path, sql);
    path
}

#[test]
fn the_last_time_that_a_package_was_installed_counts() {
    if !has_sqlite() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    made(root.path(), &format!("{DNF}{ROWS}"));
    let (found, gaps) = noted(root.path(), abc());
    assert_eq!(gaps, []);
    assert_eq!(found, ["updates", "base", "base", "-", "-"]);
}

#[test]
fn histories_of_other_shapes_are_gaps() {
    if !has_sqlite() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let path = made(root.path(), "create table other(a);");
    assert_eq!(noted(root.path(), abc()).1, []);
    fs::remove_file(&path).unwrap();
    made(root.path(), &DNF.replace("action integer", "deed integer"));
    let (found, gaps) = noted(root.path(), abc());
    assert!(found.iter().all(|it| it == "-"));
    assert_eq!((gaps.len(), gaps[0].reason), (1, GapReason::Unsupported));
    for bytes in [&b""[..], b"SQLite format 3\0", &[0x53; 4096]] {
        fs::write(&path, bytes).unwrap();
        let (_, gaps) = noted(root.path(), abc());
        assert_eq!((gaps.len(), gaps[0].reason), (1, GapReason::Corrupt));
    }
}

/// Bytes changed at random: nothing panics, and what differs from the whole answer is told or was a name.
#[test]
fn random_damage_to_a_history() {
    if !has_sqlite() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let path = made(root.path(), &format!("{DNF}{ROWS}"));
    let whole = fs::read(&path).unwrap();
    let mut seed = 7_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..500 {
        let mut bytes = whole.clone();
        for _ in 0..=next(6) {
            let at = next(bytes.len());
            bytes[at] = next(256) as u8;
        }
        fs::write(&path, bytes).unwrap();
        let (found, gaps) = noted(root.path(), abc());
        assert_eq!(found.len(), 5);
        assert!(gaps.len() < 100);
    }
}

/// What SQLite says of a real history: names as dnf writes them, and their repositories.
fn expected(path: &Path, sql: &str) -> BTreeMap<String, String> {
    let lines = sqlite(path, sql);
    let pairs = lines.lines().map(|line| line.rsplit_once('|').unwrap());
    pairs.map(|(nevra, repository)| (nevra.to_owned(), repository.to_owned())).collect()
}

fn check(place: &str, fixture: &str, sql: &str) {
    let (Some(shared), true) = (test_material::shared(), has_sqlite()) else { return };
    let root = tempfile::tempdir().unwrap();
    let unpack = Command::new("tar")
        .args(["--zstd", "-xf", shared.join("data/fixtures.tar.zst").to_str().unwrap(), "-C"])
        .args([root.path().to_str().unwrap(), fixture])
        .status();
    assert!(unpack.unwrap().success());
    let from = root.path().join(fixture);
    let expected = expected(&from, sql);
    assert!(expected.len() > 50, "{}", expected.len());
    plant(root.path(), place, &fs::read(from).unwrap());
    let packages = expected.keys().map(|nevra| {
        let (rest, arch) = nevra.rsplit_once('.').unwrap();
        let mut parts = rest.rsplitn(3, '-');
        let (release, version, name) = (parts.next(), parts.next(), parts.next());
        package(name.unwrap(), &format!("{}-{}", version.unwrap(), release.unwrap()), arch)
    });
    let (found, gaps) = noted(root.path(), packages.collect());
    assert_eq!(gaps, []);
    assert_eq!(found, expected.into_values().collect::<Vec<_>>());
}

const TAIL: &str = "join repo r on r.id = t.repo_id order by t.id";

#[test]
fn a_real_history_of_dnf() {
    let nevra = "p.name || '-' || iif(p.epoch = 0, '', p.epoch || ':') || p.version || '-' || p.release || '.' || p.arch";
    let sql = format!(
        "select {nevra}, r.repoid from trans_item t join rpm p on p.item_id = t.item_id {TAIL}"
    );
    let file = "fixtures/rpmdb/claircore/internal/dnf/testdata/dnf4/var/lib/dnf/history.sqlite";
    check(HISTORIES[2], file, &sql);
}

#[test]
fn a_real_history_of_dnf5() {
    let nevra = "n.name || '-' || iif(p.epoch = 0, '', p.epoch || ':') || p.version || '-' || p.release || '.' || a.name";
    let sql = format!(
        "select {nevra}, r.repoid from trans_item t join rpm p on p.item_id = t.item_id join pkg_name n on n.id = p.name_id join arch a on a.id = p.arch_id {TAIL}"
    );
    let file = "fixtures/rpmdb/claircore/internal/dnf/testdata/dnf5/usr/lib/sysimage/libdnf5/transaction_history.sqlite";
    check(HISTORIES[0], file, &sql);
}
