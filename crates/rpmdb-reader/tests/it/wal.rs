//! Rows that are only in the write-ahead log of an SQLite database that rpm made.

use crate::listing::{by_rpm, data, has_rpm, install, listing, run};
use crate::real_rpm::ALL;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A program that keeps a database open, so that the log is not written back; it does as it is
/// told, line by line.
struct Holder {
    program: Child,
    says: ChildStdin,
    answers: BufReader<std::process::ChildStdout>,
}

const HOLDER: &str = r"
import sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    print(base.execute(line).fetchall(), flush=True)
";

impl Holder {
    fn of(folder: &Path) -> Self {
        let mut python = Command::new("python3");
        python.args(["-c", HOLDER]).arg(folder.join("rpmdb.sqlite"));
        let mut program = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let says = program.stdin.take().unwrap();
        let answers = BufReader::new(program.stdout.take().unwrap());
        Self { program, says, answers }
    }

    /// Reads in a transaction, so that nobody can write the log back.
    fn hold(&mut self) {
        self.run("begin");
        self.run("select count(*) from Packages");
    }

    fn run(&mut self, line: &str) {
        writeln!(self.says, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(answer.starts_with('['), "{line}: {answer}");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The files of a database, as a snapshot would have them.
fn snapshot(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for ending in ["", "-wal", "-journal"] {
        let name = format!("rpmdb.sqlite{ending}");
        if let Ok(bytes) = fs::read(folder.join(&name)) {
            fs::write(copy.path().join(&name), bytes).unwrap();
        }
    }
    copy
}

fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("rpmdb.sqlite")
}

fn log(folder: &TempDir) -> PathBuf {
    folder.path().join("rpmdb.sqlite-wal")
}

/// Runs rpm until its transaction is in the log, then kills it, for it would wait for the holder
/// to write the log back.
fn write_into_log(folder: &TempDir, arguments: &[&str], packages: &[&str], count: usize) {
    let mut rpm = Command::new("rpm");
    rpm.arg("--dbpath").arg(folder.path()).args(arguments).args(["--justdb", "--nodeps"]);
    let installs = arguments.contains(&"-i");
    for name in packages {
        let file = data().join(format!("packages/{name}.rpm"));
        rpm.arg(if installs { file.as_path() } else { Path::new(name) });
    }
    let mut rpm = rpm.stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..200 {
        std::thread::sleep(Duration::from_millis(50));
        if listing(&database(folder)).packages.len() == count {
            break;
        }
    }
    let _ = rpm.kill();
    rpm.wait().unwrap();
}

/// Three packages in the file; in the log the others, and the removal of one.
fn made() -> (TempDir, Holder) {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), &ALL[..3]);
    let mut holder = Holder::of(folder.path());
    holder.hold();
    write_into_log(&folder, &["-i", "--nosignature"], &ALL[3..], 8);
    write_into_log(&folder, &["-e"], &["plain"], 7);
    assert!(fs::metadata(log(&folder)).unwrap().len() > 100_000);
    (folder, holder)
}

#[test]
fn rows_that_are_only_in_the_log() {
    if !has_rpm() {
        return;
    }
    let (folder, _holder) = made();
    let copy = snapshot(folder.path());
    let with = listing(&database(&copy));
    let alone = tempfile::tempdir().unwrap();
    fs::copy(database(&copy), alone.path().join("rpmdb.sqlite")).unwrap();
    let without = listing(&database(&alone));
    assert_eq!((with.packages.len(), with.problems.len()), (7, 0));
    assert_eq!((without.packages.len(), without.problems.len()), (3, 0));
    // rpm writes the log back when it closes the database: after the reader.
    assert_eq!(with.packages, by_rpm(copy.path()));
    assert_eq!(without.packages, by_rpm(alone.path()));
}

/// After a log was written back it begins anew, and its end is from before.
#[test]
fn frames_of_an_older_log_are_left() {
    if !has_rpm() {
        return;
    }
    let (folder, mut holder) = made();
    let before = fs::metadata(log(&folder)).unwrap().len();
    holder.run("commit");
    holder.run("pragma wal_checkpoint(restart)");
    holder.hold();
    write_into_log(&folder, &["-i", "--nosignature"], &["plain"], 8);
    let copy = snapshot(folder.path());
    assert_eq!(fs::metadata(log(&copy)).unwrap().len(), before);
    let listing = listing(&database(&copy));
    assert_eq!((listing.packages.len(), listing.problems.len()), (8, 0));
    assert_eq!(listing.packages, by_rpm(copy.path()));
}

/// A log that was cut is read as far as SQLite reads it: to the last transaction that is whole.
#[test]
fn a_log_that_was_cut() {
    if !has_rpm() {
        return;
    }
    let (folder, _holder) = made();
    let copy = snapshot(folder.path());
    let whole = [database(&copy), log(&copy)].map(|path| fs::read(path).unwrap());
    let frame = 24 + 4096;
    let cuts = (0..whole[1].len()).step_by(7 * frame / 2).chain([0, 31, 32, 33, 32 + frame]);
    let mut counts = std::collections::BTreeSet::new();
    for cut in cuts {
        let torn = tempfile::tempdir().unwrap();
        fs::write(database(&torn), &whole[0]).unwrap();
        fs::write(log(&torn), &whole[1][..cut]).unwrap();
        let listing = listing(&database(&torn));
        assert_eq!(listing.problems, [""; 0], "{cut}");
        assert_eq!(listing.packages, by_rpm(torn.path()), "{cut}");
        counts.insert(listing.packages.len());
    }
    assert!(counts.len() > 3, "{counts:?}");
}

/// Of a damaged log what stands before is taken, as SQLite does; a damaged head is told.
#[test]
fn a_damaged_log_ends_where_sqlite_ends_it() {
    if !has_rpm() {
        return;
    }
    let (folder, _holder) = made();
    let copy = snapshot(folder.path());
    let whole = [database(&copy), log(&copy)].map(|path| fs::read(path).unwrap());
    let frame = 24 + 4096;
    let frames = (whole[1].len() - 32) / frame;
    let places = [0, 5, 9, 17, 25].into_iter().chain((0..frames).step_by(9).flat_map(|number| {
        let start = 32 + number * frame;
        [start, start + 5, start + 9, start + 17, start + 24 + number]
    }));
    for place in places {
        let harmed = tempfile::tempdir().unwrap();
        let mut bytes = whole[1].clone();
        bytes[place] ^= 0x10;
        fs::write(database(&harmed), &whole[0]).unwrap();
        fs::write(log(&harmed), bytes).unwrap();
        let listing = listing(&database(&harmed));
        assert_eq!(!listing.problems.is_empty(), place < 32, "{place}: {:?}", listing.problems);
        if place != 5 {
            assert_eq!(listing.packages, by_rpm(harmed.path()), "{place}");
        }
    }
}

/// Frames that SQLite wrote because its cache was full, of a transaction that did not end.
#[test]
fn an_unfinished_transaction_in_the_log_is_left_without_a_word() {
    if !has_rpm() {
        return;
    }
    let (folder, mut holder) = made();
    holder.run("commit");
    holder.run("pragma wal_autocheckpoint = 0");
    holder.run("pragma cache_size = 1");
    let before = fs::metadata(log(&folder)).unwrap().len();
    holder.run("begin");
    for number in 0..40 {
        holder.run(&format!(
            "insert into Packages select {} + hnum, blob from Packages where hnum < 1000",
            1000 * number + 1000
        ));
    }
    let copy = snapshot(folder.path());
    assert!(fs::metadata(log(&copy)).unwrap().len() > before);
    let listing = listing(&database(&copy));
    assert_eq!((listing.packages.len(), listing.problems), (7, Vec::new()));
    assert_eq!(listing.packages, by_rpm(copy.path()));
}

/// Whether SQLite itself finds packages; killed early, rpm has made no table yet, or no file.
fn has_packages(path: &Path) -> bool {
    let copy = snapshot(path.parent().unwrap());
    let mut python = Command::new("python3");
    let script = r"
import sqlite3, sys
try: print(sqlite3.connect(sys.argv[1]).execute('select count(*) from Packages').fetchone()[0])
except sqlite3.OperationalError: print(0)
";
    python.args(["-c", script]).arg(database(&copy));
    run(&mut python) != b"0\n"
}

/// rpm is killed in the middle of what it does: what is read is what rpm then says itself.
#[test]
fn rpm_killed_at_any_time() {
    if !has_rpm() {
        return;
    }
    let (mut with_log, mut rounds) = (0, 0);
    for delay in (20..400).step_by(45) {
        let folder = tempfile::tempdir().unwrap();
        // Every other time it makes the database too, all of which may be in the log.
        if delay % 2 == 0 {
            install(folder.path(), &ALL[..3]);
        }
        let mut rpm = Command::new("rpm");
        rpm.arg("--dbpath").arg(folder.path()).args([
            "-i",
            "--justdb",
            "--nodeps",
            "--nosignature",
        ]);
        rpm.args(ALL[3..].iter().map(|name| data().join(format!("packages/{name}.rpm"))));
        let mut rpm = rpm.stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        let _ = rpm.kill();
        rpm.wait().unwrap();
        let copy = snapshot(folder.path());
        if !has_packages(&database(&copy)) {
            assert_ne!(delay % 2, 0, "{delay}");
            continue;
        }
        with_log += u32::from(fs::metadata(log(&copy)).is_ok_and(|log| log.len() > 0));
        rounds += 1;
        let listing = listing(&database(&copy));
        assert_eq!(listing.problems, [""; 0], "{delay}");
        assert_eq!(listing.packages, by_rpm(copy.path()), "{delay}");
    }
    eprintln!("killed in time {rounds} times, {with_log} of them with a log");
    assert!(rounds > 0);
}

#[test]
fn a_rollback_journal_with_content_is_told() {
    if !has_rpm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), &ALL);
    let mut holder = Holder::of(folder.path());
    holder.run("pragma journal_mode = delete");
    holder.run("pragma cache_spill = 1");
    holder.run("pragma cache_size = 1");
    holder.run("begin");
    holder.run("update Packages set blob = zeroblob(60000)");
    let copy = snapshot(folder.path());
    let problems = listing(&database(&copy)).problems;
    assert!(problems[0].contains("rollback journal of an unfinished transaction"), "{problems:?}");
    holder.run("rollback");
    let copy = snapshot(folder.path());
    assert_eq!(listing(&database(&copy)).problems, [""; 0]);
}
