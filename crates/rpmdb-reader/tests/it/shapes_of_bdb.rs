//! The hash of `tests/data/bdb` in other page sizes and byte orders, which libdb makes of it.

use crate::listing::{answer, by_rpm, data, has_rpm, listing, open, run};
use rpmdb_reader::Blob;
use std::path::Path;
use std::process::{Command, Stdio};

/// Copies a hash by way of libdb's own dump and load, without what the dump says of how many
/// entries there will be.
fn convert(from: &Path, to: &Path, settings: &[&str]) -> bool {
    let Ok(dump) = Command::new("db_dump").arg(from).output() else {
        test_material::skip("no db_dump; run scripts/setup, which installs it");
        return false;
    };
    let text = to.with_extension("dump");
    let dump = String::from_utf8(dump.stdout).unwrap();
    let lines = dump
        .lines()
        .filter(|line| !line.starts_with("h_nelem=") && !line.starts_with("db_pagesize="));
    let lines: Vec<&str> = lines.chain([""]).collect();
    std::fs::write(&text, lines.join("\n")).unwrap();
    let mut load = Command::new("db_load");
    load.args(settings.iter().flat_map(|setting| ["-c", setting]));
    run(load.arg("-f").arg(text).arg(to));
    true
}

/// Headers by their bytes; their numbers are in the order of the machine that made the key.
fn headers(path: &Path) -> Vec<Vec<u8>> {
    let database = open(path).unwrap();
    assert!(database.problems().is_empty());
    let mut headers: Vec<_> = database.headers().map(|header| header.unwrap().bytes).collect();
    headers.sort();
    headers
}

#[test]
fn all_page_sizes_in_both_byte_orders() {
    let original = data().join("bdb/Packages");
    let expected = headers(&original);
    assert_eq!(expected.len(), 7);
    for size in ["512", "1024", "2048", "4096", "8192", "16384", "32768", "65536"] {
        for order in ["1234", "4321"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("Packages");
            let settings = [format!("db_pagesize={size}"), format!("db_lorder={order}")];
            if !convert(&original, &path, &settings.each_ref().map(String::as_str)) {
                return;
            }
            assert_eq!(headers(&path), expected, "{size} {order}");
        }
    }
}

/// The packages of a real host in hundreds of buckets, which were added in many doublings, or all
/// at once.
#[test]
fn many_buckets() {
    let Some(shared) = test_material::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--zstd", "--wildcards", "-xf"]).arg(shared.join("data/fixtures.tar.zst"));
    run(tar.arg("-C").arg(folder.path()).arg("*reconstructed/oracle_8/*"));
    let original = folder.path().join("fixtures/rpmdb/reconstructed/oracle_8/Packages");
    let expected = headers(&original);
    assert_eq!(expected.len(), 621);
    for setting in ["h_ffactor=1", "h_ffactor=3", "h_nelem=5000", "h_nelem=20"] {
        for order in ["1234", "4321"] {
            let converted = tempfile::tempdir().unwrap();
            let path = converted.path().join("Packages");
            let settings = ["db_pagesize=512", setting, &format!("db_lorder={order}")];
            if !has_rpm() || !convert(&original, &path, &settings) {
                return;
            }
            assert_eq!(headers(&path), expected, "{settings:?}");
            let listing = listing(&path);
            assert_eq!(listing.problems, [""; 0]);
            // rpm's own reader stops at a bucket that was made beforehand and not used.
            if !setting.starts_with("h_nelem") {
                assert_eq!(listing.packages, by_rpm(converted.path()), "{settings:?}");
            }
        }
    }
}

#[test]
fn rpm_reads_the_other_byte_order_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Packages");
    if !has_rpm() || !convert(&data().join("bdb/Packages"), &path, &["db_lorder=4321"]) {
        return;
    }
    let listing = listing(&path);
    assert_eq!(listing.problems, [""; 0]);
    assert_eq!(listing.packages, by_rpm(folder.path()));
    assert_eq!(listing.packages, answer(&std::fs::read(data().join("bdb/expected")).unwrap()));
}

/// Numbers are those of the keys, which tell rpm's own from packages.
#[test]
fn numbers_are_of_the_keys() {
    let database = open(&data().join("bdb/Packages")).unwrap();
    let mut numbers: Vec<u32> =
        database.headers().flatten().map(|Blob { number, .. }| number).collect();
    numbers.sort_unstable();
    let dump = run(Command::new("db_dump").arg(data().join("bdb/Packages")));
    let dump = String::from_utf8(dump).unwrap();
    let lines = dump.lines().skip_while(|line| *line != "HEADER=END").skip(1);
    let keys = lines.step_by(2).filter_map(|key| u32::from_str_radix(key.trim(), 16).ok());
    let keys = keys.map(u32::swap_bytes);
    let mut keys: Vec<u32> = keys.filter(|key| *key != 0).collect();
    keys.sort_unstable();
    assert_eq!(numbers, keys);
}

#[test]
fn other_access_methods_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Packages");
    let mut load = Command::new("db_load");
    load.args(["-T", "-t", "btree"]).arg(&path).stdin(Stdio::null());
    if load.output().is_err() {
        return test_material::skip("no db_load; run scripts/setup, which installs it");
    }
    let error = open(&path).err().unwrap().to_string();
    assert_eq!(error, "not supported: Berkeley DB file that is a b-tree");
}
