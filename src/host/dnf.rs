//! What dnf, yum or zypper installs from: enabled repositories and enabled streams of modules.
//!
//! Formats: `dnf.conf(5)` for `*.repo` files and variables, dnf's modules folder for `*.module` files;
//! both are sections of `key = value` lines; dnf5 keeps modules in `modules.toml` and changes to repositories in
//! `repos.override.d`. Of a repository only its id is taken: it is what vendors
//! map to products, and addresses may hold passwords. Variables that have no file (`$basearch`) stay as
//! they are written.

mod sections;

use super::Tree;
use super::identity::text;
use crate::model::{Gap, GapReason, printable, printable_str};
use sections::each_section;
use std::collections::{BTreeMap, BTreeSet};

/// Most files of one folder that are read.
const MOST_FILES: usize = 1000;
/// Most repositories, or streams, that are kept; a registered RHEL host lists some thousand.
const MOST_KEPT: usize = 20_000;
const MOST_NAME: usize = 1024;

const REPOSITORIES: [&str; 4] =
    ["/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d", "/etc/zypp/repos.d"];
/// What changes repositories after all were read, in the order of the files' names; of two with one name that in
/// `/etc` counts.
const OVERRIDES: [&str; 2] = ["/usr/share/dnf5/repos.override.d", "/etc/dnf/repos.override.d"];
const MOST_OVERRIDES: usize = 1000;
const MODULES: &str = "/etc/dnf/modules.d";
/// Where dnf5 keeps the state of modules.
const MODULES_5: &str = "/usr/lib/sysimage/libdnf5/modules.toml";
/// The later folder has the last word.
const VARIABLES: [&str; 2] = ["/etc/yum/vars", "/etc/dnf/vars"];

/// Ids of the enabled repositories, sorted.
pub(super) fn repositories(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let mut enabled = BTreeMap::new();
    for folder in REPOSITORIES {
        each_section(tree, (folder, ".repo"), gaps, &mut |_, section| {
            if section.name != "main" {
                // The first of two with one id counts.
                enabled.entry(section.name).or_insert(section.enabled.unwrap_or(true));
            }
            enabled.len() <= MOST_KEPT
        });
    }
    if enabled.is_empty() {
        return Vec::new();
    }
    override_with(tree, &mut enabled, gaps);
    let ids = enabled.into_iter().filter_map(|(id, enabled)| enabled.then_some(id));
    let ids: Vec<_> = ids.collect();
    if !ids.iter().any(|id| id.contains('$')) {
        return ids;
    }
    let variables = variables(tree, gaps);
    let mut ids: Vec<_> = ids.iter().map(|id| replaced(id, &variables)).collect();
    ids.sort();
    ids
}

/// Enables and disables what dnf5's overrides say, whose sections may be patterns of ids.
fn override_with(tree: &Tree, enabled: &mut BTreeMap<String, bool>, gaps: &mut Vec<Gap>) {
    let mut files = BTreeMap::new();
    for folder in OVERRIDES {
        let mut changes = Vec::new();
        each_section(tree, (folder, ".repo"), gaps, &mut |file, section| {
            changes.push((file.to_vec(), section.name, section.enabled));
            changes.len() <= MOST_OVERRIDES
        });
        for (file, id, enabled) in changes {
            files.entry(file).or_insert_with(Vec::new).push((folder, id, enabled));
        }
    }
    for changes in files.into_values() {
        let last = changes.last().map(|(folder, ..)| *folder);
        for (_, id, change) in changes.iter().filter(|(folder, ..)| Some(*folder) == last) {
            let matching = enabled.iter_mut().filter(|(known, _)| matches(id, known));
            matching.for_each(|(_, enabled)| *enabled = change.unwrap_or(*enabled));
        }
    }
}

/// Whether an id is of a pattern with `*` and `?`.
fn matches(pattern: &str, id: &str) -> bool {
    let (pattern, id) = (pattern.as_bytes(), id.as_bytes());
    let (mut at, mut star, mut here) = (0, None, 0);
    while here < id.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == id[here] => (at, here) = (at + 1, here + 1),
            _ => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from + 1));
                (at, here) = (back + 1, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// The enabled streams of modules as `name:stream`, sorted.
pub(super) fn modules(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let mut streams = BTreeSet::new();
    each_section(tree, (MODULES, ".module"), gaps, &mut |_, section| {
        if section.state == "enabled" {
            streams.insert(format!("{}:{}", section.name, section.stream));
        }
        streams.len() <= MOST_KEPT
    });
    streams.extend(modules_of_dnf5(tree, gaps));
    streams.into_iter().take(MOST_KEPT).collect()
}

/// `[modules.NAME]` with `enabled_stream` and `state`.
fn modules_of_dnf5(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let Some(text) = text(tree, MODULES_5, gaps) else { return Vec::new() };
    let table: toml::Table = match toml::from_str(&text) {
        Ok(table) => table,
        Err(error) => {
            gaps.push(Gap::new(MODULES_5, GapReason::Corrupt, error.message()));
            return Vec::new();
        }
    };
    let modules = table.get("modules").and_then(|it| it.as_table());
    let modules = modules.into_iter().flatten().filter_map(|(name, module)| {
        let word = |key| module.get(key).and_then(|it| it.as_str());
        let is_enabled = word("state").is_some_and(|it| it.eq_ignore_ascii_case("enabled"));
        let stream = word("enabled_stream").filter(|it| is_enabled && !it.is_empty())?;
        (name.len() + stream.len() <= MOST_NAME).then(|| printable_str(&format!("{name}:{stream}")))
    });
    modules.collect()
}

/// The value of one variable, and the file that has it.
pub(super) fn variable(tree: &Tree, name: &str, gaps: &mut Vec<Gap>) -> Option<(String, String)> {
    VARIABLES.iter().rev().find_map(|folder| {
        let path = format!("{folder}/{name}");
        let text = text(tree, &path, gaps)?;
        let value = text.lines().next().map(str::trim).filter(|it| !it.is_empty())?;
        (value.len() <= MOST_NAME).then(|| (printable_str(value), path))
    })
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

    fn planted(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let tree = Tree::of_directory(root.path()).unwrap();
        (root, tree)
    }

    #[test]
    fn overrides_have_the_last_word_by_the_order_of_their_names() {
        let (_root, tree) = planted(&[
            ("/etc/yum.repos.d/a.repo", "[base]\n[updates]\n[updates-source]\nenabled=0\n[x]\n"),
            ("/usr/share/dnf5/repos.override.d/10-a.repo", "[x]\nenabled=0\n"),
            ("/usr/share/dnf5/repos.override.d/99.repo", "[base]\nenabled=0\n"),
            ("/etc/dnf/repos.override.d/99.repo", "[x]\npriority=1\n[updates*]\nenabled=1\n"),
            ("/etc/dnf/repos.override.d/50.repo", "[*]\nenabled=0\n[b?se]\nenabled=1\n"),
        ]);
        let mut gaps = Vec::new();
        let ids = repositories(&tree, &mut gaps);
        assert_eq!(
            (ids, gaps),
            (
                vec!["base", "updates", "updates-source"].into_iter().map(str::to_owned).collect(),
                Vec::new()
            )
        );
    }

    #[test]
    fn patterns_of_ids() {
        for (pattern, id, expected) in [
            ("*", "", true),
            ("a*c*", "abcb", true),
            ("a*c", "abcb", false),
            ("?", "é", false),
            ("", "a", false),
            ("a", "", false),
            ("*a*a*a*a*a*b", &"a".repeat(500), false),
        ] {
            assert_eq!(matches(pattern, id), expected, "{pattern} {id}");
        }
    }

    #[test]
    fn modules_of_either_dnf() {
        let five = "version = \"1.0\"\n[modules]\noff = {enabled_stream=\"1\",state=\"Disabled\"}\n[modules.nodejs]\nenabled_stream = \"18\"\nstate = \"Enabled\"\n";
        let four = "[ruby]\nname=ruby\nstream=3.1\nstate=enabled\n";
        let (_root, tree) = planted(&[(MODULES_5, five), ("/etc/dnf/modules.d/ruby.module", four)]);
        let mut gaps = Vec::new();
        assert_eq!(modules(&tree, &mut gaps), ["nodejs:18", "ruby:3.1"]);
        assert_eq!(gaps, []);
        for text in
            ["modules = ", "[modules]\nx = 1\n", "modules = 1", "[modules.a]\nstate = \"Enabled\""]
        {
            let (_root, tree) = planted(&[(MODULES_5, text)]);
            assert!(modules(&tree, &mut gaps).is_empty(), "{text}");
        }
        assert_eq!(gaps.len(), 1);
    }
}
