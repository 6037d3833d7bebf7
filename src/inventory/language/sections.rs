//! The sections of a TOML lockfile, each parsed alone: a damaged one loses only itself, and no more
//! than one is in memory. A line that begins with a bracket begins a section, as every tool writes it.

use super::Collector;
use crate::model::{Gap, GapReason, printable};
use serde::de::DeserializeOwned;

/// Bytes of a section; one of a package with hundreds of wheels has some hundred thousand. Parsed, a byte
/// of it may take a hundred.
const MOST_SECTION: usize = 1 << 20;
/// Damaged sections of a file after which the rest is not read.
const MOST_DAMAGED: usize = 10_000;

/// Shows the sections whose header this accepts, as `[[package]]` is written, without blanks.
pub fn each<T: DeserializeOwned>(
    text: &str,
    found: &mut Collector,
    is_wanted: impl Fn(&str) -> bool,
    mut show: impl FnMut(&str, T, &mut Collector),
) {
    let mut lines = text.split_inclusive('\n').peekable();
    let (mut is_any, mut damaged) = (false, 0);
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
        is_any = true;
        if body.len() > MOST_SECTION {
            let detail = format!("a section of more than {MOST_SECTION} bytes");
            found.gap(Gap::new(printable(found.path()), GapReason::Limit, detail));
            continue;
        }
        match toml::from_str(&body) {
            Ok(section) => show(header, section, found),
            Err(error) => {
                damaged += 1;
                found.corrupt(format!("section {header}: {}", error.message()));
            }
        }
        if damaged == MOST_DAMAGED {
            return found.stop(&format!("{damaged} damaged sections; the rest was not read"));
        }
    }
    if !is_any {
        foreign(text, found);
    }
}

/// A text without such sections may lock nothing, or be none of TOML.
fn foreign(text: &str, found: &mut Collector) {
    let parsed = (text.len() <= MOST_SECTION).then(|| toml::from_str::<toml::Table>(text));
    match parsed {
        Some(Ok(_)) => {}
        Some(Err(error)) => found.corrupt(error.message()),
        None => found.corrupt("no section of a lockfile"),
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
    fn a_text_without_sections() {
        check("package = []\n[metadata]\nx = 1\n", &[]);
        check("", &[]);
        check("this is no TOML", &["corrupt"]);
        check(&"x = 1\n".repeat(1 << 20), &["corrupt"]);
    }

    #[test]
    fn a_file_of_nothing_but_damage_is_left() {
        let many = "[[p]]\na\n".repeat(2 * MOST_DAMAGED);
        let mut found = Collector::new(Ecosystem::Cargo, PackageState::Locked, b"/a");
        each(&many, &mut found, |_| true, |_, _: toml::Table, _| ());
        let gaps = found.into_found().gaps;
        assert_eq!(gaps.last().unwrap().detail, "10000 damaged sections; the rest was not read");
    }

    #[test]
    fn nesting_and_size_are_bounded() {
        check(
            &format!("[[p]]\na = {}\n[[p]]\nb = 1\n", "[".repeat(1 << 19)),
            &[r#"["b"]"#, "corrupt"],
        );
        check(&format!("[[p]]\na = {}\n", "{a=".repeat(1 << 18)), &["corrupt"]);
        check(&format!("[[p]]\n{} = 1\n", vec!["a"; 1 << 18].join(".")), &["corrupt"]);
        check(
            &format!("[[p]]\na = \"{}\"\n[[p]]\nb=1", "x".repeat(2 << 20)),
            &[r#"["b"]"#, "limit"],
        );
    }
}
