//! Flatpaks: applications and runtimes, each deployed in `NAME/ARCHITECTURE/BRANCH/COMMIT` with a link
//! `active` to the commit in use; those of the system, and of each user.
//!
//! A flatpak has the name, architecture and branch that its folders are called by, as flatpak has it;
//! version and origin are from the file `deploy` ([`deploy`]), or the version from the application's own
//! description. One that says none has none, only a branch. What cannot be read is a gap; over
//! 10,000 names of one installation, 50 architectures or branches of one, or 1,000 users the rest is a gap.

mod deploy;
mod description;

use super::at_once;
use super::words::{Kept, word};
use crate::host::Host;
use crate::inventory::{Cataloger, MOST_FILES, PathPattern, Problems, purl::purl};
use crate::model::{Ecosystem, Gap, GapReason, Package, Partial, printable};
use deploy::Deploy;

/// The cataloger.
pub struct Flatpak;

const SYSTEM: &str = "/var/lib/flatpak";
/// Below a user's own folder.
const OF_USER: &str = "/.local/share/flatpak";
/// What is deployed, below an installation.
const KINDS: [&str; 2] = ["/app", "/runtime"];
const MOST_USERS: usize = 1000;
/// Architectures of a name, and branches of an architecture.
const MOST_BRANCHES: usize = 50;
/// Names that are read together.
const BATCH: usize = 32;
const MOST_DEPLOY: u64 = 4 << 20;
/// Problems of one installation that are listed.
const MOST_PROBLEMS: usize = 100;

impl Cataloger for Flatpak {
    fn name(&self) -> &'static str {
        "flatpak"
    }

    fn patterns(&self) -> &[PathPattern] {
        const PATTERNS: &[PathPattern] = &[
            PathPattern::File("/var/lib/flatpak/app"),
            PathPattern::File("/var/lib/flatpak/runtime"),
        ];
        PATTERNS
    }

    fn is_of_system(&self) -> bool {
        false
    }

    /// Users have their own where flatpak is in use: it makes the system's folder when it first runs.
    fn choose(&self, host: &Host, mut files: Vec<Vec<u8>>) -> Partial<Vec<Vec<u8>>> {
        let mut gaps = Vec::new();
        if matches!(host.tree.find(SYSTEM.as_bytes()), Ok(Some(_))) {
            for user in users(host, &mut gaps) {
                let of_user =
                    KINDS.map(|kind| [&user, OF_USER.as_bytes(), kind.as_bytes()].concat());
                files.extend(of_user.into_iter().filter(|path| is_there(host, path, &mut gaps)));
            }
        }
        Partial { found: files, gaps }
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let place = printable(path);
        let mut problems = Problems::new(&place, MOST_PROBLEMS);
        let mut kept = Kept::new(&place);
        let Partial { found: names, gaps } = folders(host, path, MOST_FILES);
        let mut tell = |gaps: Vec<Gap>| gaps.into_iter().for_each(|gap| problems.push(gap));
        tell(gaps);
        let read = |names: &[Vec<u8>]| at_once::each(names, |name| branches(host, name));
        for Partial { found, gaps } in names.chunks(BATCH).flat_map(read) {
            tell(gaps);
            let kept = found.into_iter().try_for_each(|package| kept.keep(package));
            if let Err(gap) = kept {
                tell(vec![gap]);
                break;
            }
        }
        Partial { found: kept.found, gaps: problems.into_gaps() }
    }
}

/// The folders of those who may have flatpaks of their own.
fn users(host: &Host, gaps: &mut Vec<Gap>) -> Vec<Vec<u8>> {
    let homes = host.tree.list(b"/home", gaps);
    if homes.len() > MOST_USERS {
        let detail = format!("{} users; only the first {MOST_USERS} were read", homes.len());
        gaps.push(Gap::new("/home", GapReason::Limit, detail));
    }
    let homes = homes.iter().take(MOST_USERS);
    let homes = homes.map(|entry| [b"/home/".as_slice(), &entry.name].concat());
    [b"/root".to_vec()].into_iter().chain(homes).collect()
}

fn is_there(host: &Host, path: &[u8], gaps: &mut Vec<Gap>) -> bool {
    let found = host.tree.find(path);
    found
        .unwrap_or_else(|error| {
            gaps.push(Gap::new(printable(path), error.reason(), error));
            None
        })
        .is_some()
}

/// The entries of a folder, as paths.
fn folders(host: &Host, path: &[u8], most: usize) -> Partial<Vec<Vec<u8>>> {
    let mut gaps = Vec::new();
    let entries = host.tree.list(path, &mut gaps);
    if entries.len() > most {
        let detail = format!("{} entries; only the first {most} were read", entries.len());
        gaps.push(Gap::new(printable(path), GapReason::Limit, detail));
    }
    let paths = entries.iter().take(most).map(|entry| [path, b"/", &entry.name].concat());
    Partial { found: paths.collect(), gaps }
}

/// What is deployed of one name.
fn branches(host: &Host, name: &[u8]) -> Partial<Vec<Package>> {
    let mut all = Partial::<Vec<Package>>::default();
    let mut architectures = folders(host, name, MOST_BRANCHES).into_found(&mut all.gaps);
    // A link to the branch that is started, which is listed as itself.
    architectures.retain(|path| !path.ends_with(b"/current"));
    for architecture in architectures {
        let branches = folders(host, &architecture, MOST_BRANCHES).into_found(&mut all.gaps);
        for branch in branches {
            let active = [&branch, b"/active".as_slice()].concat();
            if is_there(host, &active, &mut all.gaps) {
                let package = deployed(host, &branch, &mut all.gaps);
                all.found.extend(package);
            }
        }
    }
    all
}

/// What the branch in a folder `NAME/ARCHITECTURE/BRANCH` has deployed.
fn deployed(host: &Host, folder: &[u8], gaps: &mut Vec<Gap>) -> Option<Package> {
    let path = [folder, b"/active/deploy"].concat();
    let place = printable(&path);
    let deploy = match host.tree.read(&path, MOST_DEPLOY) {
        Ok(Some(bytes)) => {
            Deploy::parse(&bytes).ok_or((GapReason::Corrupt, "no data of a deployment".to_owned()))
        }
        Ok(None) => Err((GapReason::Missing, "not a regular file".to_owned())),
        Err(error) => Err((error.reason(), error.to_string())),
    };
    let deploy = deploy.unwrap_or_else(|(reason, detail)| {
        gaps.push(Gap::new(&place, reason, detail));
        Deploy::default()
    });
    let mut parts = folder.rsplit(|byte| *byte == b'/').map(printable);
    let (branch, arch, name) = (parts.next()?, parts.next()?, parts.next()?);
    let version = deploy.version.or_else(|| description::version(host, folder, &name, gaps));
    let version = version.unwrap_or_default();
    match package([&name, &version, &arch, &branch], deploy.origin.as_deref(), &place) {
        Ok(package) => Some(package),
        Err(detail) => {
            gaps.push(Gap::new(place, GapReason::Limit, detail));
            None
        }
    }
}

/// The package, or which of its words is too long.
fn package(
    [name, version, arch, branch]: [&str; 4],
    origin: Option<&str>,
    evidence: &str,
) -> Result<Package, String> {
    let (name, version) = (word("name", name)?, word("version", version)?);
    let (arch, branch) = (word("architecture", arch)?, word("branch", branch)?);
    let qualifiers = [("arch", arch.as_str()), ("branch", &branch)];
    Ok(Package {
        purl: purl(Ecosystem::Flatpak.purl_type(), "flatpak", &name, &version, &qualifiers),
        arch,
        origin: origin.map(|origin| word("origin", origin)).transpose()?,
        ..Package::new(Ecosystem::Flatpak, name, version, evidence.to_owned())
    })
}
