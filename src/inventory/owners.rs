//! Which package of the system a file belongs to.
//!
//! Package databases list paths as their packages have them, which may lead over links: those that a system
//! has at its top (`/lib` is `/usr/lib`) are known from the beginning, others when the walk met them. It meets files at
//! their real places. Only hashes of paths are held: a host has hundreds of thousands.

use super::kernels;
use crate::host::{Kind, Tree};
use crate::model::{Gap, GapReason, printable};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// Most paths that are held.
const MOST: usize = 8 << 20;
/// Most packages that hold kernels.
const MOST_KERNELS: usize = 4096;

/// The owners of files.
pub struct Owners {
    hasher: RandomState,
    packages: Vec<String>,
    /// The index of a package by the hash of a path.
    files: HashMap<u64, u32>,
    /// Folders at the top that are links, without slashes, and where they lead.
    links: Vec<(Vec<u8>, Vec<u8>)>,
    /// Folders of the paths, by their hashes.
    folders: HashSet<u64>,
    /// The one of them that was met last.
    last_folder: Vec<u8>,
    /// Where such a folder leads that is a link, and the folder.
    moved: Vec<(Vec<u8>, Vec<u8>)>,
    /// Kernels, each with the index of the package that holds a part of it.
    kernels: Vec<(u32, String)>,
    is_full: bool,
    has_more_kernels: bool,
}

impl Owners {
    /// None yet, on this host.
    pub fn new(tree: &Tree, gaps: &mut Vec<Gap>) -> Self {
        Self {
            hasher: RandomState::new(),
            packages: Vec::new(),
            files: HashMap::new(),
            links: links(tree, gaps),
            folders: HashSet::new(),
            last_folder: Vec::new(),
            moved: Vec::new(),
            kernels: Vec::new(),
            is_full: false,
            has_more_kernels: false,
        }
    }

    /// Notes that the paths that follow belong to this package.
    pub fn package(&mut self, name: &str) {
        self.packages.push(name.to_owned());
    }

    /// Notes that a path belongs to the package that was noted last.
    pub fn file(&mut self, path: &[u8]) {
        let Some(package) = self.packages.len().checked_sub(1) else { return };
        if self.files.len() >= MOST {
            self.is_full = true;
            return;
        }
        let hash = self.hash(path);
        self.files.insert(hash, package as u32);
        self.note_folder(path);
        let release = kernels::release_of(path.strip_prefix(b"/").unwrap_or(path));
        let kernel = release.map(|release| (package as u32, release));
        // The files of a kernel follow one another.
        if let Some(kernel) = kernel.filter(|kernel| self.kernels.last() != Some(kernel)) {
            self.has_more_kernels |= self.kernels.len() >= MOST_KERNELS;
            if !self.has_more_kernels {
                self.kernels.push(kernel);
            }
        }
    }

    fn note_folder(&mut self, path: &[u8]) {
        let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        // The paths of a package follow one another.
        if path[..end] != self.last_folder {
            path[..end].clone_into(&mut self.last_folder);
            self.folders.insert(self.hash(&path[..end]));
        }
    }

    /// Whether packages have something below this path.
    pub fn is_folder(&self, path: &[u8]) -> bool {
        self.folders.contains(&self.hash(path))
    }

    /// Notes that a folder of packages is a link, and where it leads.
    pub fn moved(&mut self, folder: Vec<u8>, real: Vec<u8>) {
        self.moved.push((real, folder));
    }

    /// Packages that hold parts of kernels, each with the kernel's release.
    pub fn kernels(&self) -> impl Iterator<Item = (&str, &str)> {
        let package = |index: &u32| self.packages.get(*index as usize).map(String::as_str);
        self.kernels.iter().filter_map(move |(index, release)| Some((package(index)?, &**release)))
    }

    /// Notes that a path belongs to this package.
    pub fn note(&mut self, package: &str, path: &[u8]) {
        if self.packages.last().is_none_or(|last| last != package) {
            self.package(package);
        }
        self.file(path);
    }

    /// The package that the file at this place, without links, belongs to.
    pub fn of(&self, path: &[u8]) -> Option<&str> {
        let listed = |(real, folder): &(Vec<u8>, Vec<u8>)| {
            let rest = path.strip_prefix(real.as_slice())?;
            let listed = rest.starts_with(b"/").then(|| [folder, rest].concat())?;
            self.files.get(&self.hash(&listed))
        };
        let direct = self.files.get(&self.hash(path));
        let package = direct.or_else(|| self.moved.iter().find_map(listed))?;
        self.packages.get(*package as usize).map(String::as_str)
    }

    /// Whether all packages that `other` has are here too, by their names.
    pub fn has_all_of(&self, other: &Self) -> bool {
        let own: HashSet<&str> = self.packages.iter().map(String::as_str).collect();
        other.packages.iter().all(|package| own.contains(package.as_str()))
    }

    /// How many paths are known.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether no path is known.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// What could not be noted.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> + use<> {
        let paths =
            format!("more than {MOST} paths of packages; the owners of the rest are not known");
        let kernels = format!(
            "more than {MOST_KERNELS} kernels in packages; the rest are not told as kernels"
        );
        let told = [(self.is_full, paths), (self.has_more_kernels, kernels)];
        let told = told.into_iter().filter(|(is_so, _)| *is_so);
        told.map(|(_, detail)| Gap::new("/", GapReason::Limit, detail))
    }

    fn hash(&self, path: &[u8]) -> u64 {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let real = self.follow(path, 1);
        let real = real.as_deref().unwrap_or(path);
        let deeper = self.follow(real, 2);
        self.hasher.hash_one(deeper.as_deref().unwrap_or(real))
    }

    /// The path with its first names replaced, if they are a link.
    fn follow(&self, path: &[u8], names: usize) -> Option<Vec<u8>> {
        let mut slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let (end, _) = slashes.nth(names - 1)?;
        let (_, target) = self.links.iter().find(|(link, _)| *link == path[..end])?;
        Some([target, &path[end..]].concat())
    }
}

/// The links to folders at the top and in `/usr`, where systems merge folders.
fn links(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut links = Vec::new();
    for folder in ["", "/usr"] {
        for entry in tree.list(if folder.is_empty() { b"/" } else { folder.as_bytes() }, gaps) {
            let path = [folder.as_bytes(), b"/", &entry.name].concat();
            let may_be_link = entry.kind.is_none_or(|kind| kind == Kind::Symlink);
            let real = if may_be_link { tree.real_path(&path) } else { Ok(None) };
            let real = real.unwrap_or_else(|error| {
                gaps.push(Gap::new(printable(&path), error.reason(), error));
                None
            });
            if let Some(real) = real.filter(|real| *real != path && !real.is_empty()) {
                links.push((path[1..].to_vec(), real[1..].to_vec()));
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn owners_are_known_by_the_real_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("usr/bin")).unwrap();
        symlink("usr/bin", folder.path().join("bin")).unwrap();
        symlink("usr/bin", folder.path().join("sbin")).unwrap();
        symlink("bin", folder.path().join("usr/sbin")).unwrap();
        let tree = Tree::of_directory(folder.path()).unwrap();
        let mut owners = Owners::new(&tree, &mut Vec::new());
        owners.package("one");
        owners.file(b"/bin/ls");
        owners.file(b"/usr/sbin/fdisk");
        owners.package("two");
        owners.file(b"/usr/bin/two");
        owners.file(b"/file");
        owners.package("three");
        owners.file(b"/opt/app/bin/run");
        assert!(owners.is_folder(b"/opt/app/bin") && !owners.is_folder(b"/opt/app/bin/run"));
        owners.moved(b"/opt/app".to_vec(), b"/data/app".to_vec());
        for (path, owner) in [
            ("/usr/bin/ls", Some("one")),
            ("/sbin/ls", Some("one")),
            ("/usr/bin/fdisk", Some("one")),
            ("/usr/bin/two", Some("two")),
            ("/file", Some("two")),
            ("/data/app/bin/run", Some("three")),
            ("/data/application/bin/run", None),
            ("/usr/bin", None),
            ("/usr/bin/three", None),
            ("/ls", None),
        ] {
            assert_eq!(owners.of(path.as_bytes()), owner, "{path}");
        }
    }
}
