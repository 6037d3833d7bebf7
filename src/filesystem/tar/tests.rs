//! Archives that GNU tar makes, and crafted ones.

use super::*;
use crate::filesystem::{Error, Kind};
use std::process::Command;

fn made(options: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(path("a/b")).unwrap();
    std::fs::write(path("a/b/file"), "text").unwrap();
    std::fs::write(path(&"n".repeat(200)), "long").unwrap();
    std::os::unix::fs::symlink("/x".repeat(150), path("link")).unwrap();
    std::fs::hard_link(path("a/b/file"), path("a/hard")).unwrap();
    let file = std::fs::File::create(path("holes")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"data", 1 << 20).unwrap();
    file.set_len(3 << 20).unwrap();
    let mut tar = Command::new("tar");
    tar.args(options).arg("-C").arg(folder.path()).args(["-c", "."]).output().unwrap().stdout
}

fn find(tar: &Tar, path: &str) -> Option<NodeId> {
    let names = path.split('/').filter(|name| !name.is_empty());
    let mut names = names.map(str::as_bytes);
    names.try_fold(tar.root(), |at, name| tar.lookup(at, name).unwrap())
}

fn read(tar: &Tar, path: &str) -> Vec<u8> {
    let node = find(tar, path).unwrap_or_else(|| panic!("{path} is there"));
    let mut bytes = vec![1; tar.metadata(node).unwrap().size as usize];
    assert_eq!(tar.read_at(node, 0, &mut bytes).unwrap(), bytes.len());
    bytes
}

#[test]
fn what_gnu_tar_writes_is_read_in_all_its_formats() {
    let formats: &[&[&str]] = &[
        &["--format=gnu", "-S"],
        &["--format=posix", "-S"],
        &["--format=posix", "-S", "--sparse-version=0.0"],
        &["--format=posix", "-S", "--sparse-version=0.1"],
        &["--format=gnu"],
    ];
    for options in formats {
        let tar = Tar::open(Arc::new(made(options)), Tar::MOST);
        assert_eq!(tar.warnings(), [], "{options:?}");
        assert_eq!(read(&tar, "a/b/file"), b"text");
        assert_eq!(read(&tar, &"n".repeat(200)), b"long");
        assert_eq!(find(&tar, "a/hard"), find(&tar, "a/b/file"));
        let link = find(&tar, "link").unwrap();
        assert_eq!(tar.read_link(link).unwrap(), "/x".repeat(150).into_bytes());
        let holes = read(&tar, "holes");
        assert_eq!((holes.len(), &holes[1 << 20..(1 << 20) + 4]), (3 << 20, &b"data"[..]));
        assert_eq!(holes.iter().filter(|byte| **byte != 0).count(), 4, "{options:?}");
    }
}

/// A header of ustar and what is behind it.
fn member(name: &str, kind: u8, link: &str, size: u64, data: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..263].copy_from_slice(b"ustar\0");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block.extend_from_slice(data);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

fn file(name: &str, text: &str) -> Vec<u8> {
    member(name, b'0', "", text.len() as u64, text.as_bytes())
}

#[test]
fn names_stay_in_the_archive_and_what_is_lost_is_told() {
    let archive = [
        file("../out", "x"),
        file("/top/../abs", "abs"),
        file("a", "one"),
        file("a/below", "x"),
        file("a", "two"),
        member("self", b'1', "self", 0, b""),
        member("early", b'1', "late", 0, b""),
        member("out", b'1', "../../etc/passwd", 0, b""),
        file("late", "late"),
        member("d", b'5', "", 0, b""),
        file("d/in", "in"),
        member("d", b'5', "", 0, b""),
        file("", "nameless"),
    ];
    let tar = Tar::open(Arc::new(archive.concat()), Tar::MOST);
    assert_eq!(read(&tar, "abs"), b"abs");
    assert_eq!(read(&tar, "a"), b"two");
    assert_eq!(read(&tar, "early"), b"late");
    assert_eq!(read(&tar, "d/in"), b"in");
    assert_eq!(find(&tar, "out"), None);
    let told: Vec<_> = tar.warnings().into_iter().map(|(_, text)| text).collect();
    let lost = ["../out: ", "a/below: ", "out: ", ": a member without", "self: "];
    assert_eq!(told.len(), lost.len(), "{told:?}");
    for (told, lost) in told.iter().zip(lost) {
        assert!(told.starts_with(lost), "{told}");
    }
}

#[test]
fn an_archive_cut_off_or_of_too_many_files_is_read_as_far_as_it_goes() {
    let whole = [file("a", "one"), file("b", "two")].concat();
    let tar = Tar::open(Arc::new(whole[..1500].to_vec()), Tar::MOST);
    assert_eq!(read(&tar, "a"), b"one");
    assert_eq!(tar.warnings().len(), 1);
    let huge = member("huge", b'0', "", 0o77_777_777_777, b"");
    let tar = Tar::open(Arc::new(huge), Tar::MOST);
    assert!(tar.warnings()[0].1.contains("cut off"));
    let node = find(&tar, "huge").unwrap();
    assert!(matches!(tar.read_at(node, 0, &mut [0; 9]), Err(Error::Read(_))));
    let tar = Tar::open(Arc::new(whole), 2);
    assert_eq!((tar.count(), tar.warnings()[0].0), (2, GapReason::Limit));
    assert_eq!(tar.metadata(find(&tar, "a").unwrap()).unwrap().kind, Kind::File);
    for length in 0..300 {
        let bytes: Vec<u8> = made_once().iter().copied().take(length * 71).collect();
        Tar::open(Arc::new(bytes), Tar::MOST);
    }
}

fn made_once() -> &'static [u8] {
    static MADE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    MADE.get_or_init(|| made(&["--format=posix", "-S"]))
}
