//! The dpkg database: `/var/lib/dpkg/status` with its journal, and the `status.d` folder of images
//! without dpkg.
//!
//! Format: deb822 stanzas, as `dpkg(1)` and `deb-control(5)` describe. A package counts when the
//! third word of its `Status` says that its files are there, configured or not; in `status.d`, which has no such
//! field, when it has a name and a version. Of one that is half installed nobody knows which files are there, which
//! is a gap. The journal (`updates/NNNN`) holds what dpkg has not yet written into
//! `status`; it is applied over it, as every dpkg tool does. Which archive a package came from apt's indexes
//! tell, where they are there ([`origins`]). A file is read as a stream; a stanza
//! over 1 MiB, a file over 256 MiB or a database of more than 200,000 packages ends as a gap.

mod database;
mod files;
mod origins;
mod stanza;

use crate::host::Host;
use crate::inventory::{Cataloger, Owners, PathPattern, Problems, purl::purl};
use crate::model::{
    Ecosystem, Gap, GapReason, Os, Package, PackageState, Partial, SourcePackage, printable,
    printable_str,
};
use database::{Database, Instance, Writing};
use stanza::{Problem, Stanza, Stanzas, corrupt};
use std::io::Read;

/// The cataloger.
pub struct Dpkg;

const STATUS: &str = "/var/lib/dpkg/status";
const STATUS_FOLDER: &str = "/var/lib/dpkg/status.d";
const JOURNAL: &str = "/var/lib/dpkg/updates";
const MOST_FILE: u64 = 256 << 20;
/// Files of the journal that are read; dpkg writes them into `status` when there are 250.
const MOST_UPDATES: usize = 1000;
/// Problems of one file that are listed.
const MOST_PROBLEMS: usize = 100;

impl Cataloger for Dpkg {
    fn name(&self) -> &'static str {
        "dpkg"
    }

    fn patterns(&self) -> &[PathPattern] {
        // `status.d/NAME.md5sums` stands beside `status.d/NAME` and is no stanza.
        const PATTERNS: &[PathPattern] = &[
            PathPattern::File(STATUS),
            PathPattern::Folder { path: STATUS_FOLDER, except: ".md5sums" },
        ];
        PATTERNS
    }

    fn beside(&self) -> &[&'static str] {
        &[JOURNAL]
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut reader = Reader { host, database: Database::default(), gaps: Vec::new() };
        if path == STATUS.as_bytes() {
            reader.file(path, Writing::Status);
            for update in journal(host, &mut reader.gaps) {
                reader.file(&update, Writing::Journal);
            }
        } else {
            reader.file(path, Writing::Alone);
        }
        let Reader { database, mut gaps, .. } = reader;
        let mut problems = Problems::new(&printable(path), MOST_PROBLEMS);
        database.half_installed().for_each(|name| problems.push(half(path, name)));
        gaps.extend(problems.into_gaps());
        let mut found = database.installed();
        if path == STATUS.as_bytes() {
            origins::note(host, &mut found, &mut gaps);
        }
        Partial { found, gaps }
    }

    fn catalog_owning(
        &self,
        host: &Host,
        path: &[u8],
        owners: &mut Owners,
    ) -> Partial<Vec<Package>> {
        let mut all = self.catalog(host, path);
        if path == STATUS.as_bytes() {
            files::note(host, &all.found, owners, &mut all.gaps);
        } else if let [package] = all.found.as_slice() {
            files::note_alone(host, path, package, owners, &mut all.gaps);
        }
        all
    }
}

/// The gap of a package whose installation broke off.
fn half(path: &[u8], name: &str) -> Gap {
    let name = printable_str(name);
    let detail = format!("package {name} is half installed: which files it has is not known");
    Gap::new(printable(path), GapReason::Missing, detail)
}

/// The files of the journal in their order; names that are not numbers are unfinished ones.
fn journal(host: &Host, gaps: &mut Vec<Gap>) -> Vec<Vec<u8>> {
    let entries = host.tree.list(JOURNAL.as_bytes(), gaps).into_iter();
    let numbered = entries.filter(|entry| entry.name.iter().all(u8::is_ascii_digit));
    let mut files: Vec<_> =
        numbered.map(|entry| [JOURNAL.as_bytes(), b"/", &entry.name].concat()).collect();
    if files.len() > MOST_UPDATES {
        let detail = format!("{} files; only the first {MOST_UPDATES} were read", files.len());
        gaps.push(Gap::new(JOURNAL, GapReason::Limit, detail));
        files.truncate(MOST_UPDATES);
    }
    files
}

/// Reads files into one database.
struct Reader<'a> {
    host: &'a Host,
    database: Database,
    gaps: Vec<Gap>,
}

impl Reader<'_> {
    fn file(&mut self, path: &[u8], writing: Writing) {
        let evidence = printable(path);
        let file = match self.host.tree.open(path) {
            Ok(Some(file)) => file,
            Ok(None) => {
                let detail = "not a regular file";
                return self.gaps.push(Gap::new(evidence, GapReason::Missing, detail));
            }
            Err(error) => return self.gaps.push(Gap::new(evidence, error.reason(), error)),
        };
        let size = file.size();
        let mut problems = Problems::new(&evidence, MOST_PROBLEMS);
        self.stanzas(file.take(MOST_FILE), &evidence, writing, &mut problems);
        self.gaps.extend(problems.into_gaps());
        if size > MOST_FILE {
            let detail = format!("{size} bytes; only the first {MOST_FILE} were read");
            self.gaps.push(Gap::new(evidence, GapReason::Limit, detail));
        }
    }

    fn stanzas(
        &mut self,
        file: impl Read,
        evidence: &str,
        writing: Writing,
        problems: &mut Problems,
    ) {
        let os = &self.host.context.os;
        let mut stanzas = Stanzas::new(file);
        while let Some(stanza) = stanzas.next() {
            let instance = stanza.and_then(|stanza| instance(&stanza, writing, evidence, os));
            match instance {
                Ok(instance) => {
                    if !self.database.put(instance, writing) {
                        let most = database::MOST;
                        let detail = format!("more than {most} packages; the rest was not read");
                        return self.gaps.push(Gap::new(evidence, GapReason::Limit, detail));
                    }
                }
                Err(problem) => problems.push(problem.gap(evidence)),
            }
        }
    }
}

/// What a stanza says of its package.
fn instance(
    stanza: &Stanza,
    writing: Writing,
    evidence: &str,
    os: &Os,
) -> Result<Instance, Problem> {
    let field = |name: &str| stanza.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let Some(name) = field("package") else {
        return Err(corrupt("stanza without a package name".to_owned()));
    };
    let state = match field("status").map(|status| status.split_whitespace().nth(2)) {
        Some(Some(state)) => state,
        Some(None) => return Err(corrupt(format!("package {name}: broken status"))),
        None if writing == Writing::Alone => "installed",
        None => return Err(corrupt(format!("package {name}: no status"))),
    };
    let arch = field("architecture").unwrap_or_default();
    let mut instance = Instance {
        name: name.to_owned(),
        arch: arch.to_owned(),
        state: state.into(),
        beside_others: field("multi-arch") == Some("same"),
        package: None,
    };
    if let Some(state) = there(state) {
        let Some(version) = field("version") else {
            return Err(corrupt(format!("package {name}: no version")));
        };
        instance.package = Some(Package {
            state,
            arch: arch.to_owned(),
            purl: deb_purl(name, version, arch, os),
            source: source(field("source"), name, version),
            origin: field("origin").map(str::to_owned),
            ..Package::new(Ecosystem::Deb, name.to_owned(), version.to_owned(), evidence.to_owned())
        });
    }
    Ok(instance)
}

/// How a package is there whose state this is, if its files are.
fn there(state: &str) -> Option<PackageState> {
    match state {
        // Of the last two only triggers are left to be run.
        "installed" | "triggers-awaited" | "triggers-pending" => Some(PackageState::Installed),
        "unpacked" | "half-configured" => Some(PackageState::Unpacked),
        _ => None,
    }
}

fn deb_purl(name: &str, version: &str, arch: &str, os: &Os) -> String {
    let (distro, release) = (&os.id, &os.version_id);
    let tag = if release.is_empty() { String::new() } else { format!("{distro}-{release}") };
    let qualifiers = [("arch", arch), ("distro", tag.as_str())];
    purl(Ecosystem::Deb.purl_type(), distro, name, version, &qualifiers)
}

/// `Source: name (version)`; either part is left out where it equals the binary package's.
fn source(field: Option<&str>, name: &str, version: &str) -> SourcePackage {
    let (source, inside) = match field.map(|field| field.split_once('(').unwrap_or((field, ""))) {
        Some((source, rest)) => (source.trim(), rest.trim_end().trim_end_matches(')').trim()),
        None => (name, ""),
    };
    let version = if inside.is_empty() { version } else { inside };
    SourcePackage { name: source.to_owned(), version: version.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let mut stanzas = Stanzas::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(stanza) = stanzas.next() {
            let instance =
                stanza.and_then(|stanza| instance(&stanza, Writing::Status, "", &Os::default()));
            match instance {
                Ok(instance) => found.extend(instance.package.map(|p| {
                    format!("{} {} {} {}", p.name, p.version, p.source.name, p.source.version)
                })),
                Err(problem) => found.push(problem.detail),
            }
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn only_those_that_are_there_by_whole_word() {
        check(
            "Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: install ok not-installed\nVersion: 1\n\nPackage: c\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: d\nStatus: hold ok installed\nVersion: 2\nSource: dd (1:3)\n\nPackage: e\nStatus: install ok triggers-pending\nVersion: 3\n\nPackage: f\nStatus: install ok triggers-awaited\nVersion: 4\n\nPackage: g\nStatus: install ok unpacked\nVersion: 5\n\nPackage: h\nStatus: install reinstreq half-installed\nVersion: 6\n\nPackage: i\nStatus: install ok half-configured\nVersion: 7\n",
            &["a 1 a 1", "d 2 dd 1:3", "e 3 e 3", "f 4 f 4", "g 5 g 5", "i 7 i 7"],
        );
    }

    #[test]
    fn a_broken_stanza_loses_only_itself() {
        check(
            "Package: a\nStatus: install ok installed\nVersion: 1\nrubbish\n\n\n\nPackage: b\r\nStatus: install ok installed\r\nversion: 1\r\nDescription: x\n y: z\n .\n\nVersion: 3\n\nPackage: c\nStatus: install ok installed\n",
            &[
                "line 4: neither a field nor its continuation",
                "b 1 b 1",
                "stanza without a package name",
                "package c: no version",
            ],
        );
    }

    #[test]
    fn an_endless_line_is_a_limit_and_the_rest_is_read() {
        let long = format!(
            "Package: {}\n\nPackage: b\nStatus: install ok installed\nVersion: 1\n",
            "x".repeat(3 << 20)
        );
        check(&long, &["stanza of 1048577 bytes that ends at line 2", "b 1 b 1"]);
    }
}
