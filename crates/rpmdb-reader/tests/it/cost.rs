//! What reading costs: bytes, reads, and how many of them the source was told of beforehand.

use crate::listing::{listing_of, run};
use block_source::{BlockSource, FileSource, ReadError};
use rpmdb_reader::{Beside, Database};
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// A file, and what was asked of it.
struct Counting {
    file: FileSource,
    asked: Mutex<Asked>,
}

#[derive(Default, Clone)]
struct Asked {
    bytes: u64,
    reads: usize,
    /// Reads of whose first byte the source was not told.
    surprises: usize,
    told: Vec<Range<u64>>,
}

impl BlockSource for Counting {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        let mut asked = self.asked.lock().unwrap();
        asked.bytes += out.len() as u64;
        asked.reads += 1;
        asked.surprises += usize::from(!asked.told.iter().any(|range| range.contains(&offset)));
        self.file.read_exact_at(offset, out)
    }

    fn will_need(&self, ranges: &[Range<u64>]) {
        self.asked.lock().unwrap().told.extend_from_slice(ranges);
    }
}

fn cost(path: &Path) -> (Asked, u64, usize) {
    let file = FileSource::open(path).unwrap();
    let source = Arc::new(Counting { file, asked: Mutex::default() });
    let listing = listing_of(Database::open(source.clone(), Beside::default()));
    assert_eq!(listing.problems, [""; 0]);
    let asked = source.asked.lock().unwrap().clone();
    (asked, source.size(), listing.packages.len())
}

/// The packages of a real host, of each kind.
#[test]
fn a_database_is_read_about_once() {
    let Some(shared) = test_material::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--zstd", "--wildcards", "-xf"]).arg(shared.join("data/fixtures.tar.zst"));
    run(tar.arg("-C").arg(folder.path()).args(["*reconstructed/*", "*go-rpmdb/*"]));
    let rpmdb = folder.path().join("fixtures/rpmdb");
    for file in [
        "reconstructed/oracle_8/Packages",
        "reconstructed/rhel_10/rpmdb.sqlite",
        "go-rpmdb/cbl-mariner-2.0/rpmdb.sqlite",
        "go-rpmdb/sle15-bci/Packages.db",
    ] {
        let (asked, size, packages) = cost(&rpmdb.join(file));
        eprintln!(
            "{file}: {size} bytes, {packages} packages; read {} in {}, {} untold",
            asked.bytes, asked.reads, asked.surprises
        );
        assert!(asked.bytes < 2 * size, "{file}: {} of {size}", asked.bytes);
        assert!(asked.surprises < 10, "{file}: {} of {}", asked.surprises, asked.reads);
    }
}
