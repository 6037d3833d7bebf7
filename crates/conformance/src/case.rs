//! One row from beginning to end.

use crate::{
    Abilities, Difference, Mounted, Row, Subject, Tree, compare, fill, mkfs, report, witness,
    workplace,
};
use std::path::{Path, PathBuf};

/// A filesystem to make, fill, and compare.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// Format, as the table names it.
    pub format: &'a str,
    /// Features, as the table names them.
    pub features: &'a str,
    /// Tool that makes the filesystem with its options, to which the image is added.
    pub mkfs: &'a [&'a str],
    /// Options of `mount`, `loop` among them.
    pub mount: &'a str,
    /// Size of the image.
    pub megabytes: u64,
    /// What the filesystem can hold.
    pub abilities: Abilities,
}

/// What a case left, for more tests on the same image.
pub struct Outcome<S> {
    /// The reader.
    pub subject: S,
    /// The kernel's word.
    pub tree: Tree,
    /// The image.
    pub image: PathBuf,
    /// What differed; [`run`] gives none, for it fails then.
    pub differences: Vec<Difference>,
    _work: tempfile::TempDir,
}

/// Makes, fills, asks the kernel, asks the reader that `open` gives, and reports. Panics if they
/// differ.
pub fn run<S: Subject>(case: &Case, open: impl FnOnce(&Path) -> S) -> Outcome<S> {
    let work = workplace();
    let (image, place) = (work.path().join("image"), work.path().join("place"));
    mkfs(&image, case.megabytes, case.mkfs);
    let mounted = Mounted::new(&image, &place, &format!("rw,noatime,{}", case.mount));
    fill(mounted.path(), &case.abilities);
    drop(mounted);
    // Mounted again, so that nothing comes from the kernel's memory of the first time.
    let mounted = Mounted::new(&image, &place, &format!("ro,noatime,{}", case.mount));
    let tree = witness(mounted.path());
    drop(mounted);
    let subject = open(&image);
    let differences = compare(&tree, &subject);
    let Case { format, features, .. } = *case;
    let entries = tree.nodes.len();
    // What `mount` calls for it: the kernel has no NTFS.
    let witness = if format == "ntfs" { "ntfs-3g" } else { "kernel" };
    report(&Row { format, features, witness, entries, differences: &differences });
    let text: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{format} {features}\n{}", text.join("\n"));
    Outcome { subject, tree, image, differences, _work: work }
}
