//! Files that hold a program's version and little else: `release` of a Java runtime, `OTP_VERSION` of
//! Erlang.

use super::{Collector, manifest};
use crate::host::Host;
use crate::inventory::{Cataloger, PathPattern};
use crate::model::{Ecosystem, Package, PackageState, Partial};

/// The cataloger.
pub struct ReleaseFiles;

const RELEASE: &str = "release";
const OTP_VERSION: &str = "OTP_VERSION";
/// Bytes after which a file of such a name is something else.
const MOST: usize = 64 << 10;

impl Cataloger for ReleaseFiles {
    fn name(&self) -> &'static str {
        "release-files"
    }

    fn patterns(&self) -> &[PathPattern] {
        &[PathPattern::Named(RELEASE), PathPattern::Named(OTP_VERSION)]
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut collector = Collector::new(Ecosystem::Generic, PackageState::Installed, path);
        let mut gaps = Vec::new();
        let Some(bytes) = manifest(host, path, &mut gaps) else {
            return Partial { found: Vec::new(), gaps };
        };
        let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() <= MOST);
        let program = text.and_then(|text| {
            if path.ends_with(OTP_VERSION.as_bytes()) { otp(text) } else { java(text) }
        });
        let Some((vendor, product, version)) = program else { return Partial::default() };
        collector.add(product, version);
        let mut found = collector.into_found();
        found.found.iter_mut().for_each(|package| package.vendor = Some(vendor.to_owned()));
        found
    }
}

type Program<'a> = (&'static str, &'static str, &'a str);

/// Lines of keys and quoted values; without a version of Java it is some other file.
fn java(text: &str) -> Option<Program<'_>> {
    let get = |name: &str| {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let mut values = pairs.filter(|(key, _)| *key == name);
        values.next().map(|(_, value)| value.trim().trim_matches('"'))
    };
    let version = get("JAVA_VERSION")?;
    let product = match get("IMPLEMENTOR") {
        Some("Oracle Corporation") => "jdk",
        _ => "openjdk",
    };
    Some(("oracle", product, version))
}

/// The version alone; two stars tell that patches were applied.
fn otp(text: &str) -> Option<Program<'_>> {
    let version = text.trim().trim_end_matches('*');
    let is_version =
        !version.is_empty() && version.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    is_version.then_some(("erlang", "erlang/otp", version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_java_and_erlang() {
        let text = "IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.21.1\"\nLIBC=\"gnu\"\n";
        assert_eq!(java(text), Some(("oracle", "openjdk", "17.0.21.1")));
        assert_eq!(java("NAME=other\n"), None);
        assert_eq!(otp("25.2.3**\n"), Some(("erlang", "erlang/otp", "25.2.3")));
        assert_eq!(otp("25\n26\n"), None);
    }
}
