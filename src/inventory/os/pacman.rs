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
use crate::host::{Descend, Detail, Host, Kind};
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
const MOST_FILES: u64 = 64 << 20;
/// Packages that are read together.
const BATCH: usize = 512;
/// Lists of files that are held at once.
const LISTS: usize = 64;
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
        let place = printable(path);
        let mut problems = Problems::new(&place, MOST_PROBLEMS);
        let mut kept = Kept::new(&place);
        let folders = folders(host, path, &mut problems);
        let read = |folders: &[Vec<u8>]| at_once::each(folders, |folder| read(host, folder));
        for (package, gap) in folders.chunks(BATCH).flat_map(read) {
            if let Some(gap) = gap {
                problems.push(gap);
            }
            if let Some(Err(gap)) = package.map(|package| kept.keep(package)) {
                problems.push(gap);
                break;
            }
        }
        Partial { found: kept.found, gaps: problems.into_gaps() }
    }

    fn catalog_owning(
        &self,
        host: &Host,
        path: &[u8],
        owners: &mut Owners,
    ) -> Partial<Vec<Package>> {
        let mut all = self.catalog(host, path);
        all.gaps.extend(self.owned(host, &mut |package, path| owners.note(package, path)));
        all
    }
}

impl Pacman {
    /// Shows the files that packages own: the name of a package, and a path from the root. What is
    /// wrong with the database is told by [`Cataloger::catalog`], but for what is given here.
    pub fn owned(&self, host: &Host, visit: &mut dyn FnMut(&str, &[u8])) -> Vec<Gap> {
        let mut problems = Problems::new(DATABASE, MOST_PROBLEMS);
        let mut unread = Problems::new(DATABASE, 0);
        let folders = folders(host, DATABASE.as_bytes(), &mut unread);
        for some in folders.chunks(LISTS) {
            let lists = at_once::each(some, |folder| {
                let (name, _) = named(folder)?;
                Some((name.to_owned(), owned_by(host, folder)))
            });
            for (name, files) in lists.into_iter().flatten() {
                match files {
                    Ok(files) => {
                        let files = files.iter().filter(|path| !path.ends_with(b"/"));
                        files.for_each(|path| visit(&name, &[b"/", path.as_slice()].concat()));
                    }
                    Err(gap) => problems.push(gap),
                }
            }
        }
        problems.into_gaps()
    }
}

/// The folders of packages, whose blocks and those of their files are asked for on the way.
fn folders(host: &Host, path: &[u8], problems: &mut Problems) -> Vec<Vec<u8>> {
    let (mut folders, mut gaps, mut more) = (Vec::new(), Vec::new(), 0u64);
    let mut top = None;
    let mut visit = |step: &crate::host::WalkStep| {
        let top = top.get_or_insert_with(|| step.folder.to_vec());
        if step.folder != top.as_slice() || step.kind != Kind::Directory {
            return Descend::No;
        }
        if folders.len() < MOST_FOLDERS {
            folders.push([path, b"/", step.name].concat());
            return Descend::Yes;
        }
        more += 1;
        Descend::No
    };
    if let Err(error) = host.tree.walk_below(path, Detail::Metadata, &mut visit, &mut gaps) {
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

/// The lines of `%FILES%`, which are bytes.
fn owned_by(host: &Host, folder: &[u8]) -> Result<Vec<Vec<u8>>, Gap> {
    let path = [folder, b"/files"].concat();
    let place = printable(&path);
    match host.tree.open(&path) {
        Ok(Some(file)) if file.size() <= MOST_FILES => {
            let files = sections::files(file.take(MOST_FILES));
            files.map_err(|error| Gap::new(place, GapReason::Unreadable, error))
        }
        Ok(Some(file)) => {
            let detail = format!("{} bytes, more than the {MOST_FILES} that are read", file.size());
            Err(Gap::new(place, GapReason::Limit, detail))
        }
        // A package may be without files.
        Ok(None) => Ok(Vec::new()),
        Err(error) => Err(Gap::new(place, error.reason(), error)),
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
