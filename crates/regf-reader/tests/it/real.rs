//! Hives of real Windows machines, which are nobody's to give away: those in the folder
//! `SIDELIGHT_HIVES`, each beside its logs (`X.LOG1`, `X.LOG2`), and `X.windows`, which is what
//! Windows made of a dirty one. The others are held against hivex.

use crate::hivex::{by_hivex, has_hivex, same};
use crate::listing::Listing;
use block_source::BlockSource;
use regf_reader::{Hive, Logs};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[test]
fn hives_of_windows() {
    let Some(folder) = std::env::var_os("SIDELIGHT_HIVES").map(PathBuf::from) else {
        eprintln!("skipped: no hives of Windows (set SIDELIGHT_HIVES to a folder of them)");
        return;
    };
    if !has_hivex() {
        return;
    }
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let hives: Vec<PathBuf> = files.filter(|path| path.extension().is_none()).collect();
    assert!(!hives.is_empty());
    for path in &hives {
        check(path);
    }
}

fn log(path: &Path, ending: &str) -> Option<Arc<dyn BlockSource>> {
    let log = std::fs::read(path.with_extension(ending)).ok()?;
    Some(Arc::new(log))
}

fn check(path: &Path) {
    let logs = Logs { log1: log(path, "LOG1"), log2: log(path, "LOG2") };
    let hive = Hive::open(Arc::new(std::fs::read(path).unwrap()), logs).unwrap();
    let mut listing = Listing::default();
    listing.hive(&hive);
    let bins = hive.check_bins();
    let (lines, problems) = (listing.lines.len(), &listing.problems);
    eprintln!("{}: {lines} lines, {:?}, {problems:?}, {bins:?}", path.display(), hive.replay());
    match std::fs::read(path.with_extension("windows")) {
        Ok(windows) => check_bins(&hive, &windows),
        Err(_) => same(&listing.lines, &by_hivex(path)),
    }
}

/// All hive bins, byte by byte.
fn check_bins(hive: &Hive, windows: &[u8]) {
    let mut bins = vec![0; hive.bins_size() as usize];
    hive.read_bins(0, &mut bins).unwrap();
    let other = &windows[4096..4096 + bins.len()];
    let different = bins.iter().zip(other).filter(|(one, other)| one != other).count();
    assert_eq!(different, 0);
}
