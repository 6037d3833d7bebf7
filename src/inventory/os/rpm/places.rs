//! Where rpm databases are, and which of several is the system's.
//!
//! What an upgrade leaves behind is never merged with what is in use. rpm opens, of the kinds in one
//! folder, the one that it was built to prefer, and each version that came later prefers SQLite
//! over ndb over Berkeley DB (`lib/backend/dbi.c` of rpm 4.16). So the first of this order is read, of
//! one kind that in `/var/lib/rpm`, and each other that holds something is a gap.

use crate::host::{Located, PathError, Tree};
use crate::inventory::PathPattern;
use crate::model::{Gap, GapReason, Partial, printable};

/// Links lead from some of these folders to others.
pub(super) const DATABASES: &[PathPattern] = &[
    PathPattern::File("/var/lib/rpm/rpmdb.sqlite"),
    PathPattern::File("/var/lib/rpm/Packages.db"),
    PathPattern::File("/var/lib/rpm/Packages"),
    PathPattern::File("/usr/lib/sysimage/rpm/rpmdb.sqlite"),
    PathPattern::File("/usr/lib/sysimage/rpm/Packages.db"),
    PathPattern::File("/usr/lib/sysimage/rpm/Packages"),
];

/// The folder of rpm-ostree, to which the others are links where it made them.
pub(super) const ELSEWHERE: &[PathPattern] = &[
    PathPattern::File("/usr/share/rpm/rpmdb.sqlite"),
    PathPattern::File("/usr/share/rpm/Packages.db"),
    PathPattern::File("/usr/share/rpm/Packages"),
];

/// Logs beside databases.
pub(super) const LOGS: &[&str] =
    &["/var/lib/rpm/rpmdb.sqlite-wal", "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal"];

/// Names of databases, newest kind first.
const NAMES: [&[u8]; 3] = [b"/rpmdb.sqlite", b"/Packages.db", b"/Packages"];

/// The database to read, of those that are there.
pub(super) fn choose(tree: &Tree, mut files: Vec<Vec<u8>>) -> Partial<Vec<Vec<u8>>> {
    files.sort_by_key(|path| NAMES.iter().position(|name| path.ends_with(name)));
    let mut chosen = Partial::<Vec<Vec<u8>>>::default();
    let mut seen: Vec<Located> = Vec::new();
    for path in files {
        let at = match held(tree, &path) {
            Ok(Some(at)) => at,
            Ok(None) => continue,
            Err(error) => {
                chosen.gaps.push(Gap::new(printable(&path), error.reason(), error));
                continue;
            }
        };
        if seen.iter().any(|other| tree.is_same(*other, at)) {
            continue;
        }
        seen.push(at);
        match chosen.found.first() {
            None => chosen.found.push(path),
            Some(read) => {
                let read = printable(read);
                let detail = format!("an rpm database that was not read, beside {read}, which was");
                chosen.gaps.push(Gap::new(printable(&path), GapReason::Unsupported, detail));
            }
        }
    }
    chosen
}

/// Where the database is, unless there is nothing in it. Of an SQLite database all may still be in
/// its log.
fn held(tree: &Tree, path: &[u8]) -> Result<Option<Located>, PathError> {
    let log = [path, b"-wal"].concat();
    for path in [path, &log] {
        if tree.open(path)?.is_some_and(|file| file.size() > 0) {
            return tree.find(path);
        }
    }
    Ok(None)
}
