//! Go: `go.mod` of an application's source, with its replacements.
//!
//! From Go 1.17 on it names all modules of a build. An older one lacks those that others need: then `go.sum` beside it is read
//! for modules that the first does not name, and whose content it vouches for; it may name more than one build takes. The lines `go` and `toolchain` are
//! demands, not what is there. Format: <https://go.dev/ref/mod>.

use super::{Collector, manifest, place, text};
use crate::host::Host;
use crate::inventory::{Cataloger, MOST_PACKAGES, PathPattern};
use crate::model::{Ecosystem, Package, PackageState, Partial};
use std::collections::{BTreeMap, BTreeSet};

/// The cataloger.
pub struct GoMod;

impl Cataloger for GoMod {
    fn name(&self) -> &'static str {
        "go-mod"
    }

    fn patterns(&self) -> &[PathPattern] {
        &[PathPattern::Named("go.mod")]
    }

    fn takes(&self, path: &[u8]) -> bool {
        let is_vendored = place::folders(path).contains(&b"vendor".as_slice());
        !is_vendored && place::of_application(path)
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut gaps = Vec::new();
        let mut found = Collector::new(Ecosystem::Golang, PackageState::Locked, path);
        if let Some(bytes) = manifest(host, path, &mut gaps) {
            let text = text::decode(bytes);
            let module = read(&text, &mut found);
            if !module.is_whole() {
                let beside = [path.strip_suffix(b"mod").unwrap_or(path), b"sum"].concat();
                let sums = manifest(host, &beside, &mut gaps).map(text::decode).unwrap_or_default();
                let mut more = Collector::new(Ecosystem::Golang, PackageState::Locked, &beside);
                sum(&sums, &module, &mut more);
                let found = found.into_found().into_found(&mut gaps);
                let more = more.into_found().into_found(&mut gaps);
                return Partial { found: [found, more].concat(), gaps };
            }
        }
        let found = found.into_found().into_found(&mut gaps);
        Partial { found, gaps }
    }
}

#[derive(Default)]
struct Module<'a> {
    minor: u32,
    /// Whether it has more lines than are taken.
    is_cut: bool,
    required: BTreeSet<(&'a str, &'a str)>,
    /// By module and the version it is for, empty for all: what is taken instead.
    replaced: BTreeMap<(&'a str, &'a str), (&'a str, &'a str)>,
}

impl Module<'_> {
    fn is_whole(&self) -> bool {
        self.minor >= 17
    }
}

fn read<'a>(text: &'a str, found: &mut Collector) -> Module<'a> {
    let mut module = Module::default();
    let (mut block, mut is_module) = ("", false);
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let mut words: Vec<_> = line.split_whitespace().map(unquoted).collect();
        match words.as_slice() {
            [] => continue,
            [")"] => block = "",
            [word, "("] => block = word,
            _ if block.is_empty() => module.directive(words[0], &words[1..]),
            _ => module.directive(block, &words),
        }
        is_module |= matches!(words.drain(..).next(), Some("module" | "require" | "go"));
    }
    if !is_module && !text.trim().is_empty() {
        found.corrupt("no module");
    }
    module.add(found);
    if module.is_cut {
        found.stop(&format!("only the first {MOST_PACKAGES} lines were taken"));
    }
    module
}

/// A word, which may be a string of either kind.
fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '`'])
}

impl<'a> Module<'a> {
    fn directive(&mut self, name: &str, words: &[&'a str]) {
        match (name, words) {
            ("go", [version, ..]) => {
                let minor = version
                    .strip_prefix("1.")
                    .map(|rest| rest.split(|c: char| !c.is_ascii_digit()));
                self.minor = minor.and_then(|mut parts| parts.next()?.parse().ok()).unwrap_or(0);
            }
            _ if self.required.len() + self.replaced.len() > MOST_PACKAGES => self.is_cut = true,
            ("require", [path, version, ..]) => drop(self.required.insert((path, version))),
            ("replace", [path, "=>", to @ ..]) => self.replace(path, "", to),
            ("replace", [path, version, "=>", to @ ..]) => self.replace(path, version, to),
            _ => {}
        }
    }

    /// Without a version it is a folder, of which no more is known than the module that it stands for.
    fn replace(&mut self, path: &'a str, version: &'a str, to: &[&'a str]) {
        if let [to, to_version, ..] = to {
            self.replaced.insert((path, version), (to, to_version));
        }
    }

    fn add(&self, found: &mut Collector) {
        for (path, version) in &self.required {
            let instead =
                self.replaced.get(&(*path, *version)).or_else(|| self.replaced.get(&(*path, "")));
            let (path, version) = instead.copied().unwrap_or((path, version));
            add(path, version, found);
        }
    }
}

/// `MODULE VERSION HASH` for a module's content, `MODULE VERSION/go.mod HASH` for its demands alone.
fn sum(text: &str, module: &Module, found: &mut Collector) {
    let replaced = module.replaced.iter().flat_map(|((from, _), (to, _))| [*from, *to]);
    let known: BTreeSet<&str> =
        module.required.iter().map(|(path, _)| *path).chain(replaced).collect();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            [path, version, _] if !version.ends_with("/go.mod") && !known.contains(path) => {
                add(path, version, found);
            }
            [] | [_, _, _] => {}
            _ => found.corrupt("a line that is no checksum"),
        }
    }
}

fn add(path: &str, version: &str, found: &mut Collector) {
    let namespace = path.rsplit_once('/').map_or("", |(namespace, _)| namespace);
    found.add_of(namespace, path, version);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, sums: &str, expected: &[&str]) {
        let mut found = Collector::new(Ecosystem::Golang, PackageState::Locked, b"/go.mod");
        let module = read(text, &mut found);
        if !module.is_whole() {
            sum(sums, &module, &mut found);
        }
        let Partial { found, gaps } = found.into_found();
        let found = found.iter().map(|package| format!("{} {}", package.name, package.version));
        let found: Vec<_> = found.chain(gaps.iter().map(|gap| gap.detail.clone())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn required_and_replaced() {
        check(
            "module m\ngo 1.21.3\nrequire x.y/a v1.0.0 // indirect\nrequire (\n\t\"x.y/b/v2\" v2.0.0+incompatible\n\tx.y/c v1\n\tx.y/d v1\n)\nreplace x.y/c => ../c\nreplace (\n x.y/d v1 => z/d v3\n x.y/a v9 => z/a v9\n)\nexclude x.y/e v1\ntoolchain go1.22\n",
            "x.y/q v1 h1:=\n",
            &["x.y/a v1.0.0", "x.y/b/v2 v2.0.0+incompatible", "x.y/c v1", "z/d v3"],
        );
    }

    #[test]
    fn an_older_one_with_its_sums() {
        check(
            "module m\ngo 1.16\nrequire x.y/a v1\n",
            "x.y/a v0 h1:x=\nx.y/b v1 h1:x=\nx.y/b v2/go.mod h1:x=\nrubbish\n",
            &["x.y/a v1", "x.y/b v1", "a line that is no checksum"],
        );
    }

    #[test]
    fn damage() {
        check("", "", &[]);
        check("\u{0}\u{1b}(", "", &["no module"]);
        check("require (\n a\n b v1\n", "", &["b v1"]);
        check(
            &format!("go 1.99999999999\nrequire {} v1", "a".repeat(64 << 10)),
            "",
            &["a package whose name has 65536 bytes and whose version has 2"],
        );
    }
}
