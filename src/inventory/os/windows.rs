//! Programs and updates of Windows, by its registry: what the list of installed programs is made
//! from, for the machine ([`SOFTWARE`]) and for each user (`NTUSER.DAT`), and the packages of
//! component-based servicing, which updates come as.
//!
//! Hives are read with their logs, by the crate `regf-reader`, which says what is refused. A key that
//! cannot be read is a gap, and costs only itself; over 1,000 users, 100,000 programs of a hive or
//! 64 MiB of text the rest is a gap.

mod programs;
mod updates;

use super::at_once;
use super::words::{Kept, word};
use crate::host::Host;
use crate::host::windows::{Fields, Hive, Key, SOFTWARE, SYSTEM, VERSION, find};
use crate::inventory::{Cataloger, PathPattern, Problems, purl::purl};
use crate::model::{Ecosystem, Gap, GapReason, Package, Partial, printable_str};

/// The cataloger.
pub struct Windows;

const USERS: &str = "/Users";
/// What no one logs in as: what new users begin with, and links that older programs look for.
const NO_USERS: [&[u8]; 4] = [b"Default", b"Default User", b"All Users", b"Public"];
const MOST_USERS: usize = 1000;
/// Keys of one list that are read.
const MOST_KEYS: usize = 100_000;
/// Keys that are read together.
const BATCH: usize = 512;
/// Problems of one hive that are listed.
const MOST_PROBLEMS: usize = 100;

impl Cataloger for Windows {
    fn name(&self) -> &'static str {
        "windows"
    }

    fn patterns(&self) -> &[PathPattern] {
        const PATTERNS: &[PathPattern] = &[PathPattern::File(SOFTWARE)];
        PATTERNS
    }

    fn beside(&self) -> &[&'static str] {
        &[SYSTEM]
    }

    /// Hives beside another system are those of no host.
    fn choose(&self, host: &Host, mut files: Vec<Vec<u8>>) -> Partial<Vec<Vec<u8>>> {
        if host.context.os.id != "windows" {
            return Partial::default();
        }
        let mut gaps = Vec::new();
        if files.is_empty() {
            files.extend(find(&host.tree, SOFTWARE, &mut gaps));
        }
        Partial { found: files, gaps }
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut found = machine(host, path);
        let users = users(host).into_found(&mut found.gaps);
        for Partial { found: packages, gaps } in at_once::each(&users, |hive| user(host, hive)) {
            found.found.extend(packages);
            found.gaps.extend(gaps);
        }
        found
    }
}

/// Programs for all users, and updates.
fn machine(host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
    List::read(host, path, |hive, list| {
        let mut gaps = Vec::new();
        let arch = architecture(hive, &mut gaps);
        list.gaps(gaps);
        list.programs(hive, programs::NATIVE, &arch)?;
        list.programs(hive, programs::OF_32_BITS, "x86")?;
        list.updates(hive, &arch)
    })
}

/// Programs of one user.
fn user(host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
    List::read(host, path, |hive, list| list.programs(hive, programs::OF_USER, ""))
}

/// The hives of users.
fn users(host: &Host) -> Partial<Vec<Vec<u8>>> {
    let mut found = Partial::<Vec<Vec<u8>>>::default();
    let Some(folder) = find(&host.tree, USERS, &mut found.gaps) else { return found };
    let mut entries = host.tree.list(&folder, &mut found.gaps);
    entries.retain(|entry| !NO_USERS.iter().any(|name| entry.name.eq_ignore_ascii_case(name)));
    if entries.len() > MOST_USERS {
        let detail = format!("{} users; only the first {MOST_USERS} were read", entries.len());
        found.gaps.push(Gap::new(USERS, GapReason::Limit, detail));
    }
    let hive = |name: &[u8]| {
        let folder = [&folder, b"/".as_slice(), name, b"/"].concat();
        let hives = ["NTUSER.DAT", "ntuser.dat"].iter();
        let mut hives = hives.map(|hive| [&folder, hive.as_bytes()].concat());
        hives.find(|hive| matches!(host.tree.open(hive), Ok(Some(_)) | Err(_)))
    };
    found.found = entries.iter().take(MOST_USERS).filter_map(|user| hive(&user.name)).collect();
    found
}

/// The architecture in the words of the build: `19041.1.amd64fre.vb_release.191206-1406`.
fn architecture(hive: &Hive, gaps: &mut Vec<Gap>) -> String {
    let Some(mut version) = hive.fields_at(VERSION, gaps) else { return String::new() };
    let lab = version.text("BuildLabEx").or_else(|| version.text("BuildLab")).unwrap_or_default();
    gaps.extend(version.into_gaps());
    let kind = lab.split('.').find_map(|word| word.strip_suffix("fre"));
    kind.and_then(|kind| word("architecture", kind).ok()).unwrap_or_default()
}

/// What is found in one hive.
struct List {
    kept: Kept,
    problems: Problems,
}

impl List {
    /// Opens a hive and reads from it what `work` does; an error of it is one after which the rest
    /// is left.
    fn read(
        host: &Host,
        path: &[u8],
        work: impl FnOnce(&Hive, &mut Self) -> Result<(), Gap>,
    ) -> Partial<Vec<Package>> {
        let mut gaps = Vec::new();
        let Some(hive) = Hive::open(&host.tree, path, &mut gaps) else {
            return Partial { found: Vec::new(), gaps };
        };
        let place = hive.place();
        let problems = Problems::new(place, MOST_PROBLEMS);
        let mut list = Self { kept: Kept::new(place), problems };
        list.gaps(gaps);
        if let Err(gap) = work(&hive, &mut list) {
            list.problems.push(gap);
        }
        Partial { found: list.kept.found, gaps: list.problems.into_gaps() }
    }

    fn gaps(&mut self, gaps: Vec<Gap>) {
        for gap in gaps {
            self.problems.push(gap);
        }
    }

    /// The keys below a path for which `wanted` holds.
    fn keys(&mut self, hive: &Hive, path: &str, wanted: impl Fn(&Key) -> bool) -> Vec<Key> {
        let mut gaps = Vec::new();
        let mut keys = hive.subkeys(path, &mut gaps);
        keys.retain(wanted);
        if keys.len() > MOST_KEYS {
            let detail = format!("{path}: {} keys; only {MOST_KEYS} were read", keys.len());
            gaps.push(Gap::new(hive.place(), GapReason::Limit, detail));
            keys.truncate(MOST_KEYS);
        }
        self.gaps(gaps);
        keys
    }

    /// Keeps what `package` makes of each key of a list.
    fn keep(
        &mut self,
        hive: &Hive,
        path: &str,
        keys: &[Key],
        package: impl Fn(&str, &mut Fields) -> Result<Option<Package>, String> + Sync,
    ) -> Result<(), Gap> {
        let read = |key: &Key| {
            let whole = format!("{path}\\{}", key.name());
            let mut fields = hive.fields(key, &whole);
            let package = package(key.name(), &mut fields).map(|package| {
                let evidence = vec![format!("{}!{}", hive.place(), printable_str(&whole))];
                package.map(|package| Package { evidence, ..package })
            });
            let package = package.map_err(|detail| {
                let detail = format!("{}: {detail}", printable_str(&whole));
                Gap::new(hive.place(), GapReason::Limit, detail)
            });
            (package, fields.into_gaps())
        };
        for (package, gaps) in keys.chunks(BATCH).flat_map(|keys| at_once::each(keys, read)) {
            self.gaps(gaps);
            match package {
                Ok(Some(package)) => self.kept.keep(package)?,
                Ok(None) => {}
                Err(gap) => self.problems.push(gap),
            }
        }
        Ok(())
    }
}

/// A package of Windows, or which of its words is too long. Its evidence is still to be named.
fn package(name: &str, version: &str, arch: &str) -> Result<Package, String> {
    let (name, version) = (word("name", name)?, word("version", version)?);
    let purl_type = Ecosystem::Windows.purl_type();
    Ok(Package {
        purl: purl(purl_type, "windows", &name, &version, &[("arch", arch)]),
        arch: arch.to_owned(),
        ..Package::new(Ecosystem::Windows, name, version, String::new())
    })
}
