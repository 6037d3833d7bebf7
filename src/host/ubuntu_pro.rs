//! What Ubuntu Pro does on a host: whether it is attached to a contract, and which services bring it updates.
//!
//! Signs, as `pro(1)` leaves them: `status.json`, which its client writes now and then; the token of the machine,
//! of which only that it is there counts (it is a secret, and stays unread); sources of apt at `esm.ubuntu.com`.
//! A source alone enables nothing: Ubuntu 14.04 has one that it may not read.

use super::Tree;
use super::identity::text;
use crate::model::{
    Ecosystem, Gap, GapReason, HostContext, Package, UbuntuPro, printable, printable_str,
};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeSet;

const STATUS: &str = "/var/lib/ubuntu-advantage/status.json";
const TOKENS: [&str; 2] = [
    "/var/lib/ubuntu-advantage/private/machine-token.json",
    "/var/lib/ubuntu-advantage/machine-token.json",
];
const SOURCES: &str = "/etc/apt/sources.list.d";
/// Where all services have their archives.
const SITE: &str = "esm.ubuntu.com";
/// What brings updates of the system itself; the second is its older name.
const ESM: [&str; 2] = ["esm-infra", "esm"];
const MOST_SERVICES: usize = 100;
const MOST_WORD: usize = 128;

/// What `status.json` says; other fields are left.
#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    attached: bool,
    #[serde(default)]
    expires: Option<String>,
    #[serde(default)]
    services: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    name: String,
    status: String,
}

/// Completes the context of an Ubuntu.
pub(super) fn complete(tree: &Tree, context: &mut HostContext, gaps: &mut Vec<Gap>) {
    let mut pro = UbuntuPro::default();
    let mut enabled = BTreeSet::new();
    if let Some(status) = status(tree, gaps) {
        pro.attached = status.attached;
        let ends = status.expires.filter(|it| status.attached && it.len() <= MOST_WORD);
        pro.expires = ends.map(|it| printable_str(&it));
        let of = status.services.into_iter().filter(|it| it.status == "enabled");
        let mut names: Vec<_> = of.filter_map(|it| word(&it.name)).collect();
        cut(&mut names, STATUS, gaps);
        enabled.extend(names);
        pro.evidence.push(STATUS.to_owned());
    }
    let has_token = TOKENS.iter().find(|path| is_file(tree, path, gaps));
    pro.attached |= has_token.is_some();
    pro.evidence.extend(has_token.map(|path| (*path).to_owned()));
    let sources = sources(tree, gaps);
    pro.evidence.extend(sources.iter().map(|(_, path)| path.clone()));
    pro.sources = sources.into_iter().map(|(service, _)| service).collect();
    pro.sources.dedup();
    if pro.attached {
        enabled.extend(pro.sources.iter().cloned());
    }
    pro.enabled = enabled.into_iter().collect();
    pro.evidence.sort();
    context.ubuntu_pro = (!pro.evidence.is_empty()).then_some(pro);
}

/// Whether the contract brings updates of the system beyond its end on a day. Of a host that only has a token it is
/// not known which services are off; attaching turns these on.
pub(super) fn has_esm(pro: Option<&UbuntuPro>, today: Date) -> bool {
    pro.filter(|pro| pro.attached).is_some_and(|pro| {
        let is_told = !pro.enabled.is_empty() || pro.evidence.iter().any(|it| it == STATUS);
        let is_on = pro.enabled.iter().any(|it| ESM.contains(&it.as_str()));
        let expires = pro.expires.as_ref().and_then(|at| at.get(..10)?.parse::<Date>().ok());
        (is_on || !is_told) && expires.is_none_or(|end| today <= end)
    })
}

/// Counts the packages that have a version of its updates; snaps are built with them for everybody.
pub fn count_esm(context: &mut HostContext, packages: &[Package]) {
    if context.os.id != "ubuntu" {
        return;
    }
    let is_in_snap =
        |it: &Package| it.origin.as_deref().is_some_and(|origin| origin.starts_with("snap:"));
    let is_system = |it: &&Package| it.ecosystem == Ecosystem::Deb && !is_in_snap(it);
    let count = packages.iter().filter(is_system).filter(|it| is_esm(&it.version)).count();
    if count > 0 {
        context.ubuntu_pro.get_or_insert_default().esm_packages = count;
    }
}

/// Whether a version has a part `+esm` and digits, as `1.2-3ubuntu0.1~esm2` or `1.2-3+esm1`.
fn is_esm(version: &str) -> bool {
    let parts = version.split(['+', '~', '.']).skip(1);
    let number = |part: &str| part.strip_prefix("esm").map(str::to_owned);
    parts
        .filter_map(number)
        .any(|rest| !rest.is_empty() && rest.bytes().all(|it| it.is_ascii_digit()))
}

fn status(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<Status> {
    let text = text(tree, STATUS, gaps)?;
    let status = serde_json::from_str(&text);
    status.map_err(|error| gaps.push(Gap::new(STATUS, GapReason::Corrupt, error))).ok()
}

fn is_file(tree: &Tree, path: &str, gaps: &mut Vec<Gap>) -> bool {
    match tree.open(path.as_bytes()) {
        Ok(file) => file.is_some_and(|file| file.size() > 0),
        Err(error) => {
            gaps.push(Gap::new(path, error.reason(), error));
            false
        }
    }
}

/// The services that apt has a source of, each with its file, sorted.
fn sources(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<(String, String)> {
    let mut entries = tree.list(SOURCES.as_bytes(), gaps);
    entries.retain(|it| it.name.starts_with(b"ubuntu-"));
    cut(&mut entries, SOURCES, gaps);
    let mut sources = Vec::new();
    for entry in entries {
        let path = [SOURCES.as_bytes(), b"/", &entry.name].concat();
        let Some(service) = std::str::from_utf8(&entry.name).ok().and_then(service) else {
            continue;
        };
        if text(tree, &path, gaps).is_some_and(|text| has_source(&text)) {
            sources.push((service, printable(&path)));
        }
    }
    sources.sort();
    sources
}

/// Drops what is too much, and says so.
fn cut<T>(items: &mut Vec<T>, place: &str, gaps: &mut Vec<Gap>) {
    if items.len() > MOST_SERVICES {
        let detail = format!("{} services; only {MOST_SERVICES} were looked at", items.len());
        gaps.push(Gap::new(place, GapReason::Limit, detail));
        items.truncate(MOST_SERVICES);
    }
}

/// The service of `ubuntu-esm-infra.list`; Ubuntu 14.04 had its release in the name.
fn service(file: &str) -> Option<String> {
    let (stem, _) = file.rsplit_once('.').filter(|(_, end)| ["list", "sources"].contains(end))?;
    let name = stem.strip_prefix("ubuntu-")?;
    word(name.strip_suffix("-trusty").unwrap_or(name))
}

fn word(text: &str) -> Option<String> {
    let is_word = (1..=MOST_WORD).contains(&text.len());
    is_word.then(|| printable_str(text))
}

/// Whether a line, of either format of `sources.list(5)`, names the site and is no comment; one that is not
/// enabled (`Enabled: no`) is not.
fn has_source(text: &str) -> bool {
    let mut stanzas = text.split("\n\n").map(|stanza| {
        let lines = stanza.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let (mut named, mut off) = (false, false);
        for line in lines {
            let is =
                |key: &str| line.split_once(':').is_some_and(|it| it.0.eq_ignore_ascii_case(key));
            named |= (line.starts_with("deb ") || is("URIs")) && names_site(line);
            off |= is("Enabled") && line.ends_with("no");
        }
        named && !off
    });
    stanzas.any(|it| it)
}

fn names_site(line: &str) -> bool {
    let addresses = line.split_whitespace().filter_map(|word| word.split_once("://"));
    addresses.map(|(_, rest)| rest.split('/').next()).any(|host| host == Some(SITE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn found(files: &[(&str, &str)]) -> (Option<UbuntuPro>, Vec<Gap>) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (mut context, mut gaps) = (HostContext::default(), Vec::new());
        complete(&Tree::of_directory(root.path()).unwrap(), &mut context, &mut gaps);
        (context.ubuntu_pro, gaps)
    }

    const INFRA: &str = "/etc/apt/sources.list.d/ubuntu-esm-infra.list";
    const APPS: &str = "/etc/apt/sources.list.d/ubuntu-esm-apps.sources";

    #[test]
    fn nothing_is_said_where_there_is_no_sign() {
        let off = "# deb https://esm.ubuntu.com/infra/ubuntu focal-infra-security main\n";
        let (pro, gaps) =
            found(&[(INFRA, off), ("/etc/apt/sources.list.d/docker.list", "deb x\n")]);
        assert_eq!((pro, gaps), (None, Vec::new()));
    }

    #[test]
    fn a_source_without_a_contract_enables_nothing() {
        let source = "deb https://esm.ubuntu.com/infra/ubuntu focal-infra-security main\n";
        let (pro, _) = found(&[(INFRA, source)]);
        let pro = pro.expect("a sign");
        assert_eq!((pro.attached, pro.enabled.len()), (false, 0));
        assert_eq!(
            (pro.sources, pro.evidence),
            (vec!["esm-infra".to_owned()], vec![INFRA.to_owned()])
        );
        let (pro, _) = found(&[
            (APPS, "# made\nTypes: deb\nURIs: https://esm.ubuntu.com/apps/ubuntu\nSuites: x\n"),
            (TOKENS[0], "{\"secret\": 1}"),
        ]);
        let pro = pro.expect("a sign");
        assert_eq!((pro.attached, pro.enabled), (true, vec!["esm-apps".to_owned()]));
        assert!(!has_source("Enabled: no\nURIs: https://esm.ubuntu.com/apps/ubuntu\n"));
        assert!(!has_source("deb https://esm.ubuntu.com.example/ x main\n"));
    }

    #[test]
    fn a_status_that_is_damaged_is_a_gap_and_the_rest_is_read() {
        for text in ["{", "{\"attached\": 1}", "{\"services\": [{}]}", "\0\0"] {
            let (pro, gaps) = found(&[(STATUS, text), (TOKENS[1], "{}")]);
            assert!(pro.is_some_and(|pro| pro.attached), "{text}");
            assert_eq!((gaps.len(), gaps[0].reason), (1, GapReason::Corrupt), "{text}");
        }
    }

    #[test]
    fn versions_of_those_updates() {
        for version in ["1.2-3ubuntu0.1+esm1", "1.2-3ubuntu0.1~esm2", "1.2+esm10.1"] {
            assert!(is_esm(version), "{version}");
        }
        for version in ["1.2-3", "esm1", "1+esm", "1+esmx", "1+tesm1"] {
            assert!(!is_esm(version), "{version}");
        }
        let of =
            |version: &str| Package::new(Ecosystem::Deb, "a".into(), version.into(), String::new());
        let in_snap = Package { origin: Some("snap:core18".to_owned()), ..of("1+esm1") };
        let packages = [of("1+esm1"), of("1"), in_snap];
        let mut context = HostContext::default();
        count_esm(&mut context, &packages);
        assert_eq!(context.ubuntu_pro, None);
        context.os.id = "ubuntu".to_owned();
        count_esm(&mut context, &packages);
        assert_eq!(context.ubuntu_pro.map(|pro| pro.esm_packages), Some(1));
    }

    /// Status files of a real client, one with the service that the other lacks.
    #[test]
    fn the_status_of_a_real_host() {
        let Some(shared) = test_material::shared() else { return };
        let folder = tempfile::tempdir().unwrap();
        let inside = "fixtures/dpkg-rpm-apk-trivy/os/ubuntu/testdata";
        let unpack = std::process::Command::new("tar")
            .args(["--zstd", "-xf", shared.join("data/fixtures.tar.zst").to_str().unwrap(), "-C"])
            .args([folder.path().to_str().unwrap(), inside])
            .status();
        assert!(unpack.unwrap().success());
        let of = |name: &str| fs::read_to_string(Path::new(folder.path()).join(inside).join(name));
        for (name, expected) in
            [("esm_enabled_status.json", &["esm-infra"][..]), ("esm_disabled_status.json", &[])]
        {
            let (pro, gaps) = found(&[(STATUS, &of(name).unwrap())]);
            let pro = pro.expect("a sign");
            assert!(pro.attached && gaps.is_empty());
            assert_eq!(pro.enabled, expected);
            assert_eq!(pro.expires.as_deref(), Some("9999-12-31T00:00:00+00:00"));
        }
    }
}
