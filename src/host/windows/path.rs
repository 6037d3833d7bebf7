//! Paths whose letters may be of another case. NTFS and FAT find them by themselves; a folder of another
//! filesystem that Windows' files were copied to does not.

use crate::host::Tree;
use crate::model::{Gap, printable};

/// The path as it is stored; `None` if there is none.
pub fn find(tree: &Tree, path: &str, gaps: &mut Vec<Gap>) -> Option<Vec<u8>> {
    match tree.find(path.as_bytes()) {
        Ok(Some(_)) => return Some(path.as_bytes().to_vec()),
        Ok(None) => {}
        Err(error) => {
            gaps.push(Gap::new(printable(path.as_bytes()), error.reason(), error));
            return None;
        }
    }
    let mut found = Vec::new();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let folder = if found.is_empty() { b"/" } else { found.as_slice() };
        let entries = tree.list(folder, gaps);
        let same = entries.iter().find(|it| it.name.eq_ignore_ascii_case(name.as_bytes()))?;
        found = [&found, b"/".as_slice(), &same.name].concat();
    }
    Some(found)
}
