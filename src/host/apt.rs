//! The archives that apt knows: each index of packages below `/var/lib/apt/lists`, with what the
//! release file beside it says of its publisher.
//!
//! Formats: `apt-secure(8)` for release files (`*_InRelease`, in which the text is signed, else `*_Release`),
//! and `DebianRepository/Format` of Debian's wiki. Names are addresses with slashes as underscores:
//! `HOST_PATH_dists_SUITE_COMPONENT_binary-ARCH_Packages`. Release files are read as far as their first fields.
//!
//! Which indexes are read for packages is decided here: unless all are wished for, 8 MiB of them, those of other publishers
//! before the system's own, small ones first. Where one of another publisher is among them, the system's own are read too,
//! however large: a mirror may have the same packages, and only the own index tells. A package of no index that
//! was read is then one of the system's own, mostly; each archive says whether its index was read.

use super::{Part, Tree};
use crate::model::{Archive, Gap, GapReason, HostContext, printable, printable_str};
use std::collections::BTreeMap;

const LISTS: &str = "/var/lib/apt/lists";
/// Most indexes that are listed.
const MOST_ARCHIVES: usize = 1000;
/// Bytes of a release file that are read; what is wanted comes first.
const START: u64 = 16 << 10;
const MOST_WORD: usize = 256;
/// Bytes of an index of the system's own that is read beside those of others.
const MOST_OWN: u64 = 512 << 20;
const INDEX: &str = "_Packages";

/// How many bytes of indexes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexes {
    /// Sixteen blocks of a disk. That of Debian's release has fifty million bytes.
    Some,
    /// More than any host has.
    All,
}

impl Indexes {
    fn most(self) -> u64 {
        match self {
            Self::Some => 8 << 20,
            Self::All => 4 << 30,
        }
    }
}

/// Archives, and what of them could not be read.
#[derive(Default)]
pub struct Archives {
    found: Vec<Archive>,
    gaps: Vec<Gap>,
}

/// What a release file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Release {
    origin: Option<String>,
    label: Option<String>,
    suite: Option<String>,
    codename: Option<String>,
}

impl Archives {
    /// Finds them.
    pub fn find(tree: &Tree) -> Self {
        let mut archives = Self::default();
        let entries = tree.list(LISTS.as_bytes(), &mut archives.gaps);
        let text = |name| std::str::from_utf8(name).ok().filter(|it| printable_str(it) == **it);
        let names: Vec<_> = entries.iter().filter_map(|it| text(it.name.as_slice())).collect();
        if names.len() < entries.len() {
            let detail = format!("{} names that are no text", entries.len() - names.len());
            archives.gaps.push(Gap::new(LISTS, GapReason::Corrupt, detail));
        }
        let mut indexes: Vec<_> = names.iter().copied().filter(|it| is_index(it)).collect();
        if indexes.len() > MOST_ARCHIVES {
            let count = indexes.len();
            let detail =
                format!("{count} indexes of packages; only {MOST_ARCHIVES} were looked at");
            archives.gaps.push(Gap::new(LISTS, GapReason::Limit, detail));
            indexes.truncate(MOST_ARCHIVES);
        }
        let stems = stems(&names);
        let wanted: BTreeMap<_, _> = indexes.iter().filter_map(|it| stem_of(it, &stems)).collect();
        let releases = archives.releases(tree, &wanted);
        for name in indexes {
            let stem = stem_of(name, &stems).map(|(stem, _)| stem);
            let release = stem.and_then(|stem| releases.get(stem)).cloned().unwrap_or_default();
            archives.keep(tree, name, stem, release);
        }
        archives
    }

    /// Notes them in the context of their host, those whose indexes are to be read marked.
    pub fn add_to(mut self, context: &mut HostContext, indexes: Indexes, gaps: &mut Vec<Gap>) {
        mark(&mut self.found, &context.os.id, indexes.most());
        context.archives = self.found;
        gaps.append(&mut self.gaps);
    }

    /// The release files, by what their names and those of their indexes begin with.
    fn releases<'a>(
        &mut self,
        tree: &Tree,
        wanted: &BTreeMap<&'a str, &str>,
    ) -> BTreeMap<&'a str, Release> {
        let files: Vec<_> = wanted.iter().map(|(stem, name)| (*stem, path(name))).collect();
        let place = |(_, path): &(_, String)| tree.find(path.as_bytes()).ok().flatten();
        let nodes: Vec<_> = files.iter().map(place).collect();
        let there: Vec<_> = (0..files.len()).filter(|index| nodes[*index].is_some()).collect();
        let nodes: Vec<_> = nodes.into_iter().flatten().collect();
        let plan = tree.plan(&nodes, Part::Start(START));
        let mut releases = BTreeMap::new();
        while let Some(index) = plan.next(tree) {
            let (stem, path) = &files[there[index]];
            match tree.read_part(path.as_bytes(), 0, START as usize) {
                Ok(text) => {
                    let text = text.unwrap_or_default();
                    let release = release(&String::from_utf8_lossy(&text));
                    if release == Release::default() {
                        let detail = "a release file that says nothing of its archive";
                        self.gaps.push(Gap::new(path, GapReason::Corrupt, detail));
                    }
                    releases.insert(*stem, release);
                }
                Err(error) => self.gaps.push(Gap::new(path, error.reason(), error)),
            }
        }
        releases
    }

    fn keep(&mut self, tree: &Tree, name: &str, stem: Option<&str>, release: Release) {
        let index = path(name);
        let index_size = match tree.open(index.as_bytes()) {
            Ok(Some(file)) => file.size(),
            Ok(None) => return,
            Err(error) => return self.gaps.push(Gap::new(index, error.reason(), error)),
        };
        let Release { origin, label, suite, codename } = release;
        let (component, architecture) = parts(name, stem);
        let site = name.split('_').next().unwrap_or_default().to_owned();
        self.found.push(Archive {
            origin,
            label,
            suite,
            codename,
            site,
            component,
            architecture,
            index,
            index_size,
            index_read: false,
        });
    }
}

fn path(name: &str) -> String {
    format!("{LISTS}/{name}")
}

/// Whether this is an index of packages, packed or not.
fn is_index(name: &str) -> bool {
    without_packing(name).is_some()
}

/// The name up to `_Packages`; one of changes (`_Packages.diff_Index`) is none.
fn without_packing(name: &str) -> Option<&str> {
    let (before, packing) = name.rsplit_once(INDEX)?;
    let known = ["", ".lz4", ".gz", ".xz", ".zst", ".bz2", ".lzma"];
    (known.contains(&packing) && !before.is_empty()).then_some(before)
}

/// Release files by the start of their names, the signed ones before the others.
fn stems<'a>(names: &[&'a str]) -> BTreeMap<&'a str, &'a str> {
    let mut stems = BTreeMap::new();
    for ending in ["_Release", "_InRelease"] {
        stems.extend(names.iter().filter_map(|it| Some((it.strip_suffix(ending)?, *it))));
    }
    stems
}

/// The release file with the longest start that the index has too.
fn stem_of<'a>(index: &str, stems: &BTreeMap<&'a str, &'a str>) -> Option<(&'a str, &'a str)> {
    let ends = index.rmatch_indices('_').map(|(at, _)| &index[..at]);
    ends.take(64).find_map(|start| stems.get_key_value(start)).map(|(stem, name)| (*stem, *name))
}

/// Component and architecture of an index. Without a release file, what follows `dists` and the suite.
fn parts(name: &str, stem: Option<&str>) -> (String, String) {
    let whole = without_packing(name).unwrap_or(name);
    let rest = if let Some(stem) = stem {
        whole.strip_prefix(stem).unwrap_or_default()
    } else {
        let after = whole.split_once("_dists_").map_or("", |(_, after)| after);
        after.split_once('_').map_or("", |(suite, _)| &after[suite.len()..])
    };
    let rest = rest.strip_prefix('_').unwrap_or(rest);
    match rest.rsplit_once("_binary-") {
        Some((component, architecture)) => (component.replace('_', "/"), architecture.to_owned()),
        None => Default::default(),
    }
}

/// The first fields of a release file, below the head of its signature.
fn release(text: &str) -> Release {
    let mut lines = text.lines();
    if text.starts_with("-----BEGIN PGP") {
        lines.by_ref().find(|line| line.trim().is_empty());
    }
    let mut release = Release::default();
    for line in lines.take_while(|line| !line.trim().is_empty()) {
        let Some((key, value)) = line.split_once(':') else { continue };
        let field = match key.to_ascii_lowercase().as_str() {
            "origin" => &mut release.origin,
            "label" => &mut release.label,
            "suite" => &mut release.suite,
            "codename" => &mut release.codename,
            _ => continue,
        };
        let value = value.trim();
        if !value.is_empty() && value.len() <= MOST_WORD && !line.starts_with(' ') {
            *field = Some(printable(value.as_bytes()));
        }
    }
    release
}

/// Marks the indexes to read, and puts the system's own archives first.
fn mark(archives: &mut [Archive], os: &str, most: u64) {
    let is_own = |archive: &Archive| archive.is_of(os);
    archives.sort_by(|a, b| (!is_own(a), &a.index).cmp(&(!is_own(b), &b.index)));
    let mut order: Vec<_> = (0..archives.len()).collect();
    order.sort_by_key(|index| (is_own(&archives[*index]), archives[*index].index_size));
    let mut left = most;
    for index in order {
        let archive = &mut archives[index];
        if let Some(rest) = left.checked_sub(archive.index_size) {
            (left, archive.index_read) = (rest, true);
        }
    }
    if archives.iter().any(|it| it.index_read && !is_own(it)) {
        let own = archives.iter_mut().filter(|it| is_own(it) && it.index_size <= MOST_OWN);
        own.for_each(|archive| archive.index_read = true);
    }
}

#[cfg(test)]
mod tests;
