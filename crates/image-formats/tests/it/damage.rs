//! Images that were cut off or changed at random: whatever is read is right or fails, memory and
//! reads are bounded, and nothing panics.

use crate::support::{BLOCK, Work, fill};
use image_formats::{Limits, Opened};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Small images with all that a format has; name, qemu's format and options.
const IMAGES: &[(&str, &str, &[&str])] = &[
    ("qcow2", "qcow2", &["-o", "cluster_size=512"]),
    ("qcow2-zlib", "qcow2", &["-c", "-o", "cluster_size=4096"]),
    ("qcow2-zstd", "qcow2", &["-c", "-o", "cluster_size=4096,compression_type=zstd"]),
    ("qcow2-extended", "qcow2", &["-o", "extended_l2=on,cluster_size=16k"]),
    ("vmdk", "vmdk", &["-o", "subformat=monolithicSparse"]),
    ("vmdk-stream", "vmdk", &["-o", "subformat=streamOptimized"]),
    ("vhd", "vpc", &["-o", "subformat=dynamic,force_size=on"]),
    ("vhd-fixed", "vpc", &["-o", "subformat=fixed,force_size=on"]),
    ("vhdx", "vhdx", &["-o", "block_size=1M"]),
    ("vdi", "vdi", &[]),
];
const SIZE: u64 = 1 << 20;

fn make(work: &Work, name: &str, format: &str, options: &[&str]) -> Vec<u8> {
    fill(&work.path("raw"), SIZE);
    let head = ["convert", "-q", "-f", "raw", "-O", format];
    work.tool("qemu-img", &[&head[..], options, &["raw", name]].concat());
    fs::read(work.path(name)).expect("read")
}

fn open(work: &Work, bytes: &[u8]) -> Option<Opened> {
    fs::write(work.path("damaged"), bytes).expect("written");
    image_formats::open(&work.path("damaged"), &Limits::default()).ok()
}

#[test]
fn what_was_cut_off_fails_and_is_never_zeroes() {
    for (name, format, options) in IMAGES {
        let work = Work::new();
        let image = make(&work, name, format, options);
        let whole = fs::read(work.path("raw")).expect("read");
        let (mut opened, mut failed) = (0, 0);
        for step in 1..64 {
            let cut = &image[..image.len() * step / 64];
            let Some(mut opened_now) = open(&work, cut) else { continue };
            let disk = opened_now.disks.remove(0);
            if disk.source.size() != SIZE {
                // A fixed vhd without its footer is a raw disk of what is left.
                assert_eq!(*name, "vhd-fixed", "size");
                continue;
            }
            opened += 1;
            let before = failed;
            for (index, page) in whole.chunks(4096).enumerate() {
                let mut read = vec![0xee; page.len()];
                match disk.source.read_exact_at(index as u64 * 4096, &mut read) {
                    Ok(()) => assert!(read == page, "{name}: page {index} of {step}/64"),
                    Err(_) => failed += 1,
                }
            }
            let told = disk.contents(BLOCK).missing;
            // Where a grain of a stream ends is not in the tables.
            let is_known = *name != "vmdk-stream" || !told.is_empty();
            assert_eq!(
                !told.is_empty(),
                failed > before && is_known,
                "{name}: {step}/64: {told:?}"
            );
        }
        // Those with their tables at the end are not opened at all.
        let at_end = ["qcow2-zlib", "qcow2-zstd", "vmdk-stream", "vhd-fixed"].contains(name);
        assert!(at_end || (opened > 0 && failed > 0), "{name}: opened {opened}, failed {failed}");
    }
}

/// The folder of images, in a process that may use only so much memory and time; `None` in the
/// one that starts it. The images are made outside: qemu needs more than a reader may.
fn in_a_cage(test: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("IN_A_CAGE") {
        return Some(folder.into());
    }
    let work = Work::new();
    for (name, format, options) in IMAGES {
        make(&work, name, format, options);
    }
    let own = std::env::current_exe().expect("this program");
    let output = Command::new("prlimit")
        .args(["--as=700000000", "--cpu=900"])
        .arg(own)
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .env("IN_A_CAGE", work.path("."))
        .output()
        .expect("prlimit runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let summary = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && summary.contains("1 passed"), "{summary}{said}");
    eprintln!("{said}");
    None
}

/// Reads that this process made so far.
fn reads() -> u64 {
    let io = fs::read_to_string("/proc/self/io").expect("read");
    let line = io.lines().find_map(|line| line.strip_prefix("syscr: ")).expect("a count");
    line.parse().expect("a number")
}

#[test]
fn random_damage_ends_in_errors() {
    let Some(folder) = in_a_cage("damage::random_damage_ends_in_errors") else { return };
    let rounds = std::env::var("DAMAGE_ROUNDS").map_or(1500, |text| text.parse().expect("rounds"));
    let raw = fs::read(folder.join("raw")).expect("read");
    let work = Work::new();
    for (seed, (name, ..)) in IMAGES.iter().enumerate() {
        let image = fs::read(folder.join(name)).expect("read");
        let places = tables(&image, &raw);
        let mut random = fastrand::Rng::with_seed(seed as u64);
        let (mut opened, mut most) = (0, 0);
        for _ in 0..rounds {
            let mut bytes = image.clone();
            for _ in 0..random.usize(1..6) {
                let at = places[random.usize(..places.len())];
                bytes[at] = match random.u8(..4) {
                    0 => 0xff,
                    1 => bytes[at] ^ (1 << random.u8(..8)),
                    2 => 0,
                    _ => random.u8(..),
                };
            }
            if random.u8(..16) == 0 {
                bytes.truncate(random.usize(..bytes.len()));
            }
            let before = reads();
            opened += u32::from(open(&work, &bytes).is_some_and(read_samples));
            most = most.max(reads() - before);
        }
        eprintln!("{name}: {opened} of {rounds} opened, at most {most} reads");
        // 256 MiB of tables in clusters of 512 bytes are the most that is read to count.
        assert!(most < 700_000, "{name}: {most} reads");
    }
}

/// Counts and reads some places; all may fail.
fn read_samples(opened: Opened) -> bool {
    for disk in opened.disks {
        let _ = disk.contents(BLOCK).written;
        let size = disk.source.size();
        let mut bytes = vec![0; size.min(64 << 10) as usize];
        for part in 0..16 {
            let at = (size - bytes.len() as u64) / 15 * part;
            let _ = disk.source.read_exact_at(at, &mut bytes);
        }
    }
    true
}

/// The bytes of an image that are not those of the disk in it.
fn tables(image: &[u8], disk: &[u8]) -> Vec<usize> {
    let pages: std::collections::HashSet<_> = disk.chunks(512).collect();
    let sectors = image.chunks(512).enumerate();
    let own = sectors
        .filter(|(_, sector)| sector.iter().any(|byte| *byte != 0) && !pages.contains(sector));
    own.flat_map(|(index, sector)| index * 512..index * 512 + sector.len()).collect()
}
