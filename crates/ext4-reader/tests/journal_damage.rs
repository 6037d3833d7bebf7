//! Journals that debugfs wrote: each kind of checksum, copies that were revoked, and damage to each
//! part of them, which is told and costs no more than what stands behind it. No root.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/busy.rs"]
#[expect(dead_code, reason = "only its numbers are used here")]
mod busy;

use ext4_reader::{Error, Ext4, InodeNumber, Journal, Replay};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const BLOCK: usize = 1024;
/// Free blocks near the end, whose copies the journal holds.
const TARGET: usize = 7000;

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command
}

/// A filesystem whose journal has three transactions: copies of four blocks full of `a`, of the
/// same full of `b`, of which the second is revoked then, and of the first full of `c`.
fn image(options: &[&str], open: &str) -> Vec<u8> {
    let work = tempfile::tempdir().unwrap();
    let image = work.path().join("image");
    fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
    let make = tool("mke2fs")
        .args(["-q", "-F", "-b", "1024", "-J", "size=1"])
        .args(options)
        .arg(&image)
        .status();
    assert!(make.expect("e2fsprogs is installed").success());
    let blocks = |blocks: usize, letter: &str| {
        let file = work.path().join(letter);
        fs::write(&file, letter.repeat(blocks * BLOCK)).unwrap();
        file.display().to_string()
    };
    let (a, b, c) = (blocks(4, "a"), blocks(4, "b"), blocks(1, "c"));
    let numbers = (0..4).map(|index| (TARGET + index).to_string()).collect::<Vec<_>>().join(",");
    let second = TARGET + 1;
    let script = format!(
        "jo {open}\njw -b {numbers} {a}\njw -b {numbers} {b}\njw -r {second}\njw -b {TARGET} {c}\njc\n"
    );
    fs::write(work.path().join("script"), script).unwrap();
    let output = tool("debugfs")
        .args(["-w", "-f"])
        .args([&work.path().join("script"), &image])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.lines().count() <= 1, "{said}");
    fs::read(&image).unwrap()
}

const KINDS: &[(&[&str], &str)] = &[
    (&["-t", "ext3"], ""),
    (&["-t", "ext4", "-O", "^metadata_csum"], ""),
    (&["-t", "ext4"], "-c -v 2"),
    (&["-t", "ext4"], "-c -v 3"),
    (&["-t", "ext4", "-O", "^64bit"], "-c -v 3"),
];

fn replay(image: &[u8]) -> (Ext4, Replay) {
    let ext4 = Ext4::open(Arc::new(image.to_vec())).unwrap();
    let Journal::Replayed(replay) = ext4.journal().clone() else { panic!("{:?}", ext4.journal()) };
    (ext4, replay)
}

/// The letters of the four blocks.
fn letters(ext4: &Ext4) -> String {
    let mut letters = String::new();
    for index in 0..4 {
        let mut block = vec![0; BLOCK];
        ext4.device().read_exact_at(((TARGET + index) * BLOCK) as u64, &mut block).unwrap();
        assert!(block.iter().all(|byte| *byte == block[0]));
        letters.push(if block[0] == 0 { '-' } else { char::from(block[0]) });
    }
    letters
}

/// What e2fsck makes of the same journal.
fn by_e2fsck(image: &[u8]) -> String {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("image");
    fs::write(&path, image).unwrap();
    let output = tool("e2fsck").args(["-fy", "-E", "journal_only"]).arg(&path).output().unwrap();
    assert!(output.status.code().is_some_and(|code| code <= 1), "{output:?}");
    let replayed = fs::read(&path).unwrap();
    let first = |index: usize| replayed[(TARGET + index) * BLOCK];
    (0..4).map(first).map(|byte| if byte == 0 { '-' } else { char::from(byte) }).collect()
}

#[test]
fn every_kind_of_journal_gives_what_e2fsck_gives() {
    for (options, open) in KINDS {
        let image = image(options, open);
        let (ext4, replay) = replay(&image);
        assert!(replay.problems.is_empty(), "{options:?} {:?}", replay.problems);
        assert_eq!(replay.transactions, 4, "{options:?} {open}");
        assert_eq!(letters(&ext4), "c-bb", "{options:?} {open}");
        assert_eq!(by_e2fsck(&image), "c-bb", "{options:?} {open}");
    }
}

/// The places of some bytes at the start of blocks.
fn blocks_with(image: &[u8], start: &[u8]) -> Vec<usize> {
    (0..image.len()).step_by(BLOCK).filter(|at| image[*at..].starts_with(start)).collect()
}

#[test]
fn a_damaged_copy_costs_its_block() {
    for (options, open) in &KINDS[2..] {
        let mut image = image(options, open);
        let place = blocks_with(&image, b"bbbb")[2];
        image[place + 500] = b'x';
        let (ext4, replay) = replay(&image);
        assert!(
            matches!(replay.problems[..], [Error::Corrupt { at: 7002, .. }]),
            "{:?}",
            replay.problems
        );
        assert_eq!(letters(&ext4), "c-ab", "{options:?}");
    }
}

#[test]
fn a_damaged_commit_ends_the_replay_and_is_told() {
    for (options, open) in &KINDS[2..] {
        let mut image = image(options, open);
        let commits = blocks_with(&image, &[0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 2]);
        assert_eq!(commits.len(), 4);
        image[commits[1] + 800] ^= 1;
        let (ext4, replay) = replay(&image);
        assert_eq!((replay.transactions, replay.problems.len()), (1, 1), "{:?}", replay.problems);
        assert_eq!(letters(&ext4), "aaaa", "{options:?}");
    }
}

/// Where the log ends is where a transaction was not finished: no damage.
#[test]
fn a_commit_that_was_not_written_ends_the_replay() {
    for (options, open) in KINDS {
        let mut image = image(options, open);
        let commits = blocks_with(&image, &[0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 2]);
        image[commits[2]..commits[2] + BLOCK].fill(0);
        let (ext4, replay) = replay(&image);
        assert_eq!((replay.transactions, replay.problems.len()), (2, 0), "{:?}", replay.problems);
        assert_eq!(letters(&ext4), "bbbb", "{options:?}");
        assert_eq!(by_e2fsck(&image), "bbbb", "{options:?}");
    }
}

#[test]
fn a_journal_that_cannot_be_read_is_told() {
    for (options, open) in KINDS {
        let sound = image(options, open);
        let superblock = blocks_with(&sound, &[0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 4])[0];
        for (at, byte) in [(0, 0), (0xd, 9), (0x13, 0xff), (0x1e, 0xff), (0x2b, 0xff)] {
            let mut image = sound.clone();
            image[superblock + at] = byte;
            let ext4 = Ext4::open(Arc::new(image)).unwrap();
            let unread = matches!(ext4.journal(), Journal::Unread(_));
            // A shorter length is only wrong where it is summed, or ends before the log starts.
            assert!(unread || at == 0x13, "{options:?} {at} {:?}", ext4.journal());
            let root = ext4.inode(ext4.root()).unwrap();
            assert!(ext4.lookup(&root, b"lost+found").unwrap().is_some());
        }
    }
}

#[test]
fn a_journal_on_another_device_is_told() {
    let work = tempfile::tempdir().unwrap();
    let (journal, path) = (work.path().join("journal"), work.path().join("image"));
    make(&journal, &["-b", "1024", "-O", "journal_dev"]);
    make(&path, &["-t", "ext4", "-b", "1024", "-O", "^has_journal,^metadata_csum"]);
    // What `mke2fs -J device=` sets, which takes block devices only.
    let mut image = fs::read(&path).unwrap();
    image[1024 + 0x5c] |= 0x4;
    image[1024 + 0x60] |= 0x4;
    let ext4 = Ext4::open(Arc::new(image)).unwrap();
    assert!(matches!(ext4.journal(), Journal::Unread(Error::Unsupported { .. })));
    let device = fs::read(&journal).unwrap();
    assert!(matches!(Ext4::open(Arc::new(device)), Err(Error::Unsupported { .. })));
}

fn make(image: &Path, options: &[&str]) {
    fs::File::create(image).unwrap().set_len(8 << 20).unwrap();
    let status = tool("mke2fs").args(["-q", "-F"]).args(options).arg(image).status();
    assert!(status.expect("e2fsprogs is installed").success());
}

/// Random damage to the journal: whatever comes back, nothing panics and nothing runs away.
#[test]
fn random_damage_ends_in_errors() {
    let mut numbers = busy::Numbers(7);
    for (options, open) in KINDS {
        let sound = image(options, open);
        let used = blocks_with(&sound, &[0xc0, 0x3b, 0x39, 0x98]);
        for _ in 0..300 {
            let mut image = sound.clone();
            for _ in 0..=numbers.below(4) {
                let at = used[numbers.below(used.len())] + numbers.below(120);
                image[at] = [0, 0xff, numbers.below(256) as u8][numbers.below(3)];
            }
            let Ok(ext4) = Ext4::open(Arc::new(image)) else { continue };
            if let Ok(root) = ext4.inode(InodeNumber(2)) {
                let _ = ext4.read_dir(&root);
            }
        }
    }
}
