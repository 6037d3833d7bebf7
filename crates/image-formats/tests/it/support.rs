//! What the tests share: a disk whose every 4 KiB names its place, and the tools.

use image_formats::{Disk, Limits, Opened};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const BLOCK: u64 = 512 * 1024;
const PAGE: usize = 4096;

/// A folder of files that tests make.
pub struct Work(tempfile::TempDir);

impl Work {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    /// Runs a tool in the folder.
    #[track_caller]
    pub fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).current_dir(self.0.path()).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What qemu reads from an image.
    pub fn witness(&self, format: &str, image: &str) -> Vec<u8> {
        self.tool("qemu-img", &["convert", "-f", format, "-O", "raw", image, "witness"]);
        let bytes = fs::read(self.path("witness")).expect("read");
        fs::remove_file(self.path("witness")).expect("removed");
        bytes
    }
}

/// 4 KiB that name their place, and cannot be packed to nothing.
pub fn page(index: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(index);
    let mut page: Vec<u8> = format!("page {index:>12};").into_bytes();
    page.extend(std::iter::repeat_with(|| random.u8(..)).take(PAGE / 4));
    page.resize(PAGE, (index % 251) as u8);
    page
}

/// Whether the disk has something in this page: some are alone, some in rows, and whole
/// blocks are empty.
fn is_filled(index: u64) -> bool {
    let is_in_use = index / 128 % 5 < 3;
    is_in_use && (index.is_multiple_of(37) || index % 200 < 23 || (512..900).contains(&index))
}

/// Writes a sparse disk of so many bytes.
pub fn fill(path: &Path, size: u64) {
    let disk = File::create(path).expect("made");
    disk.set_len(size).expect("grown");
    for index in (0..size.div_ceil(PAGE as u64)).filter(|index| is_filled(*index)) {
        let at = index * PAGE as u64;
        let length = (size - at).min(PAGE as u64) as usize;
        disk.write_all_at(&page(index)[..length], at).expect("written");
    }
}

#[track_caller]
pub fn open(path: &Path) -> Opened {
    image_formats::open(path, &Limits::default())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
pub fn disk(path: &Path) -> Disk {
    let mut opened = open(path);
    assert_eq!((opened.disks.len(), opened.unread.len()), (1, 0), "{}", path.display());
    opened.disks.remove(0)
}

/// The message of a file that must not be opened.
#[track_caller]
pub fn refusal(path: &Path) -> String {
    match image_formats::open(path, &Limits::default()) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

/// The whole disk, read block by block.
pub fn read_all(disk: &Disk) -> Vec<u8> {
    let mut bytes = vec![0xee; disk.source.size() as usize];
    for (index, block) in bytes.chunks_mut(BLOCK as usize).enumerate() {
        disk.source.read_exact_at(index as u64 * BLOCK, block).expect("read");
    }
    bytes
}

/// Holds a disk against its bytes: whole, then at random places by many threads at once.
#[track_caller]
pub fn check(disk: &Disk, expected: &[u8], case: &str) {
    assert_eq!(disk.source.size(), expected.len() as u64, "{case}: size");
    let read = read_all(disk);
    let wrong = read.iter().zip(expected).position(|(read, expected)| read != expected);
    assert_eq!(wrong, None, "{case}: first wrong byte");
    std::thread::scope(|scope| {
        for seed in 0..8 {
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                for _ in 0..30 {
                    let at = random.usize(..expected.len());
                    let length = random.usize(..=(expected.len() - at).min(200_000));
                    let mut out = vec![0xee; length];
                    disk.source.read_exact_at(at as u64, &mut out).expect("read");
                    assert!(out == expected[at..at + length], "{case}: {length} bytes at {at}");
                }
            });
        }
    });
    assert!(disk.source.read_exact_at(expected.len() as u64, &mut [0]).is_err(), "{case}: end");
}

/// The blocks in which qemu says that there are data; it does not tell for vhdx.
pub fn blocks_by_qemu(work: &Work, image: &str) -> u64 {
    let map = work.tool("qemu-img", &["map", "--output=json", image]);
    let map: serde_json::Value = serde_json::from_str(&map).expect("JSON");
    let mut blocks = std::collections::BTreeSet::new();
    for stretch in map.as_array().expect("a list") {
        if stretch["data"] == true {
            let number = |key: &str| stretch[key].as_u64().expect("a number");
            let (start, length) = (number("start"), number("length"));
            blocks.extend(start / BLOCK..(start + length).div_ceil(BLOCK));
        }
    }
    blocks.len() as u64
}
