//! Archives and executables with bytes changed at random, from the seeds of the fuzzer. Nothing may panic, run
//! away, or prove more than there is. `SIDELIGHT_DAMAGES` says how many copies of each seed; 200 by default.

use sidelight::inventory::language::{executables, java};
use sidelight::model::{Package, Partial};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Numbers that look like chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end.max(1)
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        const VALUES: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let from = self.below(bytes.len());
            let length = (1 + self.below(8)).min(bytes.len() - at.max(from));
            match self.below(8) {
                0 => bytes.truncate(at),
                1 => bytes.copy_within(from..from + length, at),
                2 => drop(bytes.splice(at..at, [0; 3])),
                3..=5 => bytes[at] = VALUES[self.below(VALUES.len())],
                _ => bytes[at] ^= 1 << self.below(8),
            }
            if bytes.is_empty() {
                return;
            }
        }
    }
}

fn check(kind: &str, read: impl Fn(&[u8]) -> Partial<Vec<Package>>) {
    let Some(python) = test_material::python() else { return };
    let copies = std::env::var("SIDELIGHT_DAMAGES").ok().and_then(|it| it.parse().ok());
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(kind);
    assert!(Command::new(python).arg(script).arg(folder.path()).status().unwrap().success());
    let (mut chance, mut found) = (Chance(0x5eed), 0);
    for seed in fs::read_dir(folder.path()).unwrap() {
        let whole = fs::read(seed.unwrap().path()).unwrap();
        assert!(!read(&whole).found.is_empty() || whole.len() > 20_000);
        for _ in 0..copies.unwrap_or(200) {
            let mut bytes = whole.clone();
            chance.damage(&mut bytes);
            let read = read(&bytes);
            assert!(read.found.len() <= 20 + whole.len() && read.gaps.len() <= 101);
            assert!(read.found.iter().all(|it| !it.name.contains(|c: char| c.is_control())));
            found += read.found.len();
        }
    }
    assert!(found > 0, "all damage hides all packages");
}

#[test]
fn damaged_archives() {
    check("archive", |bytes| java::archives(Arc::new(bytes.to_vec()), b"/app-1.jar"));
}

#[test]
fn damaged_executables() {
    const NAMES: [&[u8]; 4] =
        [b"/opt/app", b"/opt/nginx", b"/opt/python3.11", b"/opt/libcrypto.so.3"];
    check("executable", |bytes| {
        let Some((name, bytes)) = bytes.split_first() else { return Partial::default() };
        executables::packages(Arc::new(bytes.to_vec()), NAMES[usize::from(*name) % NAMES.len()])
    });
}
