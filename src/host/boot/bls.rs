//! Entries of the Boot Loader Specification: one file each, by their sort key, then the newest version
//! first; those whose tries are used up come last.
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
        let id = String::from_utf8_lossy(&name[..name.len() - b".conf".len()]);
        let (id, is_bad) = without_tries(&id);
        let (order, entry) = parse(&text, id.to_owned(), variables);
        found.push((Order { is_bad, ..order }, entry));
    }
    found.sort_by(|(a, first), (b, second)| {
        a.compare(b).then_with(|| compare(&second.id, &first.id))
    });
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// What a menu is sorted by.
#[derive(Debug, Default)]
struct Order {
    is_bad: bool,
    key: String,
    machine: String,
    version: String,
}

impl Order {
    fn compare(&self, other: &Self) -> Ordering {
        let keyed = |it: &Self| (it.is_bad, it.key.is_empty(), it.key.clone());
        keyed(self)
            .cmp(&keyed(other))
            .then_with(|| {
                if self.key.is_empty() { Ordering::Equal } else { self.machine.cmp(&other.machine) }
            })
            .then_with(|| compare(&other.version, &self.version))
    }
}

/// The name without the count of tries, `+LEFT-DONE`, and whether none is left.
pub(super) fn without_tries(name: &str) -> (&str, bool) {
    let Some((own, tries)) = name.rsplit_once('+') else { return (name, false) };
    let (left, done) = tries.split_once('-').unwrap_or((tries, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if !is_number(left) || !is_number(done) {
        return (name, false);
    }
    (own, left.bytes().all(|digit| digit == b'0'))
}

/// The entry that `loader.conf` names.
pub fn default(tree: &Tree, loader: &str, gaps: &mut Vec<Gap>) -> Option<String> {
    let text = identity::text(tree, format!("{loader}/loader.conf"), gaps)?;
    let mut lines = text.lines().filter_map(|line| line.trim().split_once([' ', '\t']));
    let name = lines.find(|(key, _)| *key == "default")?.1.trim();
    let name = name.strip_suffix(".conf").or_else(|| name.strip_suffix(".efi")).unwrap_or(name);
    Some(name.to_owned())
}

/// The entry, and what it is sorted by.
fn parse(text: &str, id: String, variables: &BTreeMap<String, String>) -> (Order, Entry) {
    let mut entry = Entry { id, ..Entry::default() };
    let mut order = Order::default();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once([' ', '\t']) else { continue };
        let value = value.trim();
        match key {
            "linux" => entry.kernel = Some(value.to_owned()),
            "title" => value.clone_into(&mut entry.title),
            "version" => value.clone_into(&mut order.version),
            "sort-key" => value.clone_into(&mut order.key),
            "machine-id" => value.clone_into(&mut order.machine),
            "options" => {
                let line = entry.command_line.get_or_insert_default();
                line.push(' ');
                line.push_str(&grub::expand(value, variables));
            }
            _ => {}
        }
    }
    if order.version.is_empty() {
        order.version.clone_from(&entry.id);
    }
    (order, entry)
}

/// Versions by their numbers and words. A number is newer than a word, and one that goes on is newer
/// than one that ends.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
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

    /// The order that the specification gives: sort keys upwards, versions downwards, bad ones last.
    #[test]
    fn the_order_of_a_menu() {
        let entry = |name: &str, text: &str| {
            let (id, is_bad) = without_tries(name);
            let (order, entry) = parse(text, id.to_owned(), &BTreeMap::new());
            (Order { is_bad, ..order }, entry.id)
        };
        let mut menu = [
            entry("plain", "version 9\n"),
            entry("bad+0-3", "version 9\nsort-key a\n"),
            entry("b-1", "version 1\nsort-key b\n"),
            entry("a-1+2-1", "version 1\nsort-key a\n"),
            entry("a-2+3", "version 2\nsort-key a\n"),
        ];
        menu.sort_by(|(a, _), (b, _)| a.compare(b));
        assert_eq!(menu.map(|(_, id)| id), ["a-2", "a-1", "b-1", "plain", "bad"]);
        assert_eq!(without_tries("c++"), ("c++", false));
    }

    #[test]
    fn options_of_several_lines_and_variables() {
        let variables = BTreeMap::from([("kernelopts".to_owned(), "root=LABEL=r ro".to_owned())]);
        let text = "title Fedora (6.1)\nversion 6.1\n# c\noptions $kernelopts $tuned_params\noptions quiet\n";
        let (order, entry) = parse(text, "x".to_owned(), &variables);
        assert_eq!((order.version.as_str(), entry.title.as_str()), ("6.1", "Fedora (6.1)"));
        assert_eq!(entry.command_line.as_deref(), Some(" root=LABEL=r ro  quiet"));
    }
}
