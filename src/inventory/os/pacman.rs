//! The database of pacman, of Arch Linux and what is made from it: a folder for each package in
//! `/var/lib/pacman/local`, with `desc` and the list of its `files`.
//!
//! Format: see [`sections`]. A package has the name and version that its folder is called by, as pacman
//! has it; a `desc` that cannot be read is a gap, and costs only what else it says. Over 100,000
//! folders, 1 MiB of a `desc` or 64 MiB of text the rest is a gap. The many small files are asked
//! for together.

mod sections;

use super::at_once;
use super::words::{Kept, distro, word};
use crate::host::{Descend, Detail, Host, Kind, Located, Part, WalkStep};
use crate::inventory::{Cataloger, Owners, PathPattern, Problems, purl::purl};
use crate::model::{Ecosystem, Gap, GapReason, Os, Package, Partial, SourcePackage, printable};
use sections::Sections;
use std::io::Read;

/// The cataloger.
pub struct Pacman;

const DATABASE: &str = "/var/lib/pacman/local";
/// Folders of packages that are read.
const MOST_FOLDERS: usize = 100_000;
const MOST_DESC: u64 = 1 << 20;
/// Bytes of a list of files. Those of the largest packages have some millions.
const MOST_LIST: u64 = 64 << 20;
/// Packages that are read together.
const BATCH: usize = 512;
/// Problems of one database that are listed.
const MOST_PROBLEMS: usize = 100;

impl Cataloger for Pacman {
    fn name(&self) -> &'static str {
        "pacman"
    }

    fn patterns(&self) -> &[PathPattern] {
        const PATTERNS: &[PathPattern] = &[PathPattern::File(DATABASE)];
        PATTERNS
    }

    /// Other systems may have pacman too, and nothing installed with it.
    fn choose(&self, host: &Host, files: Vec<Vec<u8>>) -> Partial<Vec<Vec<u8>>> {
        let mut gaps = Vec::new();
        let holds = |path: &Vec<u8>| {
            host.tree.list(path, &mut gaps).iter().any(|entry| entry.name != b"ALPM_DB_VERSION")
        };
        Partial { found: files.into_iter().filter(holds).collect(), gaps }
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut problems = Problems::new(DATABASE, MOST_PROBLEMS);
        let folders = folders(host, path, &mut problems);
        let found = packages(host, &folders, &mut problems);
        host.tree.forget();
        Partial { found, gaps: problems.into_gaps() }
    }

    fn catalog_owning(
        &self,
        host: &Host,
        path: &[u8],
        owners: &mut Owners,
    ) -> Partial<Vec<Package>> {
        let mut problems = Problems::new(DATABASE, MOST_PROBLEMS);
        let folders = folders(host, path, &mut problems);
        let found = packages(host, &folders, &mut problems);
        owned(host, &folders, &mut |package, path| owners.note(package, path), &mut problems);
        host.tree.forget();
        Partial { found, gaps: problems.into_gaps() }
    }
}

/// The folder of a package, and where in it the two files are.
struct Folder {
    path: Vec<u8>,
    desc: Option<Located>,
    files: Option<Located>,
}

fn packages(host: &Host, folders: &[Folder], problems: &mut Problems) -> Vec<Package> {
    let mut kept = Kept::new(DATABASE);
    let read = |folders: &[Folder]| {
        let work = |folder: &Folder| read(host, &folder.path);
        at_once::planned(&host.tree, folders, MOST_DESC, |folder| folder.desc, work)
    };
    for (package, gap) in folders.chunks(BATCH).flat_map(read) {
        if let Some(gap) = gap {
            problems.push(gap);
        }
        if let Some(Err(gap)) = package.map(|package| kept.keep(package)) {
            problems.push(gap);
            break;
        }
    }
    kept.found
}

/// Shows the files that packages own: the name of a package, and a path from the root. The lists are
/// taken in the order of the disk.
fn owned(
    host: &Host,
    folders: &[Folder],
    show: &mut dyn FnMut(&str, &[u8]),
    problems: &mut Problems,
) {
    let there = folders.iter().filter_map(|folder| Some((folder.path.as_slice(), folder.files?)));
    let (paths, nodes): (Vec<_>, Vec<_>) = there.unzip();
    let plan = host.tree.plan(&nodes, Part::Start(MOST_LIST));
    while let Some(index) = plan.next(&host.tree) {
        let Some((name, _)) = named(paths[index]) else { continue };
        let mut show = |path: &[u8]| show(name, &[b"/", path].concat());
        if let Err(gap) = owned_by(host, paths[index], &mut show) {
            problems.push(gap);
        }
    }
}

/// The folders of packages. Where their files are is remembered, so that the long folder above them is
/// not searched for each.
fn folders(host: &Host, path: &[u8], problems: &mut Problems) -> Vec<Folder> {
    let (mut folders, mut gaps, mut more) = (Vec::<Folder>::new(), Vec::new(), 0u64);
    let mut top = None;
    let mut visit = |step: &WalkStep| {
        let top = top.get_or_insert_with(|| step.folder.to_vec());
        let folder = [path, &step.folder[top.len()..]].concat();
        let at = [&folder, b"/".as_slice(), step.name].concat();
        if step.folder.len() > top.len() {
            // They came sorted.
            let known = folders.binary_search_by(|it| it.path.cmp(&folder));
            if let Some(known) = known.ok().filter(|_| step.kind == Kind::File) {
                let known = &mut folders[known];
                let file = match step.name {
                    b"desc" => &mut known.desc,
                    b"files" => &mut known.files,
                    _ => return Descend::No,
                };
                *file = Some(step.at);
                host.tree.remember(&at, step.at);
            }
        } else if step.kind == Kind::Directory {
            if folders.len() < MOST_FOLDERS {
                folders.push(Folder { path: at, desc: None, files: None });
                return Descend::Yes;
            }
            more += 1;
        }
        Descend::No
    };
    if let Err(error) = host.tree.walk_below(path, Detail::Names, &mut visit, &mut gaps) {
        gaps.push(Gap::new(printable(path), error.reason(), error));
    }
    for gap in gaps {
        problems.push(gap);
    }
    if more > 0 {
        let detail = format!("more than {MOST_FOLDERS} folders; {more} were not read");
        problems.push(Gap::new(printable(path), GapReason::Limit, detail));
    }
    folders
}

/// A package, as its folder is called, with what its `desc` says of it.
fn read(host: &Host, folder: &[u8]) -> (Option<Package>, Option<Gap>) {
    let path = [folder, b"/desc"].concat();
    let place = printable(&path);
    let Some((name, version)) = named(folder) else {
        let detail = "a folder whose name is no name and version";
        return (None, Some(Gap::new(printable(folder), GapReason::Corrupt, detail)));
    };
    let (desc, mut gap) = match host.tree.read(&path, MOST_DESC) {
        Ok(Some(bytes)) => (Sections::parse(&String::from_utf8_lossy(&bytes)), None),
        Ok(None) => {
            let gap = Gap::new(&place, GapReason::Missing, "not a regular file");
            (Sections::default(), Some(gap))
        }
        Err(error) => (Sections::default(), Some(Gap::new(&place, error.reason(), error))),
    };
    let differs = [("NAME", name), ("VERSION", version)].into_iter();
    if gap.is_none()
        && let Some((section, _)) = differs.clone().find(|(it, own)| desc.first(it) != Some(own))
    {
        let detail = format!("its {section} is not what its folder is called");
        gap = Some(Gap::new(&place, GapReason::Corrupt, detail));
    }
    match package(name, version, &desc, &place, &host.context.os) {
        Ok(package) => (Some(package), gap),
        Err(detail) => (None, Some(Gap::new(place, GapReason::Limit, detail))),
    }
}

/// Name and version of the package that a folder is called after: a version has one dash.
fn named(folder: &[u8]) -> Option<(&str, &str)> {
    let own = folder.rsplit(|byte| *byte == b'/').next()?;
    let own = std::str::from_utf8(own).ok()?;
    let release = own.rfind('-')?;
    let version = own[..release].rfind('-')?;
    (version > 0).then(|| (&own[..version], &own[version + 1..]))
}

/// Shows the paths of `%FILES%`, which are bytes.
fn owned_by(host: &Host, folder: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<(), Gap> {
    let path = [folder, b"/files"].concat();
    let fail = |reason, detail: String| Gap::new(printable(&path), reason, detail);
    match host.tree.open(&path) {
        Ok(Some(file)) => {
            let size = file.size();
            sections::files(file.take(MOST_LIST), show)
                .map_err(|error| fail(GapReason::Unreadable, error.to_string()))?;
            let detail = format!("{size} bytes; only the first {MOST_LIST} were read");
            if size > MOST_LIST { Err(fail(GapReason::Limit, detail)) } else { Ok(()) }
        }
        Ok(None) => Ok(()),
        Err(error) => Err(fail(error.reason(), error.to_string())),
    }
}

/// The package, or which of its words is too long.
fn package(
    name: &str,
    version: &str,
    desc: &Sections,
    evidence: &str,
    os: &Os,
) -> Result<Package, String> {
    let words = |section: &str, what| word(what, desc.first(section).unwrap_or_default());
    let (name, version) = (word("name", name)?, word("version", version)?);
    let (arch, base) = (words("ARCH", "architecture")?, words("BASE", "source package")?);
    let source = if base.is_empty() { name.clone() } else { base };
    let upstream = if source == name { "" } else { source.as_str() };
    let tag = distro(os);
    let qualifiers = [("arch", arch.as_str()), ("distro", &tag), ("upstream", upstream)];
    let packager = words("PACKAGER", "packager")?;
    Ok(Package {
        purl: purl(Ecosystem::Alpm.purl_type(), &os.id, &name, &version, &qualifiers),
        arch,
        source: SourcePackage { name: source, version: version.clone() },
        vendor: Some(packager).filter(|packager| !packager.is_empty()),
        installed_at: desc.first("INSTALLDATE").and_then(time),
        ..Package::new(Ecosystem::Alpm, name, version, evidence.to_owned())
    })
}

/// Seconds since 1970.
fn time(seconds: &str) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds.parse().ok()?).ok()?;
    Some(time.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_folder_is_called_by_name_and_version() {
        let named = |folder: &'static str| super::named(folder.as_bytes());
        assert_eq!(
            named("/x/gtk-update-icon-cache-1:4.12-1"),
            Some(("gtk-update-icon-cache", "1:4.12-1"))
        );
        assert_eq!(named("/x/a-1-1"), Some(("a", "1-1")));
        for none in ["/x-1/a-1", "/x/a", "/x/-1-1", ""] {
            assert_eq!(named(none), None, "{none}");
        }
        assert_eq!(super::named(b"/x/\xff-1-1"), None);
    }
}
