//! Which files belong to dpkg's packages: `info/NAME.list` and `info/NAME:ARCH.list`, or beside a
//! stanza of `status.d` its `.md5sums`. What `dpkg-divert` moved is at the place it was moved to.

use crate::host::{Host, Part};
use crate::inventory::Owners;
use crate::model::{Gap, GapReason, Package, printable};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

const INFO: &str = "/var/lib/dpkg/info";
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";
/// Bytes of one list; that of a kernel has a million.
const MOST_LIST: u64 = 64 << 20;
/// Bytes of a line.
const MOST_LINE: u64 = 8 << 10;

/// Notes the files of the installed packages.
pub(super) fn note(host: &Host, packages: &[Package], owners: &mut Owners, gaps: &mut Vec<Gap>) {
    let installed: HashMap<&str, &Package> =
        packages.iter().map(|it| (it.name.as_str(), it)).collect();
    let folder = match host.tree.find(INFO.as_bytes()) {
        Ok(Some(folder)) => folder,
        Ok(None) => return,
        Err(error) => return gaps.push(Gap::new(INFO, error.reason(), error)),
    };
    let entries = host.tree.list(INFO.as_bytes(), gaps).into_iter();
    let lists: Vec<_> = entries
        .filter_map(|entry| {
            let stem = entry.name.strip_suffix(b".list")?.to_vec();
            let name = String::from_utf8(stem.split(|byte| *byte == b':').next()?.to_vec()).ok()?;
            let package = installed.get(name.as_str())?;
            let path = [INFO.as_bytes(), b"/", &entry.name].concat();
            host.tree.remember(&path, folder.beside(entry.node));
            Some((package.name.as_str(), path, folder.beside(entry.node)))
        })
        .collect();
    let diversions = diversions(host, gaps);
    let nodes: Vec<_> = lists.iter().map(|(.., at)| *at).collect();
    let plan = host.tree.plan(&nodes, Part::Start(MOST_LIST));
    while let Some(index) = plan.next(&host.tree) {
        let (name, path, _) = &lists[index];
        owners.package(name);
        lines(host, path, gaps, &mut |line| match diversions.get(line) {
            Some((to, by)) if by != name => owners.file(to),
            _ => owners.file(line),
        });
    }
    host.tree.forget();
}

/// Notes the files of a package of `status.d`.
pub(super) fn note_alone(
    host: &Host,
    stanza: &[u8],
    package: &Package,
    owners: &mut Owners,
    gaps: &mut Vec<Gap>,
) {
    owners.package(&package.name);
    lines(host, &[stanza, b".md5sums"].concat(), gaps, &mut |line| {
        // A sum, two spaces, and the path without its slash.
        if let Some(path) = line.get(34..) {
            owners.file(path);
        }
    });
}

/// Where files were moved to, and for which package.
type Diversions = HashMap<Vec<u8>, (Vec<u8>, String)>;

/// Three lines each: the path, where it was moved to, and the package whose own it is not moved for.
fn diversions(host: &Host, gaps: &mut Vec<Gap>) -> Diversions {
    let mut all = Vec::new();
    lines(host, DIVERSIONS.as_bytes(), gaps, &mut |line| all.push(line.to_vec()));
    let triples = all.chunks_exact(3);
    triples.map(|it| (it[0].clone(), (it[1].clone(), printable(&it[2])))).collect()
}

/// Shows each line of a file, if it is there.
fn lines(host: &Host, path: &[u8], gaps: &mut Vec<Gap>, show: &mut dyn FnMut(&[u8])) {
    let file = match host.tree.open(path) {
        Ok(Some(file)) => file,
        Ok(None) => return,
        Err(error) => return gaps.push(Gap::new(printable(path), error.reason(), error)),
    };
    if file.size() > MOST_LIST {
        let detail = format!("{} bytes; only the first {MOST_LIST} were read", file.size());
        gaps.push(Gap::new(printable(path), GapReason::Limit, detail));
    }
    let mut reader = BufReader::new(file.take(MOST_LIST));
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(MOST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => show(line.strip_suffix(b"\n").unwrap_or(&line)),
            Err(error) => {
                return gaps.push(Gap::new(printable(path), GapReason::Unreadable, error));
            }
        }
    }
}
