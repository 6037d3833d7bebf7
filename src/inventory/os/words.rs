//! What databases of packages say, held to bounds: each word, and all that is kept of one database.

use crate::inventory::MOST_PACKAGES;
use crate::model::{Gap, GapReason, Os, Package, printable_str};

/// Bytes of a name, a version or any other word of a package; real ones have some dozens.
const MOST_WORD: usize = 1024;
/// Bytes of text of all packages of one database; those of a large host have one or two million.
const MOST_TEXT: usize = 64 << 20;

/// A word of a package, made printable; an error says which one is too long.
pub(super) fn word(what: &str, text: &str) -> Result<String, String> {
    if text.len() > MOST_WORD {
        return Err(format!("package whose {what} has {} bytes", text.len()));
    }
    Ok(printable_str(text))
}

/// The system as a purl names it: `alpine-3.19.0`.
pub(super) fn distro(os: &Os) -> String {
    let release = &os.version_id;
    if release.is_empty() { String::new() } else { format!("{}-{release}", os.id) }
}

/// The packages of one database.
pub(super) struct Kept {
    place: String,
    pub(super) found: Vec<Package>,
    text: usize,
}

impl Kept {
    pub(super) fn new(place: &str) -> Self {
        Self { place: place.to_owned(), found: Vec::new(), text: 0 }
    }

    /// Keeps one more; an error after which the rest is left.
    pub(super) fn keep(&mut self, package: Package) -> Result<(), Gap> {
        self.text += length(&package);
        let limit = if self.found.len() >= MOST_PACKAGES {
            format!("more than {MOST_PACKAGES} packages; the rest was not read")
        } else if self.text > MOST_TEXT {
            format!("packages with more than {MOST_TEXT} bytes of text; the rest was not read")
        } else {
            self.found.push(package);
            return Ok(());
        };
        Err(Gap::new(&self.place, GapReason::Limit, limit))
    }
}

/// Bytes of what the package says of itself.
fn length(package: &Package) -> usize {
    let words = [&package.name, &package.version, &package.arch, &package.purl];
    let optional = [&package.vendor, &package.origin, &package.installed_at];
    let optional = optional.into_iter().flatten();
    words.into_iter().chain(optional).chain(&package.evidence).map(String::len).sum()
}
