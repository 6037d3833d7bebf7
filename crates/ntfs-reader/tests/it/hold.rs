//! Holds the reader against ntfs-3g.

use crate::reader::{Reader, open};
use conformance::{Mounted, Row, compare, report, witness};
use std::path::Path;

/// Holds the reader against ntfs-3g over what is mounted, and unmounts it.
pub fn hold(features: &str, mounted: Mounted, image: &Path, folds_case: bool) -> Reader {
    let tree = witness(mounted.path());
    drop(mounted);
    let reader = Reader { ntfs: open(image), folds_case };
    let differences = compare(&tree, &reader);
    let entries = tree.nodes.len();
    let witness = "ntfs-3g";
    report(&Row { format: "ntfs", features, witness, entries, differences: &differences });
    let text: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{features}\n{}", text.join("\n"));
    reader
}
