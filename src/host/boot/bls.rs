//! Entries of the Boot Loader Specification: one file each, the newest version first.
//! <https://uapi-group.org/specifications/specs/boot_loader_specification/>

use super::{Entry, grub};
use crate::host::{Tree, identity};
use crate::model::{Gap, GapReason};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Most entries that are read.
const MOST_ENTRIES: usize = 200;

/// The entries in a folder, in the order of the menu.
pub fn entries(
    tree: &Tree,
    folder: &str,
    variables: &BTreeMap<String, String>,
    gaps: &mut Vec<Gap>,
) -> Vec<Entry> {
    let names = tree.list(folder.as_bytes(), gaps).into_iter().map(|entry| entry.name);
    let mut names: Vec<_> = names.filter(|name| name.ends_with(b".conf")).collect();
    if names.len() > MOST_ENTRIES {
        let detail =
            format!("{} boot entries; only the first {MOST_ENTRIES} were read", names.len());
        gaps.push(Gap::new(folder, GapReason::Limit, detail));
        names.truncate(MOST_ENTRIES);
    }
    let mut found = Vec::new();
    for name in names {
        let path = [folder.as_bytes(), b"/", &name].concat();
        let Some(text) = identity::text(tree, path, gaps) else { continue };
        let id = String::from_utf8_lossy(&name[..name.len() - b".conf".len()]).into_owned();
        found.push(parse(&text, id, variables));
    }
    found.sort_by(|(a, first), (b, second)| {
        compare(b, a).then_with(|| compare(&second.id, &first.id))
    });
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// The entry that `loader.conf` names; a pattern at its end is left open.
pub fn default(tree: &Tree, loader: &str, gaps: &mut Vec<Gap>) -> Option<String> {
    let text = identity::text(tree, format!("{loader}/loader.conf"), gaps)?;
    let value = text.lines().find_map(|line| line.trim().strip_prefix("default "))?.trim();
    let name = value.trim_end_matches('*');
    Some(name.strip_suffix(".conf").unwrap_or(name).to_owned())
}

/// The version and the entry.
fn parse(text: &str, id: String, variables: &BTreeMap<String, String>) -> (String, Entry) {
    let mut entry = Entry { id, ..Entry::default() };
    let mut version = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once([' ', '\t']) else { continue };
        let value = value.trim();
        match key {
            "title" => value.clone_into(&mut entry.title),
            "version" => value.clone_into(&mut version),
            "options" => {
                let line = entry.command_line.get_or_insert_default();
                line.push(' ');
                line.push_str(&grub::expand(value, variables));
            }
            _ => {}
        }
    }
    if version.is_empty() {
        version.clone_from(&entry.id);
    }
    (version, entry)
}

/// Versions by their numbers and words. A number is newer than a word, and one that goes on is newer
/// than one that ends.
fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (segments(a), segments(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => {
                let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
                match (is_number(a), is_number(b)) {
                    (true, true) => {
                        let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
                        a.len().cmp(&b.len()).then_with(|| a.cmp(b))
                    }
                    (false, false) => a.cmp(b),
                    (a, b) => a.cmp(&b),
                }
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Runs of digits and runs of letters.
fn segments(version: &str) -> impl Iterator<Item = &str> {
    version.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            let digit = rest.chars().next()?.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
            let (segment, after) = rest.split_at(end);
            rest = after;
            Some(segment)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the order of `sort -V`, but that rescue images, whose version starts with 0, are oldest.
    #[test]
    fn versions_in_their_order() {
        let sorted = [
            "0-rescue-11112222",
            "5.14.0-70.13.1.el9_0.x86_64",
            "5.14.0-362.8.1.el9_3.x86_64",
            "6.1.9-200.fc37.x86_64",
            "6.1.10-100.fc37.x86_64",
            "6.1.10-200.fc37.x86_64",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(compare("2", "10"), Ordering::Less);
    }

    #[test]
    fn options_of_several_lines_and_variables() {
        let variables = BTreeMap::from([("kernelopts".to_owned(), "root=LABEL=r ro".to_owned())]);
        let text = "title Fedora (6.1)\nversion 6.1\n# c\noptions $kernelopts $tuned_params\noptions quiet\n";
        let (version, entry) = parse(text, "x".to_owned(), &variables);
        assert_eq!((version.as_str(), entry.title.as_str()), ("6.1", "Fedora (6.1)"));
        assert_eq!(entry.command_line.as_deref(), Some(" root=LABEL=r ro  quiet"));
    }
}
