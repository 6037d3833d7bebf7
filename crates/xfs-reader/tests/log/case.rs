//! One filesystem that is made, changed and stopped, and replayed by the kernel and by us.

use crate::disk::Mount;
use crate::{disk, patch, reader, tree};
use block_source::FileSource;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use xfs_reader::Xfs;
use xfs_reader::log::State;

/// How a filesystem is stopped.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// The log is written out first.
    Flushed,
    /// What is not in the log on the disk is lost.
    Lost,
    /// Not at all: a snapshot is taken while changes go on, as of a cloud disk.
    Snapshot,
}

pub struct Case {
    pub name: &'static str,
    make: &'static [&'static str],
    mount: &'static str,
}

pub const fn case(name: &'static str, make: &'static [&'static str], mount: &'static str) -> Case {
    Case { name, make, mount }
}

/// Where a case mounts its filesystem.
pub fn place(work: &Path) -> PathBuf {
    work.join("place")
}

/// Where our replay differs from the kernel's, after `first`, and in the midst of `more` if a
/// snapshot is to be taken.
pub fn difference<C: Send>(
    work: &Path,
    case: &Case,
    stop: Stop,
    changes: &mut C,
    first: impl FnOnce(&mut C),
    more: impl Fn(&mut C) + Sync,
) -> Option<String> {
    let [image, crashed, patched] = ["image", "crashed", "patched"].map(|name| work.join(name));
    disk::make(&image, 200, case.make);
    let mount = Mount::new(&image, &place(work), case.mount);
    first(changes);
    match stop {
        Stop::Flushed => disk::stop(mount.path(), true),
        Stop::Lost => disk::stop(mount.path(), false),
        Stop::Snapshot => snapshot(&image, &crashed, || more(changes)),
    }
    if !matches!(stop, Stop::Snapshot) {
        disk::snapshot(&image, &crashed);
    }
    drop(mount);
    compare(work, &crashed, &patched)
}

fn snapshot(image: &Path, crashed: &Path, mut more: impl FnMut() + Send) {
    let taken = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !taken.load(Ordering::Relaxed) {
                more();
            }
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        disk::snapshot(image, crashed);
        taken.store(true, Ordering::Relaxed);
    });
}

fn compare(work: &Path, crashed: &Path, patched: &Path) -> Option<String> {
    disk::snapshot(crashed, patched);
    let state = patch::patch(crashed, patched).state;
    eprintln!("{state:?}");
    if !matches!(state, State::Replayed(_)) {
        return Some(format!("{state:?}"));
    }
    let xfs = Xfs::open(Arc::new(FileSource::open(crashed).unwrap())).unwrap();
    assert_eq!(xfs.log(), Some(&state));
    let read = reader::by_reader(&xfs);
    // From here on the image is as the kernel left it.
    let replayed = Mount::new(crashed, &place(work), "rw");
    let kernel = tree::by_kernel(replayed.path());
    drop(replayed);
    let replayed = Mount::new(patched, &place(work), "ro,norecovery");
    let ours = tree::by_kernel(replayed.path());
    drop(replayed);
    tree::difference(&kernel, &ours).or_else(|| tree::difference(&kernel, &read))
}
