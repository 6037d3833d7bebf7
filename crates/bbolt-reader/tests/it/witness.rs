//! bbolt itself, in a program that is built once for all tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// Where Debian puts bbolt's source.
const SOURCES: &str = "/usr/share/gocode";

/// The program; `None` skips the test.
pub fn witness() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(build).as_deref();
    if built.is_none() {
        test_material::skip("no Go or no bbolt; run scripts/setup, which installs them");
    }
    built
}

fn build() -> Option<PathBuf> {
    let has_go = Command::new("go").arg("version").output().is_ok();
    if !has_go || !Path::new(SOURCES).join("src/go.etcd.io/bbolt").exists() {
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = folder.join(format!("bbolt-witness-{}", std::process::id()));
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg("main.go");
    go.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/witness"));
    go.env("GO111MODULE", "off").env("GOPATH", SOURCES).env("GOFLAGS", "");
    go.env("GOCACHE", folder.join("go-cache")).env("CGO_ENABLED", "0");
    run(&mut go);
    // Another run of the tests may be using the one of that name.
    let kept = folder.join("bbolt-witness");
    fs::rename(&program, &kept).unwrap();
    Some(kept)
}

/// A database in a folder of its own.
pub struct Made {
    pub folder: TempDir,
}

impl Made {
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("db")
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }
}

/// A database of a kind that the program knows; `None` skips the test.
pub fn made(kind: &str, page_size: u32) -> Option<Made> {
    let made = Made { folder: TempDir::new().unwrap() };
    let mut command = Command::new(witness()?);
    run(command.args(["make", kind]).arg(made.path()).arg(page_size.to_string()));
    Some(made)
}

/// What bbolt reads of a file; `None` skips the test.
pub fn dump(path: &Path) -> Option<Vec<String>> {
    Some(lines(&run(Command::new(witness()?).arg("dump").arg(path))))
}

pub fn dump_of(bytes: &[u8]) -> Option<Vec<String>> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("db");
    fs::write(&path, bytes).unwrap();
    dump(&path)
}

pub fn lines(text: &[u8]) -> Vec<String> {
    std::str::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
}

pub fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
