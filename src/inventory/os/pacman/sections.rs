//! Files of pacman's database: sections that begin with `%NAME%` on a line and end with an empty one,
//! each with lines of values.

use super::super::lines::Lines;
use std::collections::BTreeMap;
use std::io::{self, Read};

/// The sections that say what a package is; the others are passed over.
const WANTED: [&str; 6] = ["NAME", "VERSION", "BASE", "ARCH", "PACKAGER", "INSTALLDATE"];

/// The first line of each section.
#[derive(Debug, Default)]
pub(super) struct Sections(BTreeMap<&'static str, String>);

impl Sections {
    pub(super) fn parse(text: &str) -> Self {
        let mut sections = Self::default();
        let mut current = None;
        for line in text.lines().map(str::trim_end) {
            if let Some(name) = header(line) {
                current = WANTED.iter().find(|wanted| **wanted == name);
            } else if line.is_empty() {
                current = None;
            } else if let Some(name) = current.take() {
                sections.0.entry(name).or_insert_with(|| line.to_owned());
            }
        }
        sections
    }

    /// The value of a section.
    pub(super) fn first(&self, section: &str) -> Option<&str> {
        self.0.get(section).map(String::as_str)
    }
}

fn header(line: &str) -> Option<&str> {
    line.strip_prefix('%')?.strip_suffix('%').filter(|name| !name.is_empty())
}

/// Shows the paths of the section `FILES` that are no folders. A line that is too long for a path is
/// passed over.
pub(super) fn files(file: impl Read, show: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut lines = Lines::new(file);
    let mut within = false;
    while let Some(line) = lines.next()? {
        match line.bytes {
            b"%FILES%" => within = true,
            b"" => within = false,
            path if within && !line.is_cut && !path.ends_with(b"/") => show(path),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_its_first_line_up_to_an_empty_one() {
        let text = "stray\n%NAME%\nzlib\nmore\n\nstray\n%VERSION%\n\n1\n%ARCH%\nany\n%BASE%\n%DESC%\nx\n%NAME%\nother\n";
        let sections = Sections::parse(text);
        let names = ["NAME", "VERSION", "ARCH", "BASE"];
        let found = names.map(|name| sections.first(name));
        assert_eq!(found, [Some("zlib"), None, Some("any"), None]);
    }

    #[test]
    fn files_are_bytes_and_backups_are_none() {
        let text = b"%FILES%\netc/\netc/a\xff\n%x%\n\n%BACKUP%\netc/b\tmd5\n";
        let mut found = Vec::new();
        files(text.as_slice(), &mut |path| found.push(path.to_vec())).unwrap();
        assert_eq!(found, [b"etc/a\xff".to_vec(), b"%x%".to_vec()]);
    }
}
