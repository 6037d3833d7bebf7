//! Ruby: the specifications of installed gems, and `Gemfile.lock`.
//!
//! RubyGems writes `specifications/NAME-VERSION.gemspec` (in `default/` below it for what comes with Ruby), a Ruby program whose
//! second line, `# stub: NAME VERSION PLATFORM PATHS`, is what `gem list` reads. Older ones lack that line; then
//! the two assignments are taken if they are plain strings, and at last the file's name. Other gemspecs are sources, not installations.

use super::{Collector, Manifest, place, text};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};

/// Installed gems.
pub const GEMSPEC: Manifest = Manifest {
    name: "gem",
    patterns: &[PathPattern::Ending(".gemspec")],
    takes: is_installed,
    ecosystem: Ecosystem::Gem,
    state: PackageState::Installed,
    read: gemspec,
};

/// `Gemfile.lock`, by its newer name `gems.locked`.
pub const GEMFILE_LOCK: Manifest = Manifest {
    name: "bundler",
    patterns: &[PathPattern::Named("Gemfile.lock"), PathPattern::Named("gems.locked")],
    takes: place::of_application,
    state: PackageState::Locked,
    read: gemfile_lock,
    ..GEMSPEC
};

fn is_installed(path: &[u8]) -> bool {
    let above = place::folders(path);
    matches!(above.as_slice(), [.., b"specifications"] | [.., b"specifications", b"default"])
}

fn gemspec(text: &str, found: &mut Collector) {
    let stub = text.lines().find_map(|line| line.strip_prefix("# stub: "));
    let mut words = stub.unwrap_or_default().split_whitespace();
    if let (Some(name), Some(version)) = (words.next(), words.next()) {
        return found.add(name, version);
    }
    let stem = found.path().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let stem = text::decode(stem.strip_suffix(b".gemspec").unwrap_or(stem).to_vec());
    match (assigned(text, "name"), assigned(text, "version")) {
        (Some(name), Some(version)) => found.add(name, version),
        _ => match by_file_name(&stem) {
            Some((name, version)) => found.add(name, version),
            None => found.corrupt("a specification without a name and a version in plain strings"),
        },
    }
}

/// The string that `s.FIELD = "..."` sets, in whatever quotes, frozen or not.
fn assigned<'a>(text: &'a str, field: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (left, right) = line.trim_start().split_once('=')?;
        let (_, name) = left.trim_end().split_once('.')?;
        let right = right.trim_start();
        let right = right.strip_prefix("Gem::Version.new(").unwrap_or(right);
        let is_string = right.starts_with(['"', '\'']);
        (name == field && is_string).then(|| text::quoted(right)).flatten().map(|(value, _)| value)
    })
}

/// `NAME-VERSION` or `NAME-VERSION-PLATFORM`.
fn by_file_name(stem: &str) -> Option<(&str, &str)> {
    let is_digit = |at: usize| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let dash = stem.match_indices('-').map(|(at, _)| at).find(|at| is_digit(*at))?;
    let version = stem[dash + 1..].split('-').next()?;
    Some((&stem[..dash], version))
}

/// Gems stand below `specs:`, indented by four; what each needs is indented by six.
fn gemfile_lock(text: &str, found: &mut Collector) {
    let mut is_inside = false;
    for line in text.lines().map(str::trim_end) {
        let indent = line.len() - line.trim_start().len();
        match indent {
            0 | 2 => is_inside = line == "  specs:",
            4 if is_inside => match spec(line) {
                Some((name, version)) => found.add(name, version),
                None => found.corrupt("a line that is no gem"),
            },
            _ => {}
        }
    }
}

/// `name (version)`; a platform follows the version with a dash.
fn spec(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.trim().split_once(" (")?;
    let version = rest.strip_suffix(')').or_else(|| rest.strip_suffix(")!"))?;
    Some((name, version.split('-').next()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const SPEC: &str = "# -*- encoding: utf-8 -*-\n# stub: a-b 1.0.0 x86_64-linux lib\n\nGem::Specification.new do |s|\n  s.name = \"a-b\".freeze\n  s.version = \"1.0.0\"\nend\n";
    const LOCK: &str = "PATH\n  remote: .\n  specs:\n    own (0.1)\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0.0)\n      b (>= 2)\n    b (2.0.0-x86_64-linux)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  a!\n\nBUNDLED WITH\n   2.4.1\n";

    #[test]
    fn specifications() {
        check(&GEMSPEC, SPEC, &["a-b 1.0.0"]);
        check(
            &GEMSPEC,
            "Gem::Specification.new do |s|\n  s.required_ruby_version = \"9\"\n  s.name = %q{a}\n  s.name = 'a'\n  s.version = Gem::Version.new(\"1.0\")\n",
            &["a 1.0"],
        );
        check(&GEMSPEC, "s.version = A::VERSION", &["corrupt"]);
        assert_eq!(by_file_name("net-ssh-4.0-java"), Some(("net-ssh", "4.0")));
        assert!(is_installed(b"/var/lib/gems/3.1.0/specifications/a-1.gemspec"));
        assert!(!is_installed(b"/var/lib/gems/3.1.0/gems/a-1/a.gemspec"));
    }

    #[test]
    fn locks() {
        check(&GEMFILE_LOCK, LOCK, &["a 1.0.0", "b 2.0.0", "own 0.1"]);
        check(&GEMFILE_LOCK, "GEM\n  specs:\n    a 1.0\n    b (1)\n", &["b 1", "corrupt"]);
    }

    #[test]
    fn damage() {
        survive_damage(&GEMSPEC, SPEC);
        survive_damage(&GEMFILE_LOCK, LOCK);
    }
}
