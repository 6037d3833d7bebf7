//! Debian: advisories are about source packages and their versions, in dpkg's order.

use super::{Lookup, Rules, Subject};
use crate::model::{Ecosystem, Os, Package};
use crate::version::dpkg;
use std::cmp::Ordering;

/// For the os-release files up to Debian 9, which have no codename, and those that lost it.
const CODENAMES: &[(&str, &str)] = &[
    ("7", "wheezy"),
    ("8", "jessie"),
    ("9", "stretch"),
    ("10", "buster"),
    ("11", "bullseye"),
    ("12", "bookworm"),
    ("13", "trixie"),
    ("14", "forky"),
];

const SIGNED_KERNEL: &str = "linux-signed-";
/// What the packages that hold a kernel are called.
const KERNEL_IMAGE: &str = "linux-image-";

/// The rules.
pub(super) struct Debian;

impl Rules for Debian {
    fn distro(&self) -> &'static str {
        "debian"
    }

    fn release(&self, os: &Os) -> Option<String> {
        if let Some(name) = os.codename.as_ref().filter(|name| !name.is_empty()) {
            return Some(name.clone());
        }
        let major = os.version_id.split('.').next()?;
        CODENAMES.iter().find(|(number, _)| *number == major).map(|(_, name)| (*name).to_owned())
    }

    fn rolling(&self) -> Option<&'static str> {
        Some("sid")
    }

    /// Backports and packages of other archives are foreign: their versions follow other fixes.
    fn subject(&self, package: &Package) -> Lookup {
        let foreign = package.ecosystem != Ecosystem::Deb
            || package.origin.as_deref().is_some_and(|origin| origin != "Debian");
        if foreign || is_backport(&package.version) || is_backport(&package.source.version) {
            return Lookup::Foreign;
        }
        let source = &package.source;
        let subject = match signed_kernel(&source.name) {
            Some(source) => Subject { source, version: package.version.clone() },
            None => Subject { source: source.name.clone(), version: source.version.clone() },
        };
        if is_kernel(&subject.source) && !package.name.starts_with(KERNEL_IMAGE) {
            return Lookup::Apart;
        }
        Lookup::Of(subject)
    }

    fn is_kernel(&self, package: &Package) -> bool {
        let source = signed_kernel(&package.source.name);
        package.ecosystem == Ecosystem::Deb
            && is_kernel(source.as_deref().unwrap_or(&package.source.name))
    }

    fn compare(&self, a: &str, b: &str) -> Ordering {
        dpkg::compare(a, b)
    }
}

/// Whether the version has a part `~bpo` and a digit.
fn is_backport(version: &str) -> bool {
    let digit = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    version.split('~').skip(1).any(|part| part.strip_prefix("bpo").is_some_and(digit))
}

/// The source of which a `linux-signed-ARCH` is the signed copy. Its version counts the signings;
/// its binaries have the versions of the kernel. Later kernels offered to an older release have
/// sources of their own: `linux-signed-6.1-ARCH` is a copy of `linux-6.1`.
fn signed_kernel(source: &str) -> Option<String> {
    let rest = source.strip_prefix(SIGNED_KERNEL).filter(|rest| !rest.is_empty())?;
    let series = rest.split_once('-').map(|(first, _)| first).filter(|first| is_series(first));
    Some(series.map_or_else(|| "linux".to_owned(), |series| format!("linux-{series}")))
}

/// Whether kernels are built from the source: `linux`, and `linux-6.1` of an older release. Of what
/// else is built from it, headers and documents above all, the faults of the kernel are no part.
fn is_kernel(source: &str) -> bool {
    source == "linux" || source.strip_prefix("linux-").is_some_and(is_series)
}

fn is_series(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_the_codename_else_by_number() {
        let check = |codename: Option<&str>, version: &str, expected: Option<&str>| {
            let os = Os {
                codename: codename.map(str::to_owned),
                version_id: version.to_owned(),
                ..Os::default()
            };
            assert_eq!(Debian.release(&os).as_deref(), expected);
        };
        check(Some("bookworm"), "11", Some("bookworm"));
        check(None, "9", Some("stretch"));
        check(None, "10", Some("buster"));
        check(Some(""), "13", Some("trixie"));
        check(None, "12.5", Some("bookworm"));
        check(None, "99", None);
        check(None, "", None);
    }

    #[test]
    fn signed_kernels_are_copies() {
        let check = |source, expected: Option<&str>| {
            assert_eq!(signed_kernel(source).as_deref(), expected);
        };
        check("linux-signed-amd64", Some("linux"));
        check("linux-signed-arm64", Some("linux"));
        check("linux-signed-6.1-amd64", Some("linux-6.1"));
        check("linux-latest", None);
        check("linux-signed-", None);
        check("linux", None);
    }

    #[test]
    fn kernels_are_built_from_linux_and_its_series() {
        for source in ["linux", "linux-6.1", "linux-2.6.24"] {
            assert!(is_kernel(source), "{source}");
        }
        for source in ["linux-base", "linux-latest", "linuxptp", "linux-5", "util-linux"] {
            assert!(!is_kernel(source), "{source}");
        }
    }

    #[test]
    fn backports_are_told_by_their_version() {
        assert!(is_backport("1.2-3~bpo12+1"));
        assert!(is_backport("1.2-3~deb12u1~bpo11+1"));
        assert!(!is_backport("1.2~bpo"));
        assert!(!is_backport("1.2bpo12"));
        assert!(!is_backport("1.2-3~deb12u1"));
    }
}
