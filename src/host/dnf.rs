//! What dnf, yum or zypper installs from: enabled repositories and enabled streams of modules.
//!
//! Formats: `dnf.conf(5)` for `*.repo` files and variables, dnf's modules folder for `*.module` files;
//! both are sections of `key = value` lines. Of a repository only its id is taken: it is what vendors
//! map to products, and addresses may hold passwords. Variables that have no file (`$basearch`) stay as
//! they are written.

use super::Tree;
use super::identity::text;
use crate::model::{Gap, GapReason, printable, printable_str};
use std::collections::{BTreeMap, BTreeSet};

/// Most files of one folder that are read.
const MOST_FILES: usize = 1000;
/// Most repositories, or streams, that are kept; a registered RHEL host lists some thousand.
const MOST_KEPT: usize = 20_000;
const MOST_NAME: usize = 1024;

const REPOSITORIES: [&str; 4] =
    ["/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d", "/etc/zypp/repos.d"];
const OVERRIDES: &str = "/etc/dnf/repos.override.d";
const MODULES: &str = "/etc/dnf/modules.d";
/// The later folder has the last word.
const VARIABLES: [&str; 2] = ["/etc/yum/vars", "/etc/dnf/vars"];

/// Ids of the enabled repositories, sorted.
pub(super) fn repositories(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let mut enabled = BTreeMap::new();
    for folder in REPOSITORIES {
        each_section(tree, (folder, ".repo"), gaps, &mut |section| {
            if section.name != "main" {
                // The first of two with one id counts.
                enabled.entry(section.name).or_insert(section.is_enabled);
            }
            enabled.len() <= MOST_KEPT
        });
    }
    let ids = enabled.into_iter().filter_map(|(id, enabled)| enabled.then_some(id));
    let ids: Vec<_> = ids.collect();
    if ids.is_empty() {
        return ids;
    }
    if tree.list(OVERRIDES.as_bytes(), gaps).iter().any(|it| it.name.ends_with(b".repo")) {
        let detail = "changes to repositories, which are recognised and not read";
        gaps.push(Gap::new(OVERRIDES, GapReason::Unsupported, detail));
    }
    if !ids.iter().any(|id| id.contains('$')) {
        return ids;
    }
    let variables = variables(tree, gaps);
    let mut ids: Vec<_> = ids.iter().map(|id| replaced(id, &variables)).collect();
    ids.sort();
    ids
}

/// The enabled streams of modules as `name:stream`, sorted.
pub(super) fn modules(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let mut streams = BTreeSet::new();
    each_section(tree, (MODULES, ".module"), gaps, &mut |section| {
        if section.state == "enabled" {
            streams.insert(format!("{}:{}", section.name, section.stream));
        }
        streams.len() <= MOST_KEPT
    });
    streams.into_iter().collect()
}

/// A section of a file: what of it matters.
#[derive(Debug, Default)]
struct Section {
    name: String,
    /// A repository that does not say so is enabled.
    is_enabled: bool,
    stream: String,
    state: String,
}

/// Gives the sections of all files of a folder that end so, until it has enough.
fn each_section(
    tree: &Tree,
    (folder, ending): (&str, &str),
    gaps: &mut Vec<Gap>,
    take: &mut dyn FnMut(Section) -> bool,
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
            } else if !take(section) {
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
            sections.push(Section { name, is_enabled: true, ..Section::default() });
            continue;
        }
        let (Some(section), Some((key, value))) = (sections.last_mut(), line.split_once('='))
        else {
            continue;
        };
        let value = value.trim();
        match key.trim_end() {
            "enabled" => section.is_enabled = is_true(value),
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

/// Variables, each of which is a file.
fn variables(tree: &Tree, gaps: &mut Vec<Gap>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for folder in VARIABLES {
        for entry in tree.list(folder.as_bytes(), gaps).iter().take(MOST_FILES) {
            let path = [folder.as_bytes(), b"/", &entry.name].concat();
            let text = text(tree, path, gaps).unwrap_or_default();
            let value = text.lines().next().unwrap_or_default().trim();
            if value.len() <= MOST_NAME {
                variables.insert(printable(&entry.name), printable_str(value));
            }
        }
    }
    variables
}

/// An id with its variables, `$name` or `${name}`, replaced.
fn replaced(id: &str, variables: &BTreeMap<String, String>) -> String {
    let mut parts = id.split('$');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let braced = part.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let plain = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let (name, rest) =
            braced.unwrap_or_else(|| part.split_at(part.find(plain).unwrap_or(part.len())));
        match variables.get(name) {
            Some(value) if whole.len() <= MOST_NAME => {
                whole.push_str(value);
                whole.push_str(rest);
            }
            _ => {
                whole.push('$');
                whole.push_str(part);
            }
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_as_dnf_writes_them() {
        let text = "a=1\n# [no]\n[main]\nenabled=0\n[base]\nname=Base\nbaseurl=http://a/\n  http://b/?enabled=0\nenabled = True\n[off]\nenabled=no\n[silent]\n[nodejs]\nname=nodejs\nstream=18\nstate=enabled\n";
        let found: Vec<_> = sections(text)
            .into_iter()
            .map(|it| format!("{} {} {} {}", it.name, it.is_enabled, it.stream, it.state))
            .collect();
        let expected = [
            "main false  ",
            "base true  ",
            "off false  ",
            "silent true  ",
            "nodejs true 18 enabled",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn variables_are_replaced_by_whole_names() {
        let pairs = [("rel", "8"), ("release", "8.4"), ("x_1", "y")];
        let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        for (id, expected) in [
            ("rhui-$release-rpms", "rhui-8.4-rpms"),
            ("a${rel}ease$x_1", "a8easey"),
            ("$none-$", "$none-$"),
            ("${rel", "${rel"),
        ] {
            assert_eq!(replaced(id, &variables), expected);
        }
    }
}
