//! A host at work: small changes to a mounted filesystem, some of which reach the journal.

use rustix::fs::{XattrFlags, lsetxattr};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

/// Numbers that look random, the same for the same seed.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Makes changes of all kinds, with files written to disk in between.
pub fn work(root: &Path, numbers: &mut Numbers, rounds: usize) {
    fs::create_dir_all(root.join("lib")).unwrap();
    for round in 0..rounds {
        let folder = root.join(format!("d{}", numbers.below(12)));
        fs::create_dir_all(&folder).unwrap();
        let name =
            folder.join(format!("file-{}-{}", numbers.below(400), "n".repeat(numbers.below(90))));
        match numbers.below(14) {
            0 if round % 9 == 0 => drop(fs::remove_dir_all(&folder)),
            1 => drop(symlink("target/".repeat(1 + numbers.below(30)), &name)),
            2 => database(root, numbers),
            3 => rename(&folder, root, numbers),
            4 => drop(remove(&folder, numbers)),
            5 => attributes(&name, numbers),
            6 => shrink(&name, numbers),
            7 => sparse(&name, numbers),
            8 => drop(fs::hard_link(root.join("lib/status"), &name)),
            _ => write(&name, numbers),
        }
        // The newest changes are on disk in part, or not at all.
        if round % 40 == 39 && round + 60 < rounds {
            File::open(root).unwrap().sync_all().unwrap();
        }
        if round + 30 == rounds {
            database(root, numbers);
        }
    }
}

/// Leaves a deleted file that is still open, and many changes that no one waits for.
pub fn unfinished(root: &Path, _: &mut Numbers) -> File {
    let path = root.join("deleted-while-open");
    fs::write(&path, vec![b'o'; 50_000]).unwrap();
    let open = File::open(&path).unwrap();
    open.sync_all().unwrap();
    fs::remove_file(&path).unwrap();
    File::open(root).unwrap().sync_all().unwrap();
    for index in 0..100 {
        fs::write(root.join(format!("lib/late-{index}")), "never committed").unwrap();
    }
    open
}

/// Changes that fast commits can write down, each waited for. No links and devices: what the kernel
/// replays of those has no target.
pub fn small(root: &Path, numbers: &mut Numbers) -> File {
    for index in 0..60 {
        let folder = root.join(format!("d{}", numbers.below(12)));
        fs::create_dir_all(&folder).unwrap();
        let made = folder.join(format!("made-{index}"));
        match numbers.below(9) {
            0 => fs::create_dir_all(folder.join(format!("folder-{index}/below"))).unwrap(),
            1 => rename(&folder, root, numbers),
            2 => drop(remove(&folder, numbers)),
            3 => drop(fs::hard_link(root.join("lib/status"), &made)),
            4 => sparse(&made, numbers),
            5 => shrink(&made, numbers),
            _ => write(&made, numbers),
        }
        let status = File::options().append(true).create(true).open(root.join("lib/log")).unwrap();
        status.write_all_at(b"one more line", 13 * index).unwrap();
        status.sync_all().unwrap();
    }
    File::open(root.join("lib/log")).unwrap()
}

fn write(path: &Path, numbers: &mut Numbers) {
    let length = [0, 30, 200, 5000, 20_000][numbers.below(5)];
    let mut bytes = vec![numbers.below(256) as u8; length];
    // A block that starts with the journal's magic number has to be escaped in a journal of data.
    if let Some(start) = bytes.get_mut(..4).filter(|_| numbers.below(3) == 0) {
        start.copy_from_slice(&[0xc0, 0x3b, 0x39, 0x98]);
    }
    if path.is_symlink() {
        fs::remove_file(path).unwrap();
    }
    let mut file = File::create(path).unwrap();
    file.write_all(&bytes).unwrap();
    if numbers.below(6) == 0 {
        file.sync_all().unwrap();
    }
}

/// As a package manager does: the new one is written to disk, then takes the name of the old one.
fn database(root: &Path, numbers: &mut Numbers) {
    let (new, old) = (root.join("lib/status-new"), root.join("lib/status"));
    let mut file = File::create(&new).unwrap();
    for index in 0..200 + numbers.below(300) {
        let version = numbers.below(100);
        writeln!(file, "Package: p{index}\nStatus: install ok installed\nVersion: 1.{version}\n")
            .unwrap();
    }
    file.sync_all().unwrap();
    fs::rename(new, old).unwrap();
    File::open(root.join("lib")).unwrap().sync_all().unwrap();
}

fn some(folder: &Path, numbers: &mut Numbers) -> Option<PathBuf> {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let index = numbers.below(entries.len().max(1));
    (index < entries.len()).then(|| entries.swap_remove(index))
}

fn rename(folder: &Path, root: &Path, numbers: &mut Numbers) {
    if let Some(from) = some(folder, numbers) {
        let _ = fs::rename(
            from,
            root.join(format!("d{}/moved-{}", numbers.below(12), numbers.below(50))),
        );
    }
}

fn remove(folder: &Path, numbers: &mut Numbers) -> Option<()> {
    for _ in 0..numbers.below(20) {
        fs::remove_file(some(folder, numbers)?).ok()?;
    }
    Some(())
}

fn attributes(path: &Path, numbers: &mut Numbers) {
    write(path, numbers);
    lsetxattr(path, "user.small", b"value", XattrFlags::empty()).unwrap();
    let value = vec![b'x'; 1 + numbers.below(700)];
    lsetxattr(path, "trusted.larger", &value, XattrFlags::empty()).unwrap();
}

fn shrink(path: &Path, numbers: &mut Numbers) {
    write(path, numbers);
    let length = numbers.below(30_000) as u64;
    File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

fn sparse(path: &Path, numbers: &mut Numbers) {
    write(path, numbers);
    let file = File::options().write(true).open(path).unwrap();
    for _ in 0..20 {
        file.write_all_at(b"island", numbers.below(3_000_000) as u64).unwrap();
    }
}
