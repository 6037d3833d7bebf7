//! The sections of `key = value` lines that dnf, yum and zypper keep repositories and modules in.

use super::{MOST_FILES, MOST_KEPT, MOST_NAME};
use crate::host::Tree;
use crate::host::identity::text;
use crate::model::{Gap, GapReason, printable, printable_str};

/// A section of a file: what of it matters.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) name: String,
    /// Whether it is enabled, if it says so; a repository that does not is.
    pub(super) enabled: Option<bool>,
    pub(super) stream: String,
    pub(super) state: String,
}

/// Gives the sections of all files of a folder that end so, until it has enough.
pub(super) fn each_section(
    tree: &Tree,
    (folder, ending): (&str, &str),
    gaps: &mut Vec<Gap>,
    take: &mut dyn FnMut(&[u8], Section) -> bool,
) {
    let mut entries = tree.list(folder.as_bytes(), gaps);
    entries.retain(|entry| entry.name.ends_with(ending.as_bytes()));
    if entries.len() > MOST_FILES {
        let detail = format!("{} files; only the first {MOST_FILES} were read", entries.len());
        gaps.push(Gap::new(folder, GapReason::Limit, detail));
    }
    for entry in entries.iter().take(MOST_FILES) {
        let path = [folder.as_bytes(), b"/", &entry.name].concat();
        let text = text(tree, &path, gaps).unwrap_or_default();
        for section in sections(&text) {
            if section.name.len() + section.stream.len() > MOST_NAME {
                let detail = "a section whose name is too long";
                gaps.push(Gap::new(printable(&path), GapReason::Limit, detail));
            } else if !take(&entry.name, section) {
                let detail = format!("more than {MOST_KEPT} sections; the rest was not read");
                return gaps.push(Gap::new(printable(&path), GapReason::Limit, detail));
            }
        }
    }
}

/// The sections of a file; lines before the first, comments and continued lines say nothing here.
fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        let name = line.strip_prefix('[').and_then(|rest| Some(rest.split_once(']')?.0));
        if let Some(name) = name {
            let name = printable_str(name.trim());
            sections.push(Section { name, ..Section::default() });
            continue;
        }
        let (Some(section), Some((key, value))) = (sections.last_mut(), line.split_once('='))
        else {
            continue;
        };
        let value = value.trim();
        match key.trim_end() {
            "enabled" => section.enabled = Some(is_true(value)),
            "stream" => section.stream = printable_str(value),
            "state" => value.clone_into(&mut section.state),
            _ => {}
        }
    }
    sections
}

fn is_true(value: &str) -> bool {
    ["1", "yes", "true", "on"].iter().any(|word| word.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_as_dnf_writes_them() {
        let text = "a=1\n# [no]\n[main]\nenabled=0\n[base]\nname=Base\nbaseurl=http://a/\n  http://b/?enabled=0\nenabled = True\n[off]\nenabled=no\n[silent]\n[nodejs]\nname=nodejs\nstream=18\nstate=enabled\n";
        let found: Vec<_> = sections(text)
            .into_iter()
            .map(|it| format!("{} {:?} {} {}", it.name, it.enabled, it.stream, it.state))
            .collect();
        let expected = [
            "main Some(false)  ",
            "base Some(true)  ",
            "off Some(false)  ",
            "silent None  ",
            "nodejs None 18 enabled",
        ];
        assert_eq!(found, expected);
    }
}
