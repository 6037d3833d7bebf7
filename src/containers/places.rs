//! Where stores are: where engines have them by themselves, and where configurations, the flags of their units and
//! the homes of users have them.

use crate::host::{PathError, Tree};
use crate::model::{Gap, GapReason, printable_str};
use std::collections::BTreeSet;

/// Bytes of a configuration.
const MOST: u64 = 1 << 20;
/// Homes that are looked into.
const MOST_HOMES: usize = 4096;
const STORAGE_CONF: [&str; 2] =
    ["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"];
/// Numbers of users that are people.
const PEOPLE: std::ops::Range<u32> = 1000..65_534;
/// Files of one folder of configurations.
const MOST_PARTS: usize = 256;
const UNITS: &str = "/etc/systemd/system";
/// Units of distributions, which are read where there is a sign of the engine.
const VENDORS: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];

/// Folders that may be stores, of each kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub docker: BTreeSet<String>,
    pub containerd: BTreeSet<String>,
    /// Where containerd's configuration has snapshotters elsewhere, each with its name.
    pub snapshotters: BTreeSet<(String, String)>,
    /// Graph roots of containers-storage.
    pub storage: BTreeSet<String>,
    /// Stores of images that such roots use beside their own.
    pub additional: BTreeSet<String>,
}

/// All places. A configuration that cannot be read is a gap.
pub fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Places {
    let mut places = Places::default();
    let known = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();
    places.docker = known(&["/var/lib/docker", "/var/snap/docker/common/var-lib-docker"]);
    places.containerd = known(&[
        "/var/lib/containerd",
        "/var/lib/rancher/k3s/agent/containerd",
        "/var/lib/rancher/rke2/agent/containerd",
        "/var/lib/k0s/containerd",
        "/var/snap/microk8s/common/var/lib/containerd",
        "/var/lib/microk8s/containerd",
    ]);
    places.storage = known(&["/var/lib/containers/storage"]);
    let mut reading = Reading { tree, gaps, places };
    reading.docker();
    reading.containerd();
    reading.kubernetes();
    reading.storage();
    let signs = ["/etc/containers", "/etc/docker", "/etc/containerd"];
    let has_engine = signs.iter().any(|sign| reading.is_there(sign));
    for home in homes(tree, has_engine, reading.gaps) {
        reading.home(&home);
    }
    reading.places
}

struct Reading<'a> {
    tree: &'a Tree,
    gaps: &'a mut Vec<Gap>,
    places: Places,
}

impl Reading<'_> {
    fn docker(&mut self) {
        for path in ["/etc/docker/daemon.json", "/var/snap/docker/current/config/daemon.json"] {
            let folders = self.json(path);
            self.places.docker.extend(folders);
        }
        let mut text = self.units("docker", &["/etc/docker", "/var/lib/docker"]);
        if !text.is_empty() {
            let variables = ["/etc/default/docker", "/etc/sysconfig/docker"];
            let variables = variables.into_iter().chain(["/etc/sysconfig/docker-storage"]);
            variables.for_each(|path| text.extend(self.text(path)));
        }
        let flags = ["--data-root", "--graph", "-g"];
        self.places.docker.extend(text.iter().flat_map(|text| values(text, &flags)));
        let named = text.iter().flat_map(|text| values(text, &["--config-file"]));
        for path in named.collect::<Vec<_>>() {
            let folders = self.json(&path);
            self.places.docker.extend(folders);
        }
    }

    fn containerd(&mut self) {
        let text = self.units("containerd", &["/etc/containerd", "/var/lib/containerd"]);
        self.places.containerd.extend(text.iter().flat_map(|text| values(text, &["--root"])));
        let named = text.iter().flat_map(|text| values(text, &["--config", "-c"]));
        let mut files: BTreeSet<String> = named.collect();
        files.insert("/etc/containerd/config.toml".to_owned());
        for path in files {
            let Some(table) = self.toml(&path) else { continue };
            self.places.containerd.extend(path_at(&table, &["root"]));
            self.snapshotters(&table);
            let imports = table.get("imports").and_then(toml::Value::as_array);
            let imports = imports.into_iter().flatten().filter_map(toml::Value::as_str);
            for part in
                imports.take(MOST_PARTS).flat_map(|it| self.matching(it)).collect::<Vec<_>>()
            {
                if let Some(table) = self.toml(&part) {
                    self.places.containerd.extend(path_at(&table, &["root"]));
                    self.snapshotters(&table);
                }
            }
        }
    }

    fn snapshotters(&mut self, table: &toml::Table) {
        let plugins = table.get("plugins").and_then(toml::Value::as_table);
        for (name, plugin) in plugins.into_iter().flatten() {
            let name = name.strip_prefix("io.containerd.snapshotter.v1.");
            let folder = plugin.get("root_path").and_then(toml::Value::as_str).and_then(path);
            self.places.snapshotters.extend(name.map(str::to_owned).zip(folder));
        }
    }

    /// k3s and RKE2 have their containerd in their own folder.
    fn kubernetes(&mut self) {
        for name in ["k3s", "rke2"] {
            let text = self.units(name, &["/etc/rancher", "/var/lib/rancher"]);
            let mut roots: Vec<_> =
                text.iter().flat_map(|text| values(text, &["--data-dir", "-d"])).collect();
            if let Some(config) = self.text(&format!("/etc/rancher/{name}/config.yaml")) {
                let lines = config.lines().filter_map(|line| line.split_once(':'));
                let named =
                    lines.filter(|(key, _)| matches!(key.trim().trim_matches('"'), "data-dir"));
                roots.extend(
                    named.filter_map(|(_, value)| path(value.trim().trim_matches(['"', '\'']))),
                );
            }
            self.places
                .containerd
                .extend(roots.iter().map(|root| format!("{root}/agent/containerd")));
        }
    }

    fn storage(&mut self) {
        // Each folder on the way costs blocks, and no engine comes without this one.
        if self.is_there("/etc/containers") {
            for path in STORAGE_CONF {
                self.storage_conf(path);
            }
            let images = ["/usr/lib/containers/storage", "/usr/share/containers/storage"];
            self.places.additional.extend(images.map(str::to_owned));
        }
        let mut parts = vec!["/etc/crio/crio.conf".to_owned()];
        parts.extend(self.matching("/etc/crio/crio.conf.d/*"));
        for part in parts {
            let root = self.toml(&part).and_then(|table| path_at(&table, &["crio", "root"]));
            self.places.storage.extend(root);
        }
    }

    fn storage_conf(&mut self, file: &str) {
        let Some(table) = self.toml(file) else { return };
        self.places.storage.extend(path_at(&table, &["storage", "graphroot"]));
        // Where images are kept apart, the containers' root has none.
        self.places.additional.extend(path_at(&table, &["storage", "imagestore"]));
        let stores = value_at(&table, &["storage", "options", "additionalimagestores"]);
        let stores = stores.and_then(toml::Value::as_array).into_iter().flatten();
        let paths = stores.filter_map(toml::Value::as_str).filter_map(path);
        self.places.additional.extend(paths.take(MOST_PARTS));
    }

    /// What engines that a user runs have in the user's home.
    fn home(&mut self, home: &str) {
        let data = format!("{home}/.local/share");
        if self.is_there(&data) {
            self.places.docker.insert(format!("{data}/docker"));
            self.places.containerd.insert(format!("{data}/containerd"));
            self.places.storage.insert(format!("{data}/containers/storage"));
        }
        if self.is_there(&format!("{home}/.config")) {
            let folders = self.json(&format!("{home}/.config/docker/daemon.json"));
            self.places.docker.extend(folders);
            self.storage_conf(&format!("{home}/.config/containers/storage.conf"));
        }
        let user = home.rsplit('/').next().unwrap_or_default().to_owned();
        if !self.is_there("/etc/containers") {
            return;
        }
        for file in STORAGE_CONF {
            let table = self.toml(file);
            let rootless =
                table.as_ref().and_then(|it| value_at(it, &["storage", "rootless_storage_path"]));
            if let Some(text) = rootless.and_then(toml::Value::as_str) {
                let expanded = text.replace("$HOME", home).replace("${HOME}", home);
                let expanded = expanded.replace("$USER", &user).replace("${USER}", &user);
                self.places.storage.extend(path(&expanded).filter(|it| !it.contains('$')));
            }
        }
    }

    fn is_there(&mut self, path: &str) -> bool {
        self.tree
            .find(path.as_bytes())
            .unwrap_or_else(|error| {
                self.told(path, error);
                None
            })
            .is_some()
    }

    fn told(&mut self, path: &str, error: PathError) {
        let gap = Gap::new(printable_str(path), error.reason(), error);
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    fn text(&mut self, path: &str) -> Option<String> {
        let read = self.tree.read(path.as_bytes(), MOST);
        let bytes = read.unwrap_or_else(|error| {
            self.told(path, error);
            None
        });
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn toml(&mut self, path: &str) -> Option<toml::Table> {
        let text = self.text(path)?;
        text.parse().map_err(|error: toml::de::Error| self.unknown(path, error.message())).ok()
    }

    /// Where Docker's daemon has its data, of its configuration.
    fn json(&mut self, file: &str) -> Option<String> {
        let text = self.text(file).filter(|text| !text.trim().is_empty())?;
        let value: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| self.unknown(file, &error.to_string()))
            .ok()?;
        // Its name before Docker 17.05 comes last.
        let folder = ["data-root", "graph"].iter().find_map(|key| value.get(key)?.as_str());
        folder.and_then(path)
    }

    fn unknown(&mut self, path: &str, why: &str) {
        let detail = format!("where it has containers is not known: {}", printable_str(why));
        let gap = Gap::new(printable_str(path), GapReason::Corrupt, detail);
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// The texts of services whose names begin so, and of what is dropped in beside them. Those of distributions are
    /// read where one of the `signs` is there, or a unit of the administrator.
    fn units(&mut self, start: &str, signs: &[&str]) -> Vec<String> {
        let mut names = self.services(UNITS, start, "");
        names.extend(self.services(UNITS, start, ".d"));
        let is_there = !names.is_empty() || signs.iter().any(|sign| self.is_there(sign));
        let mut texts = Vec::new();
        if is_there {
            for folder in VENDORS {
                names.extend(self.services(folder, start, ""));
            }
            for folder in [UNITS].into_iter().chain(VENDORS) {
                for name in &names {
                    texts.extend(self.text(&format!("{folder}/{name}")));
                    for part in self.matching(&format!("{folder}/{name}.d/*.conf")) {
                        texts.extend(self.text(&part));
                    }
                }
            }
        }
        texts
    }

    /// The names of services of a folder that begin so, by what bears their names with an ending.
    fn services(&mut self, folder: &str, start: &str, ending: &str) -> BTreeSet<String> {
        let files = self.matching(&format!("{folder}/{start}*.service{ending}"));
        let name = |path: &String| {
            let name = path.rsplit_once('/')?.1;
            Some(name.strip_suffix(ending)?.to_owned())
        };
        files.iter().filter_map(name).collect()
    }

    /// The files that a pattern with a star in its last name means.
    fn matching(&mut self, pattern: &str) -> Vec<String> {
        let Some((folder, name)) = pattern.rsplit_once('/') else { return Vec::new() };
        let Some((before, after)) = name.split_once('*') else { return vec![pattern.to_owned()] };
        let entries = self.tree.list(folder.as_bytes(), self.gaps).into_iter();
        let names = entries.filter_map(|entry| String::from_utf8(entry.name).ok());
        let fits = |name: &String| name.starts_with(before) && name.ends_with(after);
        let mut files: Vec<_> = names.filter(fits).map(|name| format!("{folder}/{name}")).collect();
        if files.len() > MOST_PARTS {
            let detail = format!("{} files; only the first {MOST_PARTS} were read", files.len());
            self.gaps.push(Gap::new(printable_str(pattern), GapReason::Limit, detail));
            files.truncate(MOST_PARTS);
        }
        files
    }
}

/// The homes of people: in `/home` and, where an engine is installed, those that `/etc/passwd` has elsewhere. Stores in
/// homes of services are met by the walk.
fn homes(tree: &Tree, has_engine: bool, gaps: &mut Vec<Gap>) -> BTreeSet<String> {
    let entries = tree.list(b"/home", gaps).into_iter();
    let names = entries.filter_map(|entry| String::from_utf8(entry.name).ok());
    let mut homes: BTreeSet<String> = names.map(|name| format!("/home/{name}")).collect();
    if has_engine {
        homes.extend(listed_homes(tree, gaps));
    }
    if homes.len() > MOST_HOMES {
        let detail =
            format!("{} homes; only {MOST_HOMES} were looked into for containers", homes.len());
        gaps.push(Gap::new("/home", GapReason::Limit, detail));
    }
    homes.into_iter().take(MOST_HOMES).collect()
}

fn listed_homes(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let passwd = tree.read(b"/etc/passwd", MOST).unwrap_or_else(|error| {
        gaps.push(Gap::new("/etc/passwd", error.reason(), error));
        None
    });
    let passwd = String::from_utf8_lossy(&passwd.unwrap_or_default()).into_owned();
    let listed = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':').skip(2);
        let user: u32 = fields.next()?.parse().ok()?;
        PEOPLE.contains(&user).then(|| fields.nth(2).and_then(path))?
    });
    listed.collect()
}

/// The values of flags in a command line, `--flag value` or `--flag=value`.
fn values(text: &str, flags: &[&str]) -> Vec<String> {
    let unquoted = text.replace(['"', '\''], " ").replace("\\\n", " ");
    let mut found = Vec::new();
    for line in unquoted.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        // The name of a variable may stand before the first flag.
        let words: Vec<&str> = line.split_whitespace().collect();
        for (index, word) in words.iter().enumerate() {
            let word = word.split_once("=-").map_or(*word, |(name, _)| &word[name.len() + 1..]);
            let value = flags.iter().find_map(|flag| match word.strip_prefix(flag)? {
                "" => words.get(index + 1).copied(),
                rest => rest.strip_prefix('='),
            });
            found.extend(value.and_then(path));
        }
    }
    found
}

/// A folder below the root, without a slash at its end.
fn path(text: &str) -> Option<String> {
    let folder = text.trim().trim_end_matches('/');
    let is_one =
        folder.starts_with('/') && folder.len() <= 4096 && !folder.trim_matches('/').is_empty();
    is_one.then(|| folder.to_owned())
}

fn value_at<'a>(table: &'a toml::Table, keys: &[&str]) -> Option<&'a toml::Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
}

fn path_at(table: &toml::Table, keys: &[&str]) -> Option<String> {
    value_at(table, keys)?.as_str().and_then(path)
}

#[cfg(test)]
mod tests;
