//! What a database holds, in words that can be compared: by the reader, and by rpm.

use block_source::{BlockSource, FileSource};
use rpmdb_reader::{Beside, Database, Error, Files, Package, State};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Packages with their files, sorted, and what was told.
#[derive(Debug, Default, Clone)]
pub struct Listing {
    pub packages: Vec<String>,
    pub problems: Vec<String>,
}

/// The folder of committed databases.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// A file, if it is there and not empty.
fn source(path: &Path) -> Option<Arc<dyn BlockSource>> {
    let source = FileSource::open(path).ok()?;
    Some(Arc::new(source))
}

/// Opens a database by its path, with what stands beside it.
pub fn open(path: &Path) -> Result<Database, Error> {
    let beside = |ending: &str| source(Path::new(&format!("{}{ending}", path.display())));
    let beside = Beside { wal: beside("-wal"), journal: beside("-journal") };
    Database::open(source(path).unwrap(), beside)
}

pub fn listing(path: &Path) -> Listing {
    listing_of(open(path))
}

/// A database in memory.
pub fn listing_of_bytes(bytes: Vec<u8>) -> Listing {
    listing_of(Database::open(Arc::new(bytes), Beside::default()))
}

pub fn listing_of(database: Result<Database, Error>) -> Listing {
    let mut listing = Listing::default();
    let database = match database {
        Ok(database) => database,
        Err(error) => return Listing { problems: vec![error.to_string()], ..listing },
    };
    listing.problems.extend(database.problems().iter().map(ToString::to_string));
    for header in database.headers() {
        match header.and_then(|header| Package::parse(&header.bytes, Files::Wanted)) {
            Ok(package) => {
                listing.packages.push(words(&package));
                listing.problems.extend(package.problems.iter().map(ToString::to_string));
            }
            Err(error) => listing.problems.push(error.to_string()),
        }
    }
    listing.packages.sort();
    listing
}

fn or_none<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "(none)".to_owned(), ToString::to_string)
}

/// A package as `query` has it.
fn words(package: &Package) -> String {
    let fields = [
        package.name.clone(),
        or_none(package.epoch.as_ref()),
        package.version.clone(),
        package.release.clone(),
        or_none(package.arch.as_ref()),
        or_none(package.source_rpm.as_ref()),
        or_none(package.vendor.as_ref()),
        or_none(package.packager.as_ref()),
        or_none(package.license.as_ref()),
        or_none(package.module.as_ref()),
        or_none(package.installed.as_ref()),
        or_none(package.built.as_ref()),
        or_none(package.size.as_ref()),
        or_none(package.key.as_ref()),
    ];
    let mut words = fields.join("\t");
    for file in package.files.iter() {
        let path = String::from_utf8_lossy(&file.path()).into_owned();
        let state = match file.state {
            State::Normal => 0,
            State::Replaced => 1,
            State::NotInstalled => 2,
            State::NetShared => 3,
            State::WrongColor => 4,
            State::Other(other) => other,
        };
        write!(words, "\n\t{path}\t{state}\t{}\t{}", file.mode, file.flags).unwrap();
    }
    words
}

/// What rpm's answer to `query` says, in the same words: of the signatures only the key.
pub fn answer(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let mut packages: Vec<String> = Vec::new();
    for line in text.lines() {
        match packages.last_mut() {
            Some(package) if line.starts_with('\t') => write!(package, "\n{line}").unwrap(),
            _ => packages.push(with_key(line)),
        }
    }
    packages.sort();
    packages
}

fn with_key(line: &str) -> String {
    let (fields, signatures) = line.rsplit_once('\t').unwrap();
    let key = signatures.split_once("Key ID ").map_or("(none)", |(_, key)| &key[..16]);
    format!("{fields}\t{key}")
}

/// Whether rpm is there; `false` skips the test.
pub fn has_rpm() -> bool {
    let there = Command::new("rpm").arg("--version").output().is_ok();
    if !there {
        test_material::skip("no rpm; run scripts/setup, which installs it");
    }
    there
}

/// What rpm says is in the database of a folder. It writes there.
pub fn by_rpm(folder: &Path) -> Vec<String> {
    let query = std::fs::read_to_string(data().join("query")).unwrap();
    let mut rpm = Command::new("rpm");
    rpm.env("TZ", "UTC").arg("--dbpath").arg(folder).args(["-qa", "--queryformat", &query]);
    let output = rpm.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    answer(&output.stdout)
}

/// Runs a program that must not fail.
pub fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Installs packages into the database of a folder.
pub fn install(folder: &Path, names: &[&str]) {
    let packages = names.iter().map(|name| data().join(format!("packages/{name}.rpm")));
    let mut rpm = Command::new("rpm");
    rpm.arg("--dbpath").arg(folder).args(["-i", "--justdb", "--nodeps", "--nosignature"]);
    run(rpm.args(packages));
}

/// Removes packages from the database of a folder.
pub fn erase(folder: &Path, names: &[&str]) {
    let mut rpm = Command::new("rpm");
    rpm.arg("--dbpath").arg(folder).args(["-e", "--justdb", "--nodeps"]);
    run(rpm.args(names));
}
