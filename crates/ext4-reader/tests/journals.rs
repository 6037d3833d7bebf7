//! Filesystems of hosts that did not unmount them. The kernel replays the journal of one copy, the
//! reader reads the journal of another: they must agree on everything. Needs root.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/busy.rs"]
mod busy;
#[path = "support/reader.rs"]
mod reader;

use busy::Numbers;
use conformance::{
    Answer, Metadata, Mounted, Row, Subject, Xattrs, can_mount, compare, mkfs, report, tool,
    witness, workplace,
};
use ext4_reader::{Ext4, InodeNumber, Journal};
use reader::Reader;
use std::fs::{self, File};
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
    /// What the host does last.
    last: fn(&Path, &mut Numbers) -> File,
}

const SEEDS: u64 = 2;
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
        entries += compare_with_kernel(case.name, &image, &Reader(ext4));
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
    let open = (case.last)(mounted.path(), &mut Numbers(seed));
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
    // What follows the log's end, it may take for records whose names are any bytes.
    let text = String::from_utf8_lossy(&output.stdout);
    let blocks: Vec<u64> = text
        .lines()
        .filter_map(|line| line.strip_prefix("Found expected sequence"))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(!blocks.is_empty(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    !blocks.is_sorted()
}

/// Files that were compared.
fn compare_with_kernel(name: &str, image: &Path, subject: &impl Subject) -> usize {
    let place = image.with_extension("replayed");
    let copy = image.with_extension("copy");
    fs::copy(image, &copy).unwrap();
    let mounted = Mounted::new(&copy, &place, "loop,noatime");
    let tree = witness(mounted.path());
    drop(mounted);
    let differences = compare(&tree, subject);
    let text: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{name}\n{}", text.join("\n"));
    tree.nodes.len()
}

/// The kernel replays fast commits by doing again what was done, which leaves times and directories
/// that are not as they were; the reader keeps what was written down.
struct Lenient(Reader);

impl Subject for Lenient {
    type Node = InodeNumber;

    fn root(&self) -> InodeNumber {
        self.0.root()
    }

    fn metadata(&self, node: &InodeNumber) -> Answer<Metadata> {
        let found = Metadata { changed: None, ..self.0.metadata(node)? };
        Ok(if found.kind == Some(conformance::Kind::Directory) {
            Metadata { modified: None, links: None, size: None, ..found }
        } else {
            found
        })
    }

    fn list(&self, directory: &InodeNumber) -> Answer<Vec<(Vec<u8>, InodeNumber)>> {
        self.0.list(directory)
    }

    fn lookup(&self, directory: &InodeNumber, name: &[u8]) -> Answer<Option<InodeNumber>> {
        self.0.lookup(directory, name)
    }

    fn read(&self, file: &InodeNumber, offset: u64, out: &mut [u8]) -> Answer<usize> {
        self.0.read(file, offset, out)
    }

    fn read_link(&self, link: &InodeNumber) -> Answer<Vec<u8>> {
        self.0.read_link(link)
    }

    fn xattrs(&self, node: &InodeNumber) -> Answer<Xattrs> {
        self.0.xattrs(node)
    }
}

#[test]
fn fast_commits() {
    if !can_mount() {
        return;
    }
    let name = "fast_commit";
    let options =
        &["-t", "ext4", "-b", "4096", "-O", "fast_commit", "-J", "size=8,fast_commit_size=2048"];
    let case = Case { name, mkfs: options, mount: "data=ordered", last: busy::small };
    let (mut entries, mut changes) = (0, 0);
    for (seed, stop) in (0..SEEDS).flat_map(|seed| [(seed, Stop::Snapshot), (seed, Stop::Crash)]) {
        let work = workplace();
        let image = work.path().join("image");
        leave(&case, &image, seed, stop);
        let ext4 = open(&image);
        let Journal::Replayed(replay) = ext4.journal() else { panic!("{:?}", ext4.journal()) };
        assert!(replay.problems.is_empty(), "{:?}", replay.problems);
        eprintln!("{seed}: {replay:?}");
        changes += replay.fast_changes;
        entries += compare_with_kernel(name, &image, &Lenient(Reader(ext4)));
    }
    report(&Row { format: "ext4", features: name, witness: "kernel", entries, differences: &[] });
    assert!(changes > 50, "{changes} changes");
}

macro_rules! cases {
    ($($name:ident: [$($option:literal),*], $mount:literal;)*) => {
        $(#[test] fn $name() {
            check(&Case { name: stringify!($name), mkfs: &[$($option),*], mount: $mount, last: busy::unfinished });
        })*
    };
}

// None has inline data: Linux 6.18 may then start a transaction while it commits one (for files that
// outgrow their inode), and waits for itself forever when the journal is full. Inline data are held
// against the kernel in `conformance.rs`.
cases! {
    journal: ["-t", "ext4", "-b", "4096", "-J", "size=4"], "data=ordered";
    journal_of_data: ["-t", "ext4", "-b", "4096", "-J", "size=8"], "data=journal";
    journal_1k: ["-t", "ext4", "-b", "1024", "-J", "size=2"], "data=ordered";
    journal_no_64bit: ["-t", "ext4", "-b", "4096", "-O", "^64bit", "-J", "size=4"], "data=ordered";
    journal_ext3: ["-t", "ext3", "-b", "4096", "-J", "size=4"], "data=ordered";
    journal_ext3_of_data: ["-t", "ext3", "-b", "1024", "-J", "size=2"], "data=journal";
    journal_checksum_1: ["-t", "ext4", "-b", "4096", "-O", "^metadata_csum", "-J", "size=4"], "journal_checksum";
    journal_async: ["-t", "ext4", "-b", "4096", "-J", "size=4"], "journal_async_commit,data=writeback";
    journal_async_checksum_1: ["-t", "ext4", "-b", "4096", "-O", "^metadata_csum", "-J", "size=4"], "journal_async_commit,data=writeback";
}
