//! Files that were copied while bbolt wrote them.

use crate::listing::{assert_same, listing_of, open};
use crate::witness::{dump_of, run, witness};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A program that writes without an end; it is killed when the test ends.
struct Writer(Child);

impl Writer {
    fn start(path: &Path) -> Option<Self> {
        let mut command = Command::new(witness()?);
        let child = command.arg("churn").arg(path).stdout(Stdio::piped()).spawn();
        let mut writer = Self(child.unwrap());
        let mut ready = String::new();
        BufReader::new(writer.0.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        Some(writer)
    }

    fn signal(&self, name: &str) {
        run(Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Piece by piece, and slowly.
fn copy(path: &Path, piece: usize) -> Vec<u8> {
    let file = File::open(path).unwrap();
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        bytes.resize(start + piece, 0);
        let read = file.read_at(&mut bytes[start..], start as u64).unwrap();
        bytes.truncate(start + read);
        if read == 0 {
            return bytes;
        }
        std::thread::sleep(std::time::Duration::from_micros(200));
    }
}

/// As a disk has it at one moment: whole, whatever was going on.
#[test]
fn a_moment_of_a_file_that_is_written_is_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("db");
    let Some(writer) = Writer::start(&path) else { return };
    for _ in 0..15 {
        writer.signal("STOP");
        let bytes = copy(&path, 1 << 20);
        writer.signal("CONT");
        let database = open(bytes.clone()).unwrap();
        assert_same("a moment", &listing_of(&database), &dump_of(&bytes).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_file_that_was_copied_while_it_was_written_does_no_harm() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("db");
    let Some(_writer) = Writer::start(&path) else { return };
    let (mut whole, mut older) = (0, 0);
    for _ in 0..20 {
        let database = open(copy(&path, 4096)).unwrap();
        let listing = listing_of(&database);
        assert!(listing.lines.len() > 1 || !listing.problems.is_empty());
        whole += usize::from(listing.problems.is_empty());
        let before = database.older().map(|older| listing_of(&older));
        older += usize::from(before.is_some_and(|listing| listing.problems.is_empty()));
    }
    eprintln!("of 20 copies {whole} show no damage, {older} none in the older state");
}
