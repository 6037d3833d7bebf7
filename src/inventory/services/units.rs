//! systemd's units that something enables: links in folders named after who wants them, and other names by which
//! a unit asks to be started. `systemd.unit(5)`; the folders of `/run` are on no disk.

use super::files::{self, Files, Lists, Named};
use super::settings::Settings;
use super::{Command, MOST, Started};
use crate::host::{Kind, Tree};
use crate::model::{Gap, GapReason, ServiceKind, printable, printable_str};
use std::collections::{BTreeMap, BTreeSet};

/// Where units are; the first wins.
pub const FOLDERS: [&str; 5] = [
    "/etc/systemd/system.control",
    OWN,
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// The host's own folder: what is linked here was enabled.
const OWN: &str = "/etc/systemd/system";
/// Ends of the names of folders of links.
const WANTED_BY: [&[u8]; 3] = [b".wants", b".requires", b".upholds"];
/// What every start reaches, whose links in the distribution's folders count too.
const REACHED: [&str; 11] = [
    "sysinit.target",
    "basic.target",
    "sockets.target",
    "timers.target",
    "paths.target",
    "multi-user.target",
    "graphical.target",
    "getty.target",
    "local-fs.target",
    "remote-fs.target",
    "network-online.target",
];
/// Kinds of units that start a program.
const KINDS: [(&str, ServiceKind); 4] = [
    (".service", ServiceKind::Unit),
    (".socket", ServiceKind::Socket),
    (".timer", ServiceKind::Timer),
    (".path", ServiceKind::Path),
];
/// Other names that are followed to a unit.
const MOST_NAMES: usize = 8;
/// Files dropped in beside one unit.
const MOST_DROPPED: usize = 64;

/// The units of a host.
#[derive(Default)]
pub struct Units {
    /// What has each name, in the order of the folders.
    defined: BTreeMap<Vec<u8>, Named>,
    /// Folders of what is dropped in beside a unit, by the unit's name, in the order of the folders.
    folders: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// What is in them, of those that were listed.
    dropped: BTreeMap<Vec<u8>, Vec<Named>>,
    lists: Lists,
    enabled: Vec<Enabled>,
    /// What is read of each unit.
    found: BTreeMap<Vec<u8>, Unit>,
}

/// A name that something links to.
struct Enabled {
    name: Vec<u8>,
    by: Vec<u8>,
    /// The other name that is linked, which counts only if the unit asks for it.
    alias: Option<Vec<u8>>,
}

/// The files of a unit, the last counts most.
#[derive(Debug, Clone)]
struct Unit {
    name: Vec<u8>,
    files: Vec<Vec<u8>>,
}

impl Units {
    /// Lists the folders.
    pub fn list(tree: &Tree, gaps: &mut Vec<Gap>) -> Self {
        let mut units = Self::default();
        let mut seen = BTreeSet::new();
        for folder in FOLDERS {
            // Where systems merge folders, two names are one place.
            let real = tree.real_path(folder.as_bytes()).ok().flatten();
            if real.is_some_and(|real| seen.insert(real)) {
                units.list_folder(tree, folder, gaps);
            }
        }
        units.enabled.sort_by(|a, b| (&a.name, &a.by).cmp(&(&b.name, &b.by)));
        if units.enabled.len() > MOST {
            let detail = format!("{} enabled units; only {MOST} were read", units.enabled.len());
            gaps.push(Gap::new(OWN, GapReason::Limit, detail));
            units.enabled.truncate(MOST);
        }
        units
    }

    fn list_folder(&mut self, tree: &Tree, folder: &str, gaps: &mut Vec<Gap>) {
        let is_own = folder == OWN;
        let mut linked = Vec::new();
        for it in self.lists.list(tree, folder.as_bytes(), gaps) {
            if let Some(target) = WANTED_BY.iter().find_map(|end| it.name.strip_suffix(*end)) {
                let is_reached = REACHED.iter().any(|name| name.as_bytes() == target);
                if is_own || is_reached {
                    linked.push(it);
                }
            } else if let Some(unit) = it.name.strip_suffix(b".d") {
                let folders = self.folders.entry(unit.to_vec()).or_default();
                folders.push(it.path);
            } else if kind(&it.name).is_some() && !self.defined.contains_key(&it.name) {
                if is_own {
                    self.note_alias(tree, &it, gaps);
                }
                self.defined.insert(it.name.clone(), it);
            }
        }
        files::warm(tree, linked.iter().map(|folder| folder.path.as_slice()));
        for folder in &linked {
            self.list_links(tree, folder, gaps);
        }
    }

    fn list_links(&mut self, tree: &Tree, folder: &Named, gaps: &mut Vec<Gap>) {
        let links = self.lists.list(tree, &folder.path, gaps).into_iter();
        let links = links.filter(|link| kind(&link.name).is_some());
        // One more than are read, so that it is told.
        let room = (MOST + 1).saturating_sub(self.enabled.len());
        self.enabled.extend(links.take(room).map(|link| Enabled {
            name: link.name,
            by: link.path,
            alias: None,
        }));
    }

    /// Another name of a unit, by which it may ask to be started.
    fn note_alias(&mut self, tree: &Tree, it: &Named, gaps: &mut Vec<Gap>) {
        let Some(target) = target(tree, it, gaps) else { return };
        let name = last(&target);
        if name != it.name && kind(name).is_some() {
            let alias = Some(it.name.clone());
            self.enabled.push(Enabled { name: name.to_vec(), by: it.path.clone(), alias });
        }
    }

    /// Whether there is a unit of this name, even a masked one.
    pub fn defines(&self, name: &[u8]) -> bool {
        self.defined.contains_key(name)
    }

    /// Asks for the files of all enabled units, and of those that they start.
    pub fn ask(&mut self, tree: &Tree, files: &mut Files, gaps: &mut Vec<Gap>) {
        let mut names: BTreeSet<Vec<u8>> = BTreeSet::new();
        for it in &self.enabled {
            names.insert(it.name.clone());
            if kind(&it.name) != Some(ServiceKind::Unit) {
                names.extend(
                    [".service", "@.service"].map(|end| [stem(&it.name), end.as_bytes()].concat()),
                );
            }
        }
        for name in &names {
            self.ask_for(tree, name, files, gaps);
        }
    }

    fn ask_for(&mut self, tree: &Tree, name: &[u8], files: &mut Files, gaps: &mut Vec<Gap>) {
        if self.found.contains_key(name) {
            return;
        }
        let Some((real, path)) = self.resolve(tree, name, gaps) else { return };
        match self.defined.get(&real).or_else(|| self.defined.get(&template(&real)?)) {
            Some(it) if it.path == path => files.want(&path, it.at),
            _ => files.want_path(tree, &path, gaps),
        }
        let mut unit = Unit { name: real.clone(), files: vec![path] };
        for dropped in self.dropped(tree, &real, gaps) {
            files.want(&dropped.path, dropped.at);
            unit.files.push(dropped.path);
        }
        self.found.insert(name.to_vec(), unit);
    }

    /// The unit that a name means and its file; none if it is masked or not there.
    fn resolve(&self, tree: &Tree, name: &[u8], gaps: &mut Vec<Gap>) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut name = name.to_vec();
        for _ in 0..MOST_NAMES {
            let it = self.defined.get(&name).or_else(|| self.defined.get(&template(&name)?))?;
            let Some(target) = target(tree, it, gaps) else {
                let is_empty = tree.metadata(it.at).is_ok_and(|it| it.size == 0);
                return (!is_empty).then(|| (name, it.path.clone()));
            };
            if target == b"/dev/null" {
                return None;
            }
            let to = last(&target);
            if to == it.name {
                // A unit that lies elsewhere.
                return Some((name, it.path.clone()));
            }
            // Another name of a template keeps the instance.
            name = match (instance(&name), to.ends_with(b"@.service")) {
                (Some(instance), true) => [stem(to), instance, b".service"].concat(),
                _ => to.to_vec(),
            };
        }
        None
    }

    /// What is dropped in beside a unit, of one name the first, by name.
    fn dropped(&mut self, tree: &Tree, name: &[u8], gaps: &mut Vec<Gap>) -> Vec<Named> {
        let mut found: BTreeMap<Vec<u8>, Named> = BTreeMap::new();
        // An instance's own count more than those of its template.
        for name in [Some(name.to_vec()), template(name)].into_iter().flatten() {
            for it in self.dropped_for(tree, &name, gaps) {
                found.entry(it.name.clone()).or_insert_with(|| it.clone());
            }
        }
        found.into_values().collect()
    }

    fn dropped_for(&mut self, tree: &Tree, name: &[u8], gaps: &mut Vec<Gap>) -> &[Named] {
        let Some(folders) = self.folders.get(name) else { return &[] };
        self.dropped.entry(name.to_vec()).or_insert_with(|| {
            let all = folders.iter().flat_map(|folder| self.lists.list(tree, folder, gaps));
            all.filter(|it| it.name.ends_with(b".conf")).take(MOST_DROPPED).collect()
        })
    }

    /// What the enabled units start; a unit that a socket or timer names is read now.
    pub fn started(&mut self, tree: &Tree, files: &mut Files, gaps: &mut Vec<Gap>) -> Vec<Started> {
        let enabled = std::mem::take(&mut self.enabled);
        let named: Vec<Vec<u8>> =
            enabled.iter().filter_map(|it| self.starts(&it.name, files)).collect();
        for name in &named {
            self.ask_for(tree, name, files, gaps);
        }
        files.read(tree, gaps);
        let mut seen = BTreeSet::new();
        let all = enabled.iter().filter_map(|it| Some((it, self.one(it, files)?)));
        let first = all.filter(|(_, it)| seen.insert(it.name.clone()));
        first.map(|(_, it)| it).collect()
    }

    fn settings(&self, name: &[u8], files: &Files) -> Option<Settings> {
        let unit = self.found.get(name)?;
        files.text(unit.files.first()?)?;
        Some(Settings::read(unit.files.iter().filter_map(|path| files.text(path))))
    }

    /// The unit that a socket, timer or path starts.
    fn starts(&self, name: &[u8], files: &Files) -> Option<Vec<u8>> {
        if kind(name)? == ServiceKind::Unit {
            return None;
        }
        let settings = self.settings(name, files)?;
        let end = if settings.accepts { "@.service" } else { ".service" };
        let same = || [stem(name), end.as_bytes()].concat();
        Some(settings.starts.map_or_else(same, String::into_bytes))
    }

    fn one(&self, enabled: &Enabled, files: &Files) -> Option<Started> {
        let unit = self.found.get(&enabled.name)?;
        let kind = kind(&unit.name)?;
        let settings = self.settings(&enabled.name, files)?;
        if let Some(alias) = &enabled.alias
            && !settings.aliases.iter().any(|it| it.as_bytes() == alias)
        {
            return None;
        }
        let listens = settings.listens.iter().map(|it| printable_str(it)).collect();
        let service = self.starts(&enabled.name, files);
        let started = service.as_deref().and_then(|name| self.settings(name, files));
        let (name, settings) = match (&service, started) {
            (Some(service), Some(started)) => (service, started),
            _ => (&unit.name, settings),
        };
        let first = settings.commands.first();
        let command = first.and_then(|it| Command::of_unit(it, &String::from_utf8_lossy(name)));
        let enabled_by = printable(&enabled.by);
        Some(Started {
            name: unit.name.clone(),
            kind,
            enabled_by,
            command,
            user: settings.user,
            listens,
        })
    }
}

fn kind(name: &[u8]) -> Option<ServiceKind> {
    KINDS.iter().find(|(end, _)| name.ends_with(end.as_bytes())).map(|(_, kind)| *kind)
}

/// Where a link leads; none of what is no link.
fn target(tree: &Tree, it: &Named, gaps: &mut Vec<Gap>) -> Option<Vec<u8>> {
    let kind = it.kind.map_or_else(|| tree.metadata(it.at).map(|it| it.kind), Ok);
    let target = kind.and_then(|kind| match kind {
        Kind::Symlink => tree.read_link(it.at).map(Some),
        _ => Ok(None),
    });
    target.unwrap_or_else(|error| {
        let error = Tree::error(&it.path, error);
        gaps.push(Gap::new(printable(&it.path), error.reason(), error));
        None
    })
}

fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// A name without its ending.
fn stem(name: &[u8]) -> &[u8] {
    name.iter().rposition(|byte| *byte == b'.').map_or(name, |dot| &name[..dot])
}

/// `tty1` of `getty@tty1.service`.
fn instance(name: &[u8]) -> Option<&[u8]> {
    let stem = stem(name);
    let at = stem.iter().position(|byte| *byte == b'@')?;
    Some(&stem[at + 1..]).filter(|instance| !instance.is_empty())
}

/// `getty@.service` of `getty@tty1.service`.
fn template(name: &[u8]) -> Option<Vec<u8>> {
    let at = name.iter().position(|byte| *byte == b'@')?;
    instance(name)?;
    Some([&name[..=at], &name[stem(name).len()..]].concat())
}
