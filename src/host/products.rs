//! Which products of Red Hat are installed: the certificates of subscription-manager, each of which is
//! named by its product's number (479 is Red Hat Enterprise Linux for x86_64).

use super::Tree;
use crate::model::Gap;
use std::collections::BTreeSet;

/// Those that came with the system, and those that subscription-manager put beside them.
const FOLDERS: [&str; 2] = ["/etc/pki/product-default", "/etc/pki/product"];
/// Digits of the longest number.
const MOST_DIGITS: usize = 9;
const MOST_PRODUCTS: usize = 1000;

/// Numbers of products, sorted.
pub(super) fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<u32> {
    let mut products = BTreeSet::new();
    for folder in FOLDERS {
        let entries = tree.list(folder.as_bytes(), gaps);
        products.extend(entries.iter().filter_map(|entry| number(&entry.name)).take(MOST_PRODUCTS));
    }
    products.into_iter().collect()
}

/// `NUMBER.pem`; a name that is no number is no product's.
fn number(name: &[u8]) -> Option<u32> {
    let digits = name.strip_suffix(b".pem")?;
    let is_number = digits.len() <= MOST_DIGITS && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}
