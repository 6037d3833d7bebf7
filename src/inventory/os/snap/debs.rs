//! The Debian packages that a snap was made from: of a base snap all that are in it
//! (`usr/share/snappy/dpkg.yaml` or `dpkg.list`, which `dpkg -l` printed), of others what was staged
//! (`snap/manifest.yaml`, which a snap need not have).

use super::super::words::{Kept, word};
use super::image::Image;
use super::yaml::{self, Depth};
use crate::inventory::{Problems, purl::purl};
use crate::model::{Ecosystem, Gap, GapReason, Package};
use std::collections::BTreeSet;

const MANIFEST: &str = "snap/manifest.yaml";
const MOST_LIST: u64 = 16 << 20;

/// Files of lists, the fullest first, and how each is read.
const LISTS: [(&str, Parse); 3] = [
    ("usr/share/snappy/dpkg.yaml", packages),
    ("usr/share/snappy/dpkg.list", printed),
    (MANIFEST, staged),
];

/// Name, version and architecture.
type Deb = (String, String, String);
type Parse = fn(&str) -> BTreeSet<Deb>;

/// Reads the first list that is there.
pub(super) fn read(
    image: &Image,
    snap: &str,
    arch: &str,
    kept: &mut Kept,
    problems: &mut Problems,
) -> Result<(), Gap> {
    for (path, parse) in LISTS {
        let text = match image.read(path, MOST_LIST) {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(gap) => {
                problems.push(gap);
                continue;
            }
        };
        let debs = parse(&text);
        if debs.is_empty() {
            continue;
        }
        let (distro, tag) = built_on(snap, path, &text);
        let evidence = format!("{}!{path}", image.place());
        let of = Of { snap, arch, distro, tag, evidence };
        for deb in debs {
            match of.package(deb) {
                Ok(package) => kept.keep(package)?,
                Err(detail) => problems.push(Gap::new(&of.evidence, GapReason::Limit, detail)),
            }
        }
        return Ok(());
    }
    Ok(())
}

/// What all packages of a list have in common.
struct Of<'a> {
    snap: &'a str,
    arch: &'a str,
    distro: String,
    tag: String,
    evidence: String,
}

impl Of<'_> {
    fn package(&self, (name, version, arch): Deb) -> Result<Package, String> {
        let (name, version) = (word("name", &name)?, word("version", &version)?);
        let arch =
            if arch.is_empty() { self.arch.to_owned() } else { word("architecture", &arch)? };
        let qualifiers = [("arch", arch.as_str()), ("distro", &self.tag)];
        Ok(Package {
            purl: purl(Ecosystem::Deb.purl_type(), &self.distro, &name, &version, &qualifiers),
            arch,
            origin: Some(format!("snap:{}", self.snap)),
            ..Package::new(Ecosystem::Deb, name, version, self.evidence.clone())
        })
    }
}

/// The system that the packages are of, and how a purl names its release. A base is named after it:
/// `core22` is 22.04, and `core` 16.04.
fn built_on(snap: &str, path: &str, text: &str) -> (String, String) {
    let told = |key: &str| {
        let value = yaml::scalar(text, key)?;
        word(key, &value).ok()
    };
    if path == MANIFEST
        && let Some(id) = told("snapcraft-os-release-id")
    {
        let release = told("snapcraft-os-release-version-id").unwrap_or_default();
        let tag = if release.is_empty() { String::new() } else { format!("{id}-{release}") };
        return (id, tag);
    }
    let number = if snap == "core" { Some("16") } else { snap.strip_prefix("core") };
    let number = number.filter(|it| it.len() == 2 && it.bytes().all(|it| it.is_ascii_digit()));
    let tag = number.map(|number| format!("ubuntu-{number}.04")).unwrap_or_default();
    ("ubuntu".to_owned(), tag)
}

fn packages(text: &str) -> BTreeSet<Deb> {
    yaml::list(text, "packages", Depth::Top).iter().filter_map(|item| deb(item)).collect()
}

/// What was staged and is in the snap, or, as older tools noted it, what was staged for its parts.
fn staged(text: &str) -> BTreeSet<Deb> {
    let mut items = yaml::list(text, "primed-stage-packages", Depth::Top);
    if items.is_empty() {
        items = yaml::list(text, "stage-packages", Depth::Any);
    }
    items.iter().filter_map(|item| deb(item)).collect()
}

/// `NAME=VERSION` or `NAME:ARCHITECTURE=VERSION`.
fn deb(item: &str) -> Option<Deb> {
    let (name, version) = item.split_once('=')?;
    let (name, arch) = name.split_once(':').unwrap_or((name, ""));
    let is_whole = !name.is_empty() && !version.is_empty();
    is_whole.then(|| (name.to_owned(), version.to_owned(), arch.to_owned()))
}

/// Lines of `dpkg -l` whose second letter says that the package is installed.
fn printed(text: &str) -> BTreeSet<Deb> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let state = words.next().filter(|state| matches!(state.len(), 2 | 3))?;
        let (name, version) = (words.next()?, words.next()?);
        let arch = words.next().unwrap_or_default();
        let name = name.split(':').next().unwrap_or_default();
        let is_installed = state.as_bytes()[1] == b'i' && !name.is_empty();
        is_installed.then(|| (name.to_owned(), version.to_owned(), arch.to_owned()))
    };
    // Above the lines stands a ruler, and above that what the letters mean.
    let lines = text.lines().skip_while(|line| !line.starts_with("+++"));
    lines.filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: BTreeSet<Deb>, expected: &[&str]) {
        let found: Vec<_> = found.into_iter().map(|(a, b, c)| [a, b, c].join(" ")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn names_and_versions() {
        check(packages("packages:\n- a=1:2-3\n- b:i386=1\n- c\n- =1\n"), &["a 1:2-3 ", "b 1 i386"]);
        check(
            staged("primed-stage-packages:\n- a=1\nparts:\n  p:\n    stage-packages:\n    - b=1\n"),
            &["a 1 "],
        );
        check(
            staged("primed-stage-packages: []\nparts:\n  p:\n    stage-packages:\n    - b=1\n"),
            &["b 1 "],
        );
    }

    #[test]
    fn what_dpkg_prints() {
        let text = "Desired=Unknown/Install\n| ii none 1 x\n+++-====-===\nii  adduser 3.113 all add\nhi  libc6:amd64 2.23-0 amd64 x\nrc  gone 1 all x\n\nii\n";
        check(printed(text), &["adduser 3.113 all", "libc6 2.23-0 amd64"]);
    }

    #[test]
    fn a_base_is_named_after_its_release() {
        let tag = |snap| built_on(snap, "", "").1;
        assert_eq!(
            (tag("core").as_str(), tag("core22").as_str()),
            ("ubuntu-16.04", "ubuntu-22.04")
        );
        assert_eq!((tag("core2x"), tag("corex"), tag("x")), <_>::default());
    }
}
