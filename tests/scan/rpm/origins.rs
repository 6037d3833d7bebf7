//! Where the packages of an rpm host come from, and which stream of updates it follows.

use super::{directory, ext4, has_rpm, packages, root, text};
use crate::support::{scan, tool};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const RHEL: &str =
    "ID=\"rhel\"\nVERSION_ID=\"9.2\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 9.2 (Plow)\"\n";
/// Makes dnf's history of the packages that rpm lists, each from one of two repositories; the last half is only in
/// the log. Prints the repository of each by its name.
const MAKE: &str = r"
import sqlite3, sys
path, rows = sys.argv[1], [line.split('|') for line in sys.argv[2].split()]
base = sqlite3.connect(path + '.made', isolation_level=None)
base.executescript('''create table rpm(item_id INTEGER UNIQUE NOT NULL, name TEXT NOT NULL, epoch INTEGER NOT NULL, version TEXT, release TEXT, arch TEXT);
create table repo(id INTEGER PRIMARY KEY, repoid TEXT NOT NULL);
create table trans_item(id INTEGER PRIMARY KEY AUTOINCREMENT, trans_id INTEGER, item_id INTEGER, repo_id INTEGER, action INTEGER, reason INTEGER, state INTEGER);
insert into repo values(1, 'rhel-9-for-x86_64-baseos-eus-rpms'), (2, 'epel');''')
for at, row in enumerate(rows):
    if at == len(rows) // 2: base.executescript('pragma journal_mode=wal; pragma wal_autocheckpoint=0')
    base.execute('insert into rpm values(?, ?, ?, ?, ?, ?)', (at, *row))
    base.execute('insert into trans_item(trans_id, item_id, repo_id, action, reason, state) values(1, ?, ?, 1, 1, 1)', (at, at % 2 + 1))
for row in base.execute('select name, repoid from rpm natural join trans_item t join repo on repo.id = t.repo_id'): print(*row)
for end in ['', '-wal']: open(path + end, 'wb').write(open(path + '.made' + end, 'rb').read())
";

#[test]
fn packages_have_the_repository_that_dnf_keeps_of_them() {
    if !has_rpm() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let host = work.path().join("root");
    root(&host, RHEL);
    let database = host.join("var/lib/rpm");
    fs::create_dir_all(&database).expect("made");
    let data =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rpmdb-reader/tests/data/packages");
    let files =
        ["empty", "epoch", "kinds", "module", "plain"].map(|it| data.join(format!("{it}.rpm")));
    let fixed = ["--dbpath", text(&database), "-i", "--justdb", "--nodeps", "--nosignature"];
    tool("rpm", &[&fixed[..], &files.each_ref().map(|it| text(it))].concat());
    let format = "%{NAME}|%|EPOCH?{%{EPOCH}}:{0}||%{VERSION}|%{RELEASE}|%{ARCH}\n";
    let listed = tool("rpm", &["--dbpath", text(&database), "-qa", "--qf", format]);
    let history = host.join("var/lib/dnf/history.sqlite");
    fs::create_dir_all(history.parent().expect("a folder")).expect("made");
    let made = tool("python3", &["-c", MAKE, text(&history), &listed]);
    let of = |line: &str| line.split_once(' ').map(|(name, id)| (name.to_owned(), id.to_owned()));
    let expected: BTreeMap<_, _> = made.lines().filter_map(of).collect();
    assert_eq!(expected.len(), 5, "{made}");
    let image = work.path().join("host.img");
    ext4(&host, &image, 0);
    let found = |report: &serde_json::Value| -> BTreeMap<String, String> {
        let shown = |it: &serde_json::Value| it.as_str().unwrap_or("-").to_owned();
        packages(report).iter().map(|it| (shown(&it["name"]), shown(&it["repository"]))).collect()
    };
    let (_, report) = scan(&[&image]);
    assert_eq!(super::gaps(&report), [""; 0]);
    assert_eq!(found(&report), expected);
    let (_, report) = crate::support::scan_with(&["--only", "os"], &[&image]);
    assert!(found(&report).values().all(|it| it == "-"), "what is not searched for costs no block");
}

#[test]
fn a_rhel_that_is_held_at_a_minor_release_says_so() {
    let work = tempfile::tempdir().expect("a folder");
    root(work.path(), RHEL);
    let write = |path: &str, text: &str| {
        let path = work.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    let repositories = "[rhel-9-for-x86_64-baseos-rpms]\nenabled = 0\n[rhel-9-for-x86_64-baseos-eus-rpms]\nenabled = 1\n";
    write("etc/yum.repos.d/redhat.repo", repositories);
    write("var/lib/rhsm/cache/releasever.json", "{\"releaseVer\": \"9.2\"}");
    let (_, report) = scan(&[&directory(work.path())]);
    let expected = json!({
        "release": "9.2",
        "support": ["eus"],
        "evidence": [
            "/var/lib/rhsm/cache/releasever.json: 9.2",
            "rhel-9-for-x86_64-baseos-eus-rpms",
        ],
    });
    assert_eq!(report["host"]["update_stream"], expected);
    let alma = RHEL.replace("\"rhel\"", "\"almalinux\"");
    write("etc/os-release", &alma);
    let (_, report) = scan(&[&directory(work.path())]);
    assert!(report["host"].get("update_stream").is_none(), "others have no such streams");
}
