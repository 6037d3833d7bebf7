//! The table of all conformance tests: a line on standard error for each row, and a file of tab
//! separated fields in the folder `SIDELIGHT_CONFORMANCE`, which `scripts/conformance` prints.

use crate::Difference;
use std::path::PathBuf;

/// What was compared, and what came of it.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// Format, such as `ext4`.
    pub format: &'a str,
    /// Features of the format, by the name of the case.
    pub features: &'a str,
    /// Who says what is right: `kernel`, `mke2fs`.
    pub witness: &'a str,
    /// Files that were compared.
    pub entries: usize,
    /// What differs.
    pub differences: &'a [Difference],
}

/// Prints a row.
pub fn report(row: &Row) {
    let result = match row.differences {
        [] => "same".to_owned(),
        [first, ..] => format!("{} differences: {first}", row.differences.len()),
    };
    let Row { format, features, witness, entries, .. } = row;
    eprintln!("conformance: {format} | {features} | {witness} | {entries} | {result}");
    if let Some(folder) = std::env::var_os("SIDELIGHT_CONFORMANCE").map(PathBuf::from) {
        let name =
            format!("{format}-{features}-{witness}").replace(|it: char| !it.is_alphanumeric(), "_");
        let result = result.replace(['\t', '\n'], " ");
        let text = format!("{format}\t{features}\t{witness}\t{entries}\t{result}\n");
        std::fs::write(folder.join(name + ".row"), text).unwrap();
    }
}
