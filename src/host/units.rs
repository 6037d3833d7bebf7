//! systemd's mount units, beside fstab: `systemd.mount(5)`, `systemd.unit(5)`.
//!
//! Read from `/etc`, and from `/usr/lib` (and `/lib`, where that is another) where a filesystem is left that it could mount, or links in
//! `/etc` may start one of it; those that are made at boot (`/run`, generators) are on no disk.
//! A unit that something wants at boot is mounted, one that stands under a condition or that nothing
//! is seen to want only where it hides nothing. Of specifiers only `%%` is known.

use super::spec::Spec;
use super::wanted::{self, Origin, Wanted};
use super::{Kind, Tree, identity};
use crate::filesystem::Entry;
use crate::model::{Gap, GapReason, printable, printable_str};
use std::collections::{BTreeMap, BTreeSet};

/// Where units are, the first wins.
const FOLDERS: [&str; 3] =
    ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
/// Folders of links that start mounts.
const STARTS: [&[u8]; 2] = [b"local-fs.target.wants", b"local-fs.target.requires"];
/// Most units, and folders of wanted ones, that are read.
const MOST: usize = 256;
/// Units of the kernel's own filesystems, and of what is gone after a boot.
const KERNEL: [&[u8]; 5] = [b"dev-", b"sys-", b"proc-", b"run-", b"tmp.mount"];

/// The folder that is always looked through.
pub const FOLDER: &str = FOLDERS[0];

/// All mounts that units describe; those of the distribution only if something is left to mount.
pub fn wanted(tree: &Tree, is_something_left: bool, gaps: &mut Vec<Gap>) -> Vec<Wanted> {
    let mut units = BTreeMap::new();
    let mut folders = BTreeSet::new();
    let mut needs_all = is_something_left;
    for folder in FOLDERS {
        if folder != FOLDER && !needs_all {
            break;
        }
        if folder == FOLDERS[2] && is_merged(tree) {
            break;
        }
        for entry in tree.list(folder.as_bytes(), gaps) {
            let path = [folder.as_bytes(), b"/", &entry.name].concat();
            needs_all |= is_unit(&entry.name) || STARTS.contains(&entry.name.as_slice());
            if is_unit(&entry.name) {
                units.entry(entry.name).or_insert(path);
            } else if entry.name.ends_with(b".wants") || entry.name.ends_with(b".requires") {
                folders.insert(path);
            }
        }
    }
    if units.is_empty() {
        return Vec::new();
    }
    for count in [units.len(), folders.len()].into_iter().filter(|count| *count > MOST) {
        let detail = format!("{count} mount units or folders of links; only {MOST} were read");
        gaps.push(Gap::new(FOLDERS[0], GapReason::Limit, detail));
    }
    let links = folders.iter().take(MOST).flat_map(|folder| tree.list(folder, gaps));
    let started: BTreeSet<Vec<u8>> = links.map(|entry| entry.name).collect();
    let is_started = |name: &[u8]| {
        // One that starts it when somebody looks there starts it as well.
        started.contains(name) || started.contains(&automount(name))
    };
    let units = units.into_iter().take(MOST);
    units.filter_map(|(name, path)| unit(tree, &name, &path, is_started(&name), gaps)).collect()
}

/// What systemd makes of the lines of fstab: a unit each, before which it takes one of the same name in
/// `/etc`. What of that cannot be read is told by [`wanted`].
pub fn over_fstab(tree: &Tree, mut lines: Vec<Wanted>) -> Vec<Wanted> {
    for entry in tree.list(FOLDER.as_bytes(), &mut Vec::new()) {
        let Some(place) = place(&entry.name).filter(|place| place.len() > 1) else { continue };
        let path = [FOLDER.as_bytes(), b"/", &entry.name].concat();
        for line in &mut lines {
            if !line.names().eq(wanted::names(&place)) {
                continue;
            }
            if is_masked(tree, &entry) {
                line.origin = Origin::Masked;
            } else if let Some(unit) =
                unit(tree, &entry.name, &path, !line.is_noauto(), &mut Vec::new())
            {
                *line = unit;
            }
        }
    }
    lines
}

/// A link to `/dev/null`, or an empty file.
fn is_masked(tree: &Tree, entry: &Entry) -> bool {
    let Ok(Some(folder)) = tree.find(FOLDER.as_bytes()) else { return false };
    let at = folder.beside(entry.node);
    tree.metadata(at).is_ok_and(|it| match it.kind {
        Kind::Symlink => tree.read_link(at).is_ok_and(|target| target == b"/dev/null"),
        Kind::File => it.size == 0,
        _ => false,
    })
}

/// Whether `/lib` shows the same as `/usr/lib`.
fn is_merged(tree: &Tree) -> bool {
    let [_, merged, own] = FOLDERS.map(|folder| tree.find(folder.as_bytes()));
    matches!((merged, own), (Ok(Some(merged)), Ok(Some(own))) if merged == own)
}

/// The unit that starts a mount when somebody looks there.
fn automount(name: &[u8]) -> Vec<u8> {
    [name.strip_suffix(b".mount").unwrap_or(name), b".automount"].concat()
}

fn is_unit(name: &[u8]) -> bool {
    name.ends_with(b".mount") && !KERNEL.iter().any(|kernel| name.starts_with(kernel))
}

fn unit(
    tree: &Tree,
    name: &[u8],
    path: &[u8],
    is_started: bool,
    gaps: &mut Vec<Gap>,
) -> Option<Wanted> {
    // A link to /dev/null masks the unit; nothing is there then.
    let mut texts = vec![identity::text(tree, path, gaps)?];
    for folder in FOLDERS.iter().rev() {
        let folder = [folder.as_bytes(), b"/", name, b".d"].concat();
        for entry in tree.list(&folder, gaps).into_iter().take(MOST) {
            if entry.name.ends_with(b".conf") {
                let path = [folder.as_slice(), b"/", &entry.name].concat();
                texts.extend(identity::text(tree, path, gaps));
            }
        }
    }
    let settings = Settings::read(&texts);
    let place = settings.place.clone().or_else(|| place(name))?;
    let is_sure = is_started && !settings.is_conditional;
    let origin = if is_sure { Origin::Unit } else { Origin::IdleUnit };
    let wanted = Wanted {
        spec: Spec::parse(&settings.what),
        device: settings.what,
        path: place,
        kind: settings.kind.unwrap_or_else(|| "auto".to_owned()),
        options: settings.options,
        origin,
    };
    if !settings.has_specifier {
        return Some(wanted);
    }
    if is_sure && wanted.is_of_system() {
        let detail = format!("{}: its specifiers are not known", printable(path));
        gaps.push(Gap::new(printable_str(&wanted.path), GapReason::Unsupported, detail));
    }
    None
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Settings {
    what: String,
    place: Option<String>,
    kind: Option<String>,
    options: String,
    is_conditional: bool,
    has_specifier: bool,
}

impl Settings {
    /// Reads a unit and what is dropped in beside it: the last setting counts.
    fn read(texts: &[String]) -> Self {
        let mut settings = Self::default();
        for text in texts {
            let mut section = "";
            for line in text.lines().map(str::trim) {
                if line.starts_with('[') {
                    section = line;
                } else if let Some((key, value)) = line.split_once('=') {
                    settings.set(section, key.trim(), value.trim());
                }
            }
        }
        settings
    }

    fn set(&mut self, section: &str, key: &str, value: &str) {
        if section == "[Unit]" && (key.starts_with("Condition") || key.starts_with("Assert")) {
            self.is_conditional = true;
        }
        if section != "[Mount]" {
            return;
        }
        let plain = value.replace("%%", "\u{0}");
        let is_of_place = matches!(key, "What" | "Where");
        self.has_specifier |= is_of_place && plain.contains('%');
        let value = plain.replace('\u{0}', "%");
        match key {
            "What" => self.what = value,
            "Where" => self.place = Some(value),
            "Type" => self.kind = Some(value),
            "Options" => self.options = value,
            _ => {}
        }
    }
}

/// The path that a unit's name stands for: `-` is a slash, and `\x2d` is what it says.
fn place(name: &[u8]) -> Option<String> {
    let name = name.strip_suffix(b".mount")?;
    let mut path = vec![b'/'];
    let mut rest = name;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'-' => path.push(b'/'),
            b'\\' => {
                let digits = rest.strip_prefix(b"x").and_then(|it| it.get(..2))?;
                path.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = &rest[3..];
            }
            _ => path.push(byte),
        }
    }
    String::from_utf8(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `systemd-escape --unescape --path --suffix=mount` has them.
    #[test]
    fn names_of_units() {
        for (name, expected) in [
            ("var-lib-docker.mount", Some("/var/lib/docker")),
            ("srv-my\\x2ddata\\x20disk.mount", Some("/srv/my-data disk")),
            ("srv-\\x2.mount", None),
            ("var.service", None),
        ] {
            assert_eq!(place(name.as_bytes()).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn the_last_setting_counts_and_sections_matter() {
        let texts = [
            "[Unit]\nWhat=no\n[Mount]\nWhat=/dev/disk/by-label/a%%b\nWhere = /var\nType=ext4\n",
            "[Mount]\nType=xfs\n",
        ];
        let settings = Settings::read(&texts.map(str::to_owned));
        assert_eq!(settings.what, "/dev/disk/by-label/a%b");
        assert_eq!(settings.place.as_deref(), Some("/var"));
        assert_eq!(settings.kind.as_deref(), Some("xfs"));
        assert!(!settings.is_conditional && !settings.has_specifier);
        let odd =
            Settings::read(&["[Unit]\nConditionPathExists=/x\n[Mount]\nWhat=%h/x".to_owned()]);
        assert!(odd.is_conditional && odd.has_specifier);
    }
}
