//! `auto/NAME/OF/MODULE/.packlist`: what `make install` of a module writes, and `ExtUtils::Installed` reads.
//!
//! It lists the files that were installed, and no version: that is in the module's own file, among them, in the
//! line that sets `$VERSION`. Where cpanm wrote a record of the same distribution, that one counts.
//! Perl's own list is not below a folder of a module, and is left out.

use super::split_dist;
use crate::host::Host;
use crate::inventory::language::{Collector, manifest, place, text};
use crate::inventory::{Cataloger, PathPattern};
use crate::model::{Ecosystem, Package, PackageState, Partial};
use std::io::Read;

/// The cataloger.
pub struct Packlist;

/// Bytes of a module's file in which its version is looked for; it stands among the first lines.
const MOST_MODULE: u64 = 1 << 20;

impl Cataloger for Packlist {
    fn name(&self) -> &'static str {
        "cpan"
    }

    fn patterns(&self) -> &[PathPattern] {
        &[PathPattern::Named(".packlist")]
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut gaps = Vec::new();
        let mut found = Collector::new(Ecosystem::Cpan, PackageState::Installed, path);
        let above = place::folders(path);
        let auto = above.iter().rposition(|name| *name == b"auto");
        let Some(auto) = auto.filter(|at| at + 1 < above.len()) else { return Partial::default() };
        let module = &above[auto + 1..];
        let dist = text::decode(module.join(&b'-'));
        if !is_recorded(host, &above[..auto], &dist, &mut gaps)
            && let Some(list) = manifest(host, path, &mut gaps)
        {
            let file = [module.join(&b'/').as_slice(), b".pm"].concat();
            match version_of(host, &list, &file, &mut found) {
                Some(version) => found.add(&dist, &version),
                None => found.corrupt("no version in the module of this list"),
            }
        }
        let found = found.into_found().into_found(&mut gaps);
        Partial { found, gaps }
    }
}

/// Whether `.meta` beside `auto` has a record of a distribution of this name.
fn is_recorded(
    host: &Host,
    above: &[&[u8]],
    dist: &str,
    gaps: &mut Vec<crate::model::Gap>,
) -> bool {
    let meta = [b"/", above.join(&b'/').as_slice(), b"/.meta"].concat();
    host.tree.list(&meta, gaps).iter().any(|entry| {
        let name = text::decode(entry.name.clone());
        split_dist(&name).is_some_and(|(name, _)| name == dist)
    })
}

/// The version in the first listed file that ends so.
fn version_of(host: &Host, list: &[u8], file: &[u8], found: &mut Collector) -> Option<String> {
    // A line may go on with `type=file`.
    let lines = list.split(|byte| *byte == b'\n');
    let files = lines.map(|line| line.split(|byte| *byte == b' ').next().unwrap_or_default());
    let ending = [b"/", file].concat();
    let path = files.map(<[u8]>::trim_ascii).find(|path| path.ends_with(&ending))?;
    let mut bytes = Vec::new();
    match host.tree.open(path) {
        Ok(file) => file?.take(MOST_MODULE).read_to_end(&mut bytes).ok()?,
        Err(error) => {
            let place = crate::model::printable(path);
            found.gap(crate::model::Gap::new(place, error.reason(), error));
            return None;
        }
    };
    version_in(&text::decode(bytes))
}

/// What the first line that sets `$VERSION` sets it to, as `MM->parse_version` looks for it, if that is plain.
fn version_in(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim).take_while(|line| *line != "__END__");
    lines.find_map(|line| {
        if let Some(rest) = line.strip_prefix("package ") {
            let version = rest.split_whitespace().nth(1)?.trim_end_matches([';', '{']);
            return is_version(version).then(|| version.to_owned());
        }
        let (left, right) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let variable = left.trim_end().rsplit(['$', ' ', ':', '(']).next()?;
        if !left.contains('$') || variable != "VERSION" {
            return None;
        }
        let calls = ["version->declare", "version->parse", "version->new", "qv"];
        let right = right.trim_start();
        let right = calls.iter().find_map(|call| right.strip_prefix(call)).unwrap_or(right);
        let right = right.trim_start_matches([' ', '(', '\'', '"']);
        let end = right.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
        let version = &right[..end.unwrap_or(right.len())];
        is_version(version).then(|| version.to_owned())
    })
}

fn is_version(text: &str) -> bool {
    text.strip_prefix('v').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_to_set_a_version() {
        for (line, expected) in [
            ("our $VERSION = '1.02';", Some("1.02")),
            ("$Foo::Bar::VERSION = \"v1.2.3\";", Some("v1.2.3")),
            ("use vars qw($VERSION); $VERSION = 1.5;", Some("1.5")),
            ("our $VERSION = version->declare('v2.0');", Some("v2.0")),
            ("$VERSION = sprintf('%d.%02d', q$Revision: 1.3$ =~ /x/);", None),
            ("package Foo::Bar 1.23;", Some("1.23")),
            (
                "package Foo;\n# our $VERSION = 1;\nmy $OTHER_VERSION = 2;\n$VERSION='3_01';",
                Some("3_01"),
            ),
            ("__END__\n$VERSION = 1;", None),
        ] {
            assert_eq!(version_in(line).as_deref(), expected, "{line}");
        }
    }
}
