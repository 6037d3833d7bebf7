//! Filesystems of hosts that did not unmount them. The kernel replays the journal of one copy, the
//! reader reads the journal of another: they must agree on everything. Needs root.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/busy.rs"]
mod busy;
#[path = "support/reader.rs"]
mod reader;

use busy::Numbers;
use conformance::{Mounted, Row, can_mount, compare, mkfs, report, tool, witness, workplace};
use ext4_reader::{Ext4, Journal};
use reader::Reader;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// How a host stops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// A snapshot is taken while it runs on.
    Snapshot,
    /// All at once, with what is in memory lost.
    Crash,
}

/// Options of mke2fs and of mount.
struct Case {
    name: &'static str,
    mkfs: &'static [&'static str],
    mount: &'static str,
}

const SEEDS: u64 = 3;
const ROUNDS: usize = 1500;

fn check(case: &Case) {
    if !can_mount() {
        return;
    }
    let (mut entries, mut wrapped, mut replayed) = (0, 0, 0);
    for (seed, stop) in (0..SEEDS).flat_map(|seed| [(seed, Stop::Snapshot), (seed, Stop::Crash)]) {
        let work = workplace();
        let image = work.path().join("image");
        leave(case, &image, seed, stop);
        wrapped += usize::from(wraps_around(&image));
        let ext4 = open(&image);
        let Journal::Replayed(replay) = ext4.journal() else { panic!("{:?}", ext4.journal()) };
        assert!(replay.problems.is_empty(), "{}: {:?}", case.name, replay.problems);
        replayed += replay.transactions;
        entries += compare_with_kernel(case.name, &image, ext4);
    }
    report(&Row {
        format: "ext4",
        features: case.name,
        witness: "kernel",
        entries,
        differences: &[],
    });
    assert!(
        replayed > 20 && wrapped > 0,
        "{}: {replayed} transactions, {wrapped} wrapped",
        case.name
    );
}

fn open(image: &Path) -> Ext4 {
    Ext4::open(Arc::new(fs::read(image).unwrap())).unwrap()
}

/// Leaves an image with a journal to replay.
fn leave(case: &Case, image: &Path, seed: u64, stop: Stop) {
    let (busy, place) = (image.with_extension("busy"), image.with_extension("place"));
    let options = [&["mke2fs", "-q", "-F", "-N", "8192"], case.mkfs].concat();
    mkfs(&busy, 64, &options);
    let mounted = Mounted::new(&busy, &place, &format!("loop,noatime,commit=300,{}", case.mount));
    busy::work(mounted.path(), &mut Numbers(seed), ROUNDS);
    let open = busy::unfinished(mounted.path());
    if stop == Stop::Crash {
        let status = tool("xfs_io").args(["-x", "-c", "shutdown"]).arg(mounted.path()).status();
        assert!(status.expect("xfsprogs is installed").success());
        drop((open, mounted));
        fs::rename(busy, image).unwrap();
    } else {
        fs::copy(&busy, image).unwrap();
        drop((open, mounted));
    }
}

/// Whether the log goes on at its start after its end, by the word of debugfs.
fn wraps_around(image: &Path) -> bool {
    let output = tool("debugfs").args(["-c", "-n", "-R", "logdump"]).arg(image).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let blocks: Vec<u64> = text
        .lines()
        .filter_map(|line| line.strip_prefix("Found expected sequence"))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(!blocks.is_empty(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    !blocks.is_sorted()
}

/// Files that were compared.
fn compare_with_kernel(name: &str, image: &Path, ext4: Ext4) -> usize {
    let place = image.with_extension("replayed");
    let copy = image.with_extension("copy");
    fs::copy(image, &copy).unwrap();
    let mounted = Mounted::new(&copy, &place, "loop,noatime");
    let tree = witness(mounted.path());
    drop(mounted);
    let differences = compare(&tree, &Reader(ext4));
    let text: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{name}\n{}", text.join("\n"));
    tree.nodes.len()
}

macro_rules! cases {
    ($($name:ident: [$($option:literal),*], $mount:literal;)*) => {
        $(#[test] fn $name() {
            check(&Case { name: stringify!($name), mkfs: &[$($option),*], mount: $mount });
        })*
    };
}

cases! {
    journal: ["-t", "ext4", "-b", "4096", "-J", "size=4"], "data=ordered";
    journal_of_data: ["-t", "ext4", "-b", "4096", "-J", "size=8"], "data=journal";
    journal_1k: ["-t", "ext4", "-b", "1024", "-J", "size=2"], "data=ordered";
    journal_no_64bit: ["-t", "ext4", "-b", "4096", "-O", "^64bit", "-J", "size=4"], "data=ordered";
    journal_ext3: ["-t", "ext3", "-b", "4096", "-J", "size=4"], "data=ordered";
    journal_ext3_of_data: ["-t", "ext3", "-b", "1024", "-J", "size=4"], "data=journal";
    journal_checksum_1: ["-t", "ext4", "-b", "4096", "-O", "^metadata_csum", "-J", "size=4"], "journal_checksum";
    journal_async: ["-t", "ext4", "-b", "4096", "-J", "size=4"], "journal_async_commit,data=writeback";
    journal_async_checksum_1: ["-t", "ext4", "-b", "4096", "-O", "^metadata_csum", "-J", "size=4"], "journal_async_commit,data=writeback";
    journal_inline: ["-t", "ext4", "-b", "4096", "-O", "inline_data", "-J", "size=4"], "data=ordered";
}
