//! Damaged and hostile databases: what is wrong is told with its place, and the rest is read.

use super::{
    AMAZON, committed, directory, ext4, gaps, has_rpm, packages, plant, root, text, unpack,
};
use crate::support::{scan, tool};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: usize = 4096;

/// A root with this database in `/var/lib/rpm`.
fn host(work: &Path, name: &str, database: &[u8]) -> PathBuf {
    root(work, AMAZON);
    fs::create_dir_all(work.join("var/lib/rpm")).expect("made");
    fs::write(work.join("var/lib/rpm").join(name), database).expect("written");
    directory(work)
}

fn names(report: &Value) -> Vec<String> {
    packages(report).iter().map(|it| it["name"].as_str().expect("a name").to_owned()).collect()
}

/// An overflow page of a Berkeley DB holds a part of one header.
#[test]
fn a_lost_page_costs_one_package_of_a_real_host() {
    let Some(folder) = unpack("fixtures.tar.zst", "*rpmdb/reconstructed/amazon_2/*") else {
        return;
    };
    let hosts = super::real_hosts(folder.path());
    let [(_, host)] = &hosts[..] else { panic!("{} hosts", hosts.len()) };
    let mut bytes = fs::read(&host.database).expect("read");
    let overflow = |page: &usize| bytes[page * PAGE + 25] == 7;
    let page = (100..bytes.len() / PAGE).find(overflow).expect("an overflow page");
    bytes[page * PAGE..(page + 1) * PAGE].fill(0);
    let work = tempfile::tempdir().expect("a folder");
    let (folder, image) = (work.path().join("root"), work.path().join("host.img"));
    self::host(&folder, "Packages", &bytes);
    ext4(&folder, &image, 0);
    let (code, report) = scan(&[&image]);
    let found = super::rows_with_epoch(&report);
    assert_eq!((code, found.len()), (3, host.expected.len() - 1));
    assert!(found.iter().all(|row| host.expected.contains(row)));
    let told = gaps(&report);
    let at = |gap: &String| {
        gap.starts_with("/var/lib/rpm/Packages | corrupt | ") && gap.contains(" at 0x")
    };
    assert!(!told.is_empty() && told.iter().all(at), "{told:?}");
}

#[test]
fn a_header_whose_digest_does_not_hold_is_told_with_its_package_and_place() {
    let mut bytes = fs::read(committed("ndb/Packages.db")).expect("read");
    let wanted = b"nodejs:20:920241:9edba152";
    let at = bytes.windows(wanted.len()).position(|it| it == wanted).expect("the module");
    bytes[at + 7] = b'9';
    let work = tempfile::tempdir().expect("a folder");
    let (code, report) = scan(&[&host(work.path(), "Packages.db", &bytes)]);
    let told = gaps(&report);
    assert_eq!((code, names(&report).len()), (3, 7));
    assert!(!told.is_empty(), "{told:?}");
    let digest =
        |gap: &&String| gap.contains("package module: ") && gap.contains("digest of a header");
    assert!(told.iter().any(|gap| digest(&gap)), "{told:?}");
    assert!(
        told.iter().all(|gap| gap.starts_with("/var/lib/rpm/Packages.db | corrupt | ")),
        "{told:?}"
    );
}

/// Installs packages by rpm into `/var/lib/rpm` of a root.
fn install(folder: &Path) {
    let database = folder.join("var/lib/rpm");
    fs::create_dir_all(&database).expect("made");
    let packages = ["plain", "epoch", "module"].map(|it| committed(&format!("packages/{it}.rpm")));
    let options = ["--dbpath", text(&database), "-i", "--justdb", "--nodeps", "--nosignature"];
    tool("rpm", &[&options[..], &packages.each_ref().map(|it| text(it))].concat());
}

#[test]
fn a_hot_journal_is_told_and_the_database_read() {
    let work = tempfile::tempdir().expect("a folder");
    if !has_rpm() {
        return;
    }
    root(work.path(), AMAZON);
    install(work.path());
    let journal = work.path().join("var/lib/rpm/rpmdb.sqlite-journal");
    fs::write(journal, b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7").expect("written");
    let (code, report) = scan(&[&directory(work.path())]);
    let told = "not supported: rollback journal of an unfinished transaction";
    let told = format!("/var/lib/rpm/rpmdb.sqlite | unsupported | {told}");
    assert_eq!((code, gaps(&report)), (3, vec![told]));
    assert_eq!(names(&report), ["epoch", "module", "plain"]);
}

/// What was committed last may be in the log alone; the witness is SQLite over the same files.
#[test]
fn what_is_only_in_the_write_ahead_log_counts() {
    const WRITE: &str = r"
import shutil, sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
base.execute('pragma journal_mode=wal')
base.execute('pragma wal_autocheckpoint=0')
base.execute('delete from Packages where hnum = (select min(hnum) from Packages)')
for ending in ('', '-wal'):
    shutil.copy(sys.argv[1] + ending, sys.argv[2] + ending)
";
    let (work, copy) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    if !has_rpm() {
        return;
    }
    install(work.path());
    root(copy.path(), AMAZON);
    fs::create_dir_all(copy.path().join("var/lib/rpm")).expect("made");
    let [from, to] = [&work, &copy].map(|it| it.path().join("var/lib/rpm/rpmdb.sqlite"));
    tool("python3", &["-c", WRITE, text(&from), text(&to)]);
    let (code, report) = scan(&[&directory(copy.path())]);
    let gaps = gaps(&report);
    let rpm = tool(
        "rpm",
        &["--dbpath", text(from.parent().expect("a folder")), "-qa", "--qf", "%{NAME}\n"],
    );
    let mut expected: Vec<_> = rpm.lines().collect();
    expected.sort_unstable();
    assert_eq!((code, gaps, names(&report).len()), (0, Vec::new(), 2));
    assert_eq!(names(&report), expected);
}

#[test]
fn a_database_of_many_gibibytes_is_a_limit() {
    let work = tempfile::tempdir().expect("a folder");
    let bytes = fs::read(committed("bdb/Packages")).expect("read");
    let target = host(work.path(), "Packages", &bytes);
    let file = fs::File::options().append(true).open(work.path().join("var/lib/rpm/Packages"));
    file.expect("opened").set_len((4 << 30) + 1).expect("grown");
    let (code, report) = scan(&[&target]);
    let told = "4294967297 bytes, more than the 4294967296 that are read";
    assert_eq!((code, gaps(&report)), (3, vec![format!("/var/lib/rpm/Packages | limit | {told}")]));
}

#[test]
fn what_is_no_database_is_told() {
    for (bytes, told) in [
        (
            &b"rubbish of more than sixteen bytes"[..],
            "unsupported | not supported: package database of an unknown kind",
        ),
        (b"x", "unsupported | not supported: package database of an unknown kind"),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        let (code, report) = scan(&[&host(work.path(), "rpmdb.sqlite", bytes)]);
        assert_eq!((code, gaps(&report)), (3, vec![format!("/var/lib/rpm/rpmdb.sqlite | {told}")]));
    }
    let work = tempfile::tempdir().expect("a folder");
    root(work.path(), AMAZON);
    plant(work.path(), "var/lib/rpm/Packages/inside", &committed("query"));
    let (code, report) = scan(&[&directory(work.path())]);
    assert_eq!((code, report["gaps"][0]["reason"].as_str()), (3, Some("missing")));
}

/// A header of a package with this name and nothing but what it must have.
fn header(name: &[u8]) -> Vec<u8> {
    let texts = [(1000, name), (1001, b"1"), (1002, b"2")];
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, text) in texts {
        let offset = u32::try_from(data.len()).expect("small");
        index.extend([tag, 6, offset, 1].map(u32::to_be_bytes).concat());
        data.extend_from_slice(text);
        data.push(0);
    }
    let sizes = [3, u32::try_from(data.len()).expect("small")];
    [sizes.map(u32::to_be_bytes).concat(), index, data].concat()
}

/// What a crafted header says of itself is bounded, and moves no terminal.
#[test]
fn crafted_names_are_made_printable_or_refused() {
    const WRITE: &str = r"
import sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
base.execute('create table Packages (hnum integer primary key autoincrement, blob blob not null)')
for path in sys.argv[2:]:
    base.execute('insert into Packages (blob) values (?)', (open(path, 'rb').read(),))
";
    let work = tempfile::tempdir().expect("a folder");
    let folder = work.path().join("root");
    root(&folder, AMAZON);
    fs::create_dir_all(folder.join("var/lib/rpm")).expect("made");
    let headers =
        [header(b"odd\x1b[2J\xff"), header(&[b'a'; 1025]), header(&[b'b'; 1024]), header(b"")];
    let files = [0, 1, 2, 3].map(|number| work.path().join(format!("header{number}")));
    for (file, header) in files.iter().zip(&headers) {
        fs::write(file, header).expect("written");
    }
    let database = folder.join("var/lib/rpm/rpmdb.sqlite");
    let files = files.each_ref().map(|file| text(file));
    tool("python3", &[&["-c", WRITE, text(&database)], &files[..]].concat());
    let (code, report) = scan(&[&directory(&folder)]);
    assert_eq!(code, 3);
    let found = names(&report);
    assert_eq!((found.len(), found[0].len()), (2, 1024));
    assert_eq!(found[1], "odd\\x1b[2J\u{fffd}");
    let told = gaps(&report);
    let has = |words: &str| told.iter().any(|gap| gap.contains(words));
    assert!(
        has("| limit | header 2 at 0x") && has("package whose name has 1025 bytes"),
        "{told:?}"
    );
    assert!(has("| corrupt | header 4 at 0x") && has("header without a name"), "{told:?}");
}
