//! The sections of a TOML lockfile, each parsed alone: a damaged one loses only itself, and no more
//! than one is in memory. A line that begins with a bracket begins a section, as every tool writes it.

use super::Collector;
use crate::model::{Gap, GapReason, printable};
use serde::de::DeserializeOwned;

/// Bytes of a section; one of a package with hundreds of wheels has some hundred thousand.
const MOST_SECTION: usize = 4 << 20;

/// Shows the sections whose header this accepts, as `[[package]]` is written, without blanks.
pub fn each<T: DeserializeOwned>(
    text: &str,
    found: &mut Collector,
    is_wanted: impl Fn(&str) -> bool,
    mut show: impl FnMut(&str, T, &mut Collector),
) {
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let Some(header) = header(line) else { continue };
        let mut body = String::new();
        while let Some(line) = lines.next_if(|line| self::header(line).is_none()) {
            if body.len() <= MOST_SECTION {
                body.push_str(line);
            }
        }
        if !is_wanted(header) {
            continue;
        }
        if body.len() > MOST_SECTION {
            let detail = format!("a section of more than {MOST_SECTION} bytes");
            found.gap(Gap::new(printable(found.path()), GapReason::Limit, detail));
            continue;
        }
        match toml::from_str(&body) {
            Ok(section) => show(header, section, found),
            Err(error) => found.corrupt(format!("section {header}: {}", error.message())),
        }
    }
}

/// The header that a line is. Julia indents those of tables within; an array that goes over several lines has
/// items that end with a comma, or are no words.
fn header(line: &str) -> Option<&str> {
    let header = line.trim_start_matches('\u{feff}').trim_start();
    let header = header.starts_with('[').then(|| header.split('#').next())??.trim_end();
    let words = header.trim_start_matches('[').strip_suffix(']')?;
    let is_indented = line.starts_with([' ', '\t']);
    let is_word = words.trim_start().starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (!is_indented || is_word).then_some(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ecosystem, PackageState};

    fn check(text: &str, expected: &[&str]) {
        let mut found = Collector::new(Ecosystem::Cargo, PackageState::Locked, b"/a");
        let mut shown = Vec::new();
        each(
            text,
            &mut found,
            |it| it == "[[p]]",
            |_, section: toml::Table, _| {
                shown.push(format!("{:?}", section.keys().collect::<Vec<_>>()));
            },
        );
        shown.extend(found.into_found().gaps.iter().map(|gap| gap.reason.as_str().to_owned()));
        assert_eq!(shown, expected);
    }

    #[test]
    fn only_the_wanted_ones_and_each_alone() {
        check(
            "x = 1\r\n[[p]] # first\r\na = \"1\"\r\nb = [\r\n  [1],\r\n]\r\n[p.c]\nd = 1\n[[p]]\na = \n[[p]]\na = 2",
            &[r#"["a", "b"]"#, r#"["a"]"#, "corrupt"],
        );
    }

    #[test]
    fn nesting_and_size_are_bounded() {
        check(
            &format!("[[p]]\na = {}\n[[p]]\nb = 1\n", "[".repeat(1 << 20)),
            &[r#"["b"]"#, "corrupt"],
        );
        check(&format!("[[p]]\na = {}\n", "{a=".repeat(1 << 20)), &["corrupt"]);
        check(&format!("[[p]]\n{} = 1\n", vec!["a"; 1 << 20].join(".")), &["corrupt"]);
        check(
            &format!("[[p]]\na = \"{}\"\n[[p]]\nb=1", "x".repeat(5 << 20)),
            &[r#"["b"]"#, "limit"],
        );
    }
}
