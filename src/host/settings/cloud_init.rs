//! What cloud-init left in `/var/lib/cloud`
//! (<https://docs.cloud-init.io/en/latest/explanation/about-cloud-config.html>; the layout is in its
//! `reference/faq`). Its pickled objects (`obj.pkl`) are programs rather than data and are not read.

use crate::host::Tree;
use crate::host::identity::{first_line, text};
use crate::model::{CloudInit, Gap, GapReason, printable, printable_str};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

const DATA: &str = "/var/lib/cloud/data";
const INSTANCE: &str = "/var/lib/cloud/instance";
/// There only where the system was stopped with its memory on the disk, or a folder is scanned.
const RUN: &str = "/run/cloud-init/instance-data.json";
/// Longest text that is taken.
const LONGEST: usize = 256;
/// Most addresses that are taken.
const MOST: usize = 64;

/// What is there.
pub fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<CloudInit> {
    let mut found = Reading { tree, gaps, evidence: BTreeSet::new() };
    let run = found.json(RUN);
    let of_run = |path: &str| run.as_ref().and_then(|run| run.pointer(path)).and_then(short);
    let mut cloud_init = CloudInit {
        instance_id: of_run("/v1/instance_id"),
        hostname: of_run("/v1/local_hostname"),
        local_ips: run.as_ref().map(local_ips).unwrap_or_default(),
        ..CloudInit::default()
    };
    if found.is_there(DATA) || found.is_there(INSTANCE) {
        found.complete(&mut cloud_init);
    }
    let platform = || of_run("/v1/platform").or_else(|| of_run("/v1/cloud_name"));
    cloud_init.datasource = cloud_init.datasource.take().or_else(platform);
    cloud_init.evidence = found.evidence.into_iter().collect();
    (cloud_init.instance_id.is_some() || cloud_init.datasource.is_some()).then_some(cloud_init)
}

struct Reading<'a> {
    tree: &'a Tree,
    gaps: &'a mut Vec<Gap>,
    evidence: BTreeSet<String>,
}

impl Reading<'_> {
    fn is_there(&mut self, path: &str) -> bool {
        let there = self.tree.holds(path.as_bytes());
        there.unwrap_or_else(|error| {
            self.gaps.push(Gap::new(path, error.reason(), error));
            false
        })
    }

    /// Adds what the data folder and the instance's own say.
    fn complete(&mut self, cloud_init: &mut CloudInit) {
        let id = self.line(&format!("{DATA}/instance-id")).or_else(|| self.linked());
        cloud_init.instance_id = cloud_init.instance_id.take().or(id);
        let previous = self.line(&format!("{DATA}/previous-instance-id"));
        // Before the first instance there was none.
        cloud_init.previous_instance_id = previous.filter(|id| {
            id != "NO_PREVIOUS_INSTANCE_ID" && Some(id) != cloud_init.instance_id.as_ref()
        });
        cloud_init.datasource = self.datasource();
        if cloud_init.hostname.is_none() {
            let named = self.json(&format!("{DATA}/set-hostname"));
            cloud_init.hostname = named.as_ref().and_then(|it| it.get("hostname")).and_then(short);
        }
    }

    /// Where the data came from, by what was written after the last start, then for the instance.
    fn datasource(&mut self) -> Option<String> {
        for name in ["result.json", "status.json"] {
            let said = self.json(&format!("{DATA}/{name}"));
            let said = said.as_ref().and_then(|it| it.pointer("/v1/datasource")).and_then(short);
            if said.is_some() {
                return said;
            }
        }
        let line = self.line(&format!("{INSTANCE}/datasource"))?;
        Some(line.split_once(": ").map(|(_, said)| said.to_owned()).unwrap_or(line))
    }

    /// The last name of where the link to the instance's folder leads.
    fn linked(&mut self) -> Option<String> {
        let target = self.tree.link_target(INSTANCE.as_bytes()).unwrap_or_else(|error| {
            self.gaps.push(Gap::new(INSTANCE, error.reason(), error));
            None
        })?;
        let name = target.rsplit(|byte| *byte == b'/').find(|name| !name.is_empty())?;
        self.evidence.insert(INSTANCE.to_owned());
        (name.len() <= LONGEST).then(|| printable(name))
    }

    fn line(&mut self, path: &str) -> Option<String> {
        let line = first_line(self.tree, path, self.gaps)?;
        self.evidence.insert(path.to_owned());
        (line.len() <= LONGEST).then_some(line)
    }

    fn json(&mut self, path: &str) -> Option<Value> {
        let text = text(self.tree, path, self.gaps)?;
        match serde_json::from_str(&text) {
            Ok(value) => {
                self.evidence.insert(path.to_owned());
                Some(value)
            }
            Err(error) => {
                self.gaps.push(Gap::new(path, GapReason::Corrupt, format!("no JSON: {error}")));
                None
            }
        }
    }
}

/// A text that is no longer than one should be; none for an empty one.
fn short(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| (1..=LONGEST).contains(&text.len()))?;
    Some(printable_str(text))
}

/// Private addresses of the metadata: EC2's shape, which other clouds have too.
fn local_ips(run: &Value) -> Vec<String> {
    let mut found = BTreeSet::new();
    let metadata = run.pointer("/ds/meta_data").or_else(|| run.pointer("/ds/meta-data"));
    for name in ["local-ipv4", "local_ipv4", "ipv6"] {
        let value = metadata.and_then(|it| it.get(name)).and_then(Value::as_str);
        found.extend(value.and_then(|text| text.parse::<IpAddr>().ok()));
    }
    let interfaces = metadata.and_then(|it| it.pointer("/network/interfaces/macs"));
    for interface in interfaces.and_then(Value::as_object).into_iter().flat_map(|it| it.values()) {
        for name in ["local-ipv4s", "ipv6s"] {
            let texts: Vec<&str> = match interface.get(name) {
                Some(Value::String(text)) => text.lines().collect(),
                Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            found.extend(texts.into_iter().take(MOST).filter_map(|it| it.parse::<IpAddr>().ok()));
        }
    }
    found.into_iter().take(MOST).map(|address| address.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    fn found(root: &Path) -> (Option<CloudInit>, Vec<Gap>) {
        let mut gaps = Vec::new();
        (find(&Tree::of_directory(root).unwrap(), &mut gaps), gaps)
    }

    /// As cloud-init 22.4 of Debian 12 leaves it on EC2.
    #[test]
    fn an_instance_of_ec2() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(found(folder.path()), (None, Vec::new()));
        write(
            folder.path(),
            &[
                ("var/lib/cloud/data/instance-id", "i-0123456789abcdef0\n"),
                ("var/lib/cloud/data/previous-instance-id", "NO_PREVIOUS_INSTANCE_ID\n"),
                (
                    "var/lib/cloud/data/set-hostname",
                    "{\n \"fqdn\": \"a.example\",\n \"hostname\": \"a\"\n}\n",
                ),
                (
                    "var/lib/cloud/data/result.json",
                    "{\"v1\": {\"datasource\": \"DataSourceEc2Local\", \"errors\": []}}",
                ),
                ("var/lib/cloud/data/status.json", "{\"v1\": {\"datasource\": null}}"),
            ],
        );
        let (cloud_init, gaps) = found(folder.path());
        let cloud_init = cloud_init.unwrap();
        assert_eq!(cloud_init.instance_id.as_deref(), Some("i-0123456789abcdef0"));
        assert_eq!(cloud_init.datasource.as_deref(), Some("DataSourceEc2Local"));
        assert_eq!(
            (cloud_init.hostname.as_deref(), cloud_init.previous_instance_id),
            (Some("a"), None)
        );
        assert_eq!((cloud_init.evidence.len(), gaps), (4, Vec::new()));
    }

    #[test]
    fn the_link_alone_and_damage_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &[
                ("var/lib/cloud/data/result.json", "{\"v1\":"),
                ("var/lib/cloud/instances/i-0ab/datasource", "DataSourceEc2: DataSourceEc2\n"),
            ],
        );
        symlink("/var/lib/cloud/instances/i-0ab", folder.path().join("var/lib/cloud/instance"))
            .unwrap();
        let (cloud_init, gaps) = found(folder.path());
        let cloud_init = cloud_init.unwrap();
        assert_eq!(cloud_init.instance_id.as_deref(), Some("i-0ab"));
        assert_eq!(cloud_init.datasource.as_deref(), Some("DataSourceEc2"));
        assert_eq!((gaps.len(), gaps[0].reason), (1, GapReason::Corrupt));
    }

    #[test]
    fn addresses_of_the_running_system() {
        let folder = tempfile::tempdir().unwrap();
        let run = r#"{"v1":{"instance_id":"i-1","platform":"ec2","local_hostname":"h"},"ds":{"meta_data":{
            "local-ipv4":"10.0.0.7","network":{"interfaces":{"macs":{"0a:00":{"local-ipv4s":"10.0.0.7\n10.0.0.8",
            "ipv6s":["fd00::1","no"]}}}}}}}"#;
        write(folder.path(), &[("run/cloud-init/instance-data.json", run)]);
        let cloud_init = found(folder.path()).0.unwrap();
        assert_eq!(cloud_init.local_ips, ["10.0.0.7", "10.0.0.8", "fd00::1"]);
        assert_eq!(cloud_init.datasource.as_deref(), Some("ec2"));
    }
}
