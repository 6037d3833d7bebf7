//! Which repository each package was installed from, as the tools above rpm keep it: dnf5's state
//! (`nevras.toml`), the histories of dnf5 and dnf, and yum's folders of small files (`yumdb`).
//!
//! A package is asked of each of them in this order, until one knows it: what a newer tool keeps is the newer
//! word. None of them is there on a host that was only made with rpm, which is no gap.

use super::history;
use crate::host::Host;
use crate::inventory::os::at_once;
use crate::inventory::os::words::word;
use crate::model::{Gap, GapReason, Package, printable};
use std::collections::{HashMap, HashSet};

/// dnf5's state, now and in its first years.
const STATES: [&str; 2] =
    ["/usr/lib/sysimage/libdnf5/nevras.toml", "/usr/lib/sysimage/dnf/nevras.toml"];
const HISTORIES: [&str; 3] = [
    "/usr/lib/sysimage/libdnf5/transaction_history.sqlite",
    "/usr/lib/sysimage/dnf/transaction_history.sqlite",
    "/var/lib/dnf/history.sqlite",
];
const YUM: &str = "/var/lib/yum/yumdb";
/// Bytes of dnf5's state; ten thousand packages take one million. In memory it takes ten times as much.
const MOST_STATE: u64 = 4 << 20;
/// Bytes of a file of yum's.
const MOST_VALUE: usize = 1024;
const MOST_FOLDERS: usize = 256;

/// Notes where the packages come from.
pub(super) fn note(host: &Host, packages: &mut [Package], gaps: &mut Vec<Gap>) {
    let mut wanted = Wanted::of(packages);
    for path in STATES {
        wanted.known(packages, |wanted| state(host, path, wanted, gaps));
    }
    for path in HISTORIES {
        wanted.known(packages, |wanted| history::read(host, path, wanted, gaps));
    }
    wanted.known(packages, |wanted| yum(host, wanted, gaps));
}

/// Packages whose repository is not known yet: their indexes by `name-epoch:version-release.arch`, without an
/// epoch of zero, as dnf writes them.
pub(super) struct Wanted {
    packages: HashMap<String, usize>,
    /// Names and architectures of them.
    words: HashSet<String>,
}

impl Wanted {
    fn of(packages: &[Package]) -> Self {
        let named = packages.iter().enumerate();
        let words = packages.iter().flat_map(|it| [it.name.clone(), it.arch.clone()]);
        Self {
            packages: named.map(|(index, package)| (nevra(package), index)).collect(),
            words: words.collect(),
        }
    }

    /// Whether a package has this name, or is of this architecture.
    pub(super) fn names(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    pub(super) fn get(&self, nevra: &str) -> Option<usize> {
        self.packages.get(nevra).copied()
    }

    /// Takes what a tool says of packages, by their indexes, while there are any left to ask it for.
    fn known(&mut self, packages: &mut [Package], ask: impl FnOnce(&Self) -> Vec<(usize, String)>) {
        if self.packages.is_empty() {
            return;
        }
        for (index, repository) in ask(self) {
            // `@System` is what dnf calls a package whose repository it does not know.
            let told = Some(repository).filter(|it| !it.is_empty() && it != "@System");
            let Some(Ok(told)) = told.map(|it| word("repository", &it)) else { continue };
            if let Some(package) = packages.get_mut(index) {
                self.packages.remove(&nevra(package));
                package.repository = Some(told);
            }
        }
    }
}

fn nevra(package: &Package) -> String {
    let (epoch, version) = package.version.split_once(':').unwrap_or(("0", &package.version));
    let epoch = if epoch == "0" { String::new() } else { format!("{epoch}:") };
    format!("{}-{epoch}{version}.{}", package.name, package.arch)
}

/// dnf5's state: `[nevras]`, each with `from_repo`.
fn state(host: &Host, path: &str, wanted: &Wanted, gaps: &mut Vec<Gap>) -> Vec<(usize, String)> {
    let bytes = match host.tree.read(path.as_bytes(), MOST_STATE) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Vec::new(),
        Err(error) => {
            gaps.push(Gap::new(path, error.reason(), error));
            return Vec::new();
        }
    };
    let table: toml::Table = match toml::from_str(&String::from_utf8_lossy(&bytes)) {
        Ok(table) => table,
        Err(error) => {
            gaps.push(Gap::new(path, GapReason::Corrupt, error.message()));
            return Vec::new();
        }
    };
    let nevras = table.get("nevras").and_then(|it| it.as_table()).into_iter().flatten();
    let told = nevras.filter_map(|(nevra, state)| {
        Some((wanted.get(nevra)?, state.get("from_repo")?.as_str()?.to_owned()))
    });
    told.collect()
}

/// yum's: a folder for each package, `b/PKGID-bash-4.2.46-34.el7-x86_64`, with a file `from_repo`.
fn yum(host: &Host, wanted: &Wanted, gaps: &mut Vec<Gap>) -> Vec<(usize, String)> {
    let mut letters = host.tree.list(YUM.as_bytes(), gaps);
    if letters.len() > MOST_FOLDERS {
        let detail = format!("{} folders; only {MOST_FOLDERS} were looked at", letters.len());
        gaps.push(Gap::new(YUM, GapReason::Limit, detail));
        letters.truncate(MOST_FOLDERS);
    }
    let by_name = wanted.packages.iter().map(|(nevra, index)| (without_epoch(nevra), *index));
    let by_name: HashMap<_, _> = by_name.collect();
    let listed = at_once::each(&letters, |letter| {
        let (path, mut gaps) = ([YUM.as_bytes(), b"/", &letter.name].concat(), Vec::new());
        let entries = host.tree.list(&path, &mut gaps);
        let of = |name: &[u8]| by_name.get(&folder_key(name)?).copied();
        let known = entries.iter().filter_map(|it| Some((of(&it.name)?, &it.name)));
        let file = |name: &[u8]| [&path, &b"/"[..], name, b"/from_repo"].concat();
        (known.map(|(index, name)| (index, file(name))).collect::<Vec<_>>(), gaps)
    });
    let mut files = Vec::new();
    for (found, more) in listed {
        files.extend(found);
        gaps.extend(more);
    }
    let read = at_once::each(&files, |(_, path)| host.tree.read_part(path, 0, MOST_VALUE));
    let mut told = Vec::new();
    for ((index, path), outcome) in files.iter().zip(read) {
        match outcome {
            Ok(text) => {
                let text = String::from_utf8_lossy(&text.unwrap_or_default()).trim().to_owned();
                told.push((*index, text));
            }
            Err(error) => gaps.push(Gap::new(printable(path), error.reason(), error)),
        }
    }
    told
}

/// `name-version-release-arch` of yum's folder, whose first word is a checksum.
fn folder_key(name: &[u8]) -> Option<String> {
    let (_, rest) = std::str::from_utf8(name).ok()?.split_once('-')?;
    Some(rest.to_owned())
}

/// What yum calls a package, which leaves its epoch out.
fn without_epoch(nevra: &str) -> String {
    let (rest, arch) = nevra.rsplit_once('.').unwrap_or((nevra, ""));
    let mut parts = rest.rsplitn(3, '-');
    let (release, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let name = parts.next().unwrap_or_default();
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    format!("{name}-{version}-{release}-{arch}")
}

#[cfg(test)]
mod tests;
