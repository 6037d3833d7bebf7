//! Hives that hivex makes, and that it lists.

use crate::listing::{Listing, listing};
use crate::maker::Maker;
use regf_reader::Logs;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const PYTHON: &str = "/usr/bin/python3";

/// Whether hivex is there; says so if not.
pub fn has_hivex() -> bool {
    // hivexregedit itself has no option that ends well without a hive.
    let perl = Command::new("perl").args(["-MWin::Hivex::Regedit", "-e", "1"]).output();
    let python = Command::new(PYTHON).args(["-c", "import hivex"]).output();
    let is_there =
        [perl, python].iter().all(|run| run.as_ref().is_ok_and(|run| run.status.success()));
    if !is_there {
        test_material::skip("no hivex; run scripts/setup, which installs it");
    }
    is_there
}

pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `list_and_make.py` with a hive.
pub fn hivex(verb: &str, hive: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/list_and_make.py");
    run(Command::new(PYTHON).arg(script).arg(verb).arg(hive))
}

pub fn by_hivex(hive: &Path) -> Vec<String> {
    hivex("list", hive).lines().map(str::to_owned).collect()
}

/// A hive with what hivex can write.
pub fn made(folder: &Path) -> PathBuf {
    let path = folder.join("hive");
    std::fs::write(&path, Maker::new().hive()).unwrap();
    hivex("make", &path);
    path
}

/// Lines may be long: what of the first different pair is not the same.
pub fn same(lines: &[String], expected: &[String]) {
    for (line, other) in lines.iter().zip(expected) {
        let at = line.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
        let part =
            |line: &str| line.get(at..line.len().min(at + 80)).unwrap_or_default().to_owned();
        let start = line.get(..at.min(80)).unwrap_or_default();
        assert_eq!(part(line), part(other), "at {at}: {start}");
    }
    assert_eq!(lines.len(), expected.len());
}

fn check(path: &Path, keys: usize) {
    let Listing { lines, problems } = listing(std::fs::read(path).unwrap(), Logs::default());
    assert_eq!(problems, [""; 0]);
    same(&lines, &by_hivex(path));
    assert_eq!(lines.iter().filter(|line| line.starts_with("key")).count(), keys);
}

#[test]
fn all_kinds_of_values_names_and_many_keys() {
    if !has_hivex() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path());
    check(&path, 1 + 4 + 3000 + 300 + 6);
    hivex("change", &path);
    check(&path, 1 + 4 + 2970 + 300 + 6 + 1 + 400);
}

#[test]
fn what_hivexregedit_merges() {
    if !has_hivex() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hive");
    std::fs::write(&path, Maker::new().hive()).unwrap();
    let text = folder.path().join("text.reg");
    let mut lines = "Windows Registry Editor Version 5.00\n\n".to_owned();
    // A key must stand behind its parent.
    lines += "[\\Software]\n\n";
    (0..7).for_each(|vendor| write!(lines, "[\\Software\\Vendor {vendor}]\n\n").unwrap());
    for index in 0..200 {
        write!(
            lines,
            "[\\Software\\Vendor {}\\Product {index}]\n\"DisplayName\"=\"Product {index}\"\n\
             \"Version\"=dword:{index:08x}\n\"Data\"=hex:01,02,{:02x}\n\n",
            index % 7,
            index,
        )
        .unwrap();
    }
    std::fs::write(&text, lines).unwrap();
    run(Command::new("hivexregedit").arg("--merge").arg(&path).arg(&text));
    check(&path, 1 + 1 + 7 + 200);
}

/// What hivex does not write, but reads: other lists, data in segments.
#[test]
fn shapes_that_hivex_only_reads() {
    if !has_hivex() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hive");
    std::fs::write(&path, crate::shapes::all().hive()).unwrap();
    check(&path, crate::shapes::KEYS);
}
