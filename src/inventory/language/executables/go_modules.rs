//! What the build information of a Go program says: lines of words with tabs between them.
//!
//! ```text
//! path   PACKAGE              mod    MODULE VERSION SUM
//! dep    MODULE VERSION SUM   =>     MODULE VERSION SUM   (in place of the line before)
//! build  KEY=VALUE
//! ```
//!
//! * The standard library is a package `stdlib` of Go's version.
//! * The program's own module often has the version `(devel)`. Then it is what its linker was told
//!   (`-X …version=1.2.3`), else the pseudo-version of its commit, which Go itself notes since 1.24. If
//!   neither is known it is listed as `(devel)`, which is in no range of an advisory.
//! * A module that another replaces is that other one. One that a folder replaces keeps its name and is
//!   `(devel)`: what that folder held is not the version that it replaces.

use super::go::BuildInfo;
use super::known::Found;
use crate::inventory::language::Collector;

const DEVEL: &str = "(devel)";
/// Modules of one program that are taken.
const MOST_MODULES: usize = 20_000;

/// A module as the program names it.
#[derive(Debug, Clone, Copy)]
struct Module<'a> {
    path: &'a str,
    version: &'a str,
}

/// Adds the standard library and all modules.
pub fn add(to: &mut Collector<'_>, info: &BuildInfo) {
    if let Some(version) = go_version(&info.version) {
        to.add("stdlib", version);
    }
    let (mut own, mut modules) = (None, Vec::<Module<'_>>::new());
    for line in info.modules.lines() {
        let mut words = line.split('\t');
        let (kind, path, version) = (words.next(), words.next(), words.next().unwrap_or_default());
        let Some(path) = path.filter(|path| !path.is_empty()) else { continue };
        match kind {
            Some("mod") => own = Some(Module { path, version }),
            Some("dep") if modules.len() < MOST_MODULES => modules.push(Module { path, version }),
            Some("=>") => replace(modules.last_mut().or(own.as_mut()), Module { path, version }),
            _ => {}
        }
    }
    if let Some(own) = own {
        let version = own_version(own, &info.modules);
        add_module(to, own.path, &version);
    }
    for module in modules {
        add_module(to, module.path, module.version);
    }
}

/// Go itself, if the program is its command.
pub fn toolchain(info: &BuildInfo) -> Option<Found> {
    let is_go = info.modules.lines().any(|line| line == "path\tcmd/go");
    let version = go_version(&info.version).filter(|_| is_go)?.to_owned();
    Some(Found { vendor: "golang", product: "go", version })
}

fn replace<'a>(module: Option<&mut Module<'a>>, with: Module<'a>) {
    let Some(module) = module else { return };
    let is_folder = with.path.starts_with(['.', '/']) || with.path.get(1..2) == Some(":");
    if is_folder {
        module.version = DEVEL;
    } else {
        *module = with;
    }
}

fn add_module(to: &mut Collector<'_>, path: &str, version: &str) {
    let namespace = path.rsplit_once('/').map_or("", |(namespace, _)| namespace);
    to.add_of(namespace, path, if version.is_empty() { DEVEL } else { version });
}

/// The number in `go1.22.1`, `go1.22.1 X:boringcrypto`, `devel go1.23-abcdef Mon Jan 1`.
fn go_version(version: &str) -> Option<&str> {
    let mut words = version.split_whitespace();
    let word = words.find(|word| word.starts_with("go"))?.strip_prefix("go")?;
    let number = word.split(['-', '+']).next()?;
    number.starts_with(|it: char| it.is_ascii_digit()).then_some(number)
}

/// The best that is known of the version of the program's own module.
fn own_version(own: Module<'_>, lines: &str) -> String {
    if !matches!(own.version, "" | DEVEL) {
        return own.version.to_owned();
    }
    let settings = lines.lines().filter_map(|line| line.strip_prefix("build\t")?.split_once('='));
    let settings: Vec<_> = settings.collect();
    let get = |key| settings.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let told = get("-ldflags").and_then(told_version);
    let told = told.map(|version| format!("v{version}"));
    told.or_else(|| pseudo_version(get("vcs.revision")?, get("vcs.time")?))
        .unwrap_or_else(|| DEVEL.to_owned())
}

/// The version in the flags of the linker: `-X 'main.version=v1.2.3'` and the like, without its `v`.
fn told_version(flags: &str) -> Option<String> {
    let flags = flags.replace(['"', '\''], " ");
    let settings = flags.split_whitespace().filter_map(|word| word.split_once('='));
    let mut versions = settings.filter_map(|(key, value)| {
        let variable = key.rsplit('.').next()?.to_ascii_lowercase();
        let is_own =
            matches!(variable.as_str(), "version" | "appversion" | "buildversion" | "gitversion");
        let version = value.strip_prefix('v').unwrap_or(value);
        (is_own && is_version(version)).then(|| version.to_owned())
    });
    versions.next()
}

/// Whether a text is three numbers with dots, and what may follow them.
fn is_version(text: &str) -> bool {
    let number = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<_> = number.split('.').collect();
    let is_number =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number)
}

/// `v0.0.0-20240102030405-0123456789ab`, as Go writes a commit of which no tag is known.
fn pseudo_version(revision: &str, time: &str) -> Option<String> {
    let is_hex = revision.len() >= 12 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    let is_time = time.len() == 20 && digits.len() == 14 && time.ends_with('Z');
    (is_hex && is_time).then(|| format!("v0.0.0-{digits}-{}", &revision[..12]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ecosystem, PackageState};

    fn purls(version: &str, modules: &str) -> Vec<String> {
        let mut to = Collector::new(Ecosystem::Golang, PackageState::Installed, b"/app");
        let (version, modules) = (version.to_owned(), modules.to_owned());
        add(&mut to, &BuildInfo { version, modules, damage: Vec::new() });
        to.into_found().found.into_iter().map(|package| package.purl).collect()
    }

    #[test]
    fn modules_and_what_replaces_them() {
        let modules = "path\tx.org/app\nmod\tx.org/app\tv1.2.3\th1:=\ndep\tx.org/a/b\tv0.1.0+incompatible\n\
                       dep\tx.org/c\tv1.0.0\n=>\ty.org/c\tv2.0.0\th1:\ndep\tx.org/d\tv1.0.0\n=>\t./d\t(devel)\t\n";
        let expected = [
            "pkg:golang/stdlib@1.22.1",
            "pkg:golang/x.org/a/b@v0.1.0%2Bincompatible",
            "pkg:golang/x.org/app@v1.2.3",
            "pkg:golang/x.org/d@%28devel%29",
            "pkg:golang/y.org/c@v2.0.0",
        ];
        assert_eq!(purls("go1.22.1 X:boringcrypto", modules), expected);
    }

    #[test]
    fn a_program_that_does_not_know_its_version() {
        let own = |more: &str| purls("", &format!("mod\tx.org/app\t(devel)\t\n{more}"));
        assert_eq!(own(""), ["pkg:golang/x.org/app@%28devel%29"]);
        let told =
            "build\t-ldflags=\"-s -w -X main.commit=1 -X 'x.org/app/cmd.Version=v1.2.3-rc1'\"\n";
        assert_eq!(own(told), ["pkg:golang/x.org/app@v1.2.3-rc1"]);
        let commit =
            "build\tvcs.revision=0123456789abcdef0123\nbuild\tvcs.time=2024-01-02T03:04:05Z\n";
        assert_eq!(own(commit), ["pkg:golang/x.org/app@v0.0.0-20240102030405-0123456789ab"]);
        let broken = "build\tvcs.revision=zz\nbuild\tvcs.time=\u{e9}\n";
        assert_eq!(own(broken), ["pkg:golang/x.org/app@%28devel%29"]);
    }

    #[test]
    fn versions_of_go() {
        let cases = [
            ("go1.19.8", Some("1.19.8")),
            ("devel go1.23-5e8a731569 Mon Jan 1 00:00:00 2024", Some("1.23")),
            ("go1.21rc2", Some("1.21rc2")),
            ("unknown", None),
            ("gone", None),
        ];
        for (text, version) in cases {
            assert_eq!(go_version(text), version, "{text}");
        }
    }
}
