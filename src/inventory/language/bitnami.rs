//! Bitnami: what its images and virtual machines hold, by the lists in SPDX that lie beside each program.
//!
//! `/opt/bitnami/NAME/.spdx-NAME.spdx`, JSON whatever its ending says: <https://github.com/bitnami/vulndb>. A package is
//! what its purl says, which is kept as it stands; most are Bitnami's own, some are libraries of another ecosystem.

use super::{Collector, Manifest, json};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// The cataloger.
pub const SPDX: Manifest = Manifest {
    name: "bitnami",
    patterns: &[PathPattern::Ending(".spdx")],
    takes,
    ecosystem: Ecosystem::Bitnami,
    state: PackageState::Installed,
    read,
};

fn takes(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    path.starts_with(b"/opt/bitnami/") && name.starts_with(b".spdx-")
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    name: json::Word,
    #[serde(default, rename = "versionInfo")]
    version: json::Word,
    #[serde(default, rename = "externalRefs")]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default, rename = "referenceType")]
    kind: json::Word,
    #[serde(default, rename = "referenceLocator")]
    locator: json::Word,
}

fn read(text: &str, found: &mut Collector) {
    let mut is_list = false;
    let end =
        json::each(text, &[&["spdxVersion"], &["packages", json::EACH]], &mut |which, _, value| {
            match (which, serde_json::from_str::<Listed>(value.get())) {
                (0, _) => is_list = true,
                (_, Ok(listed)) => add(&listed, found),
                (_, Err(error)) => found.corrupt(error),
            }
        });
    match end {
        Ok(()) if !is_list => found.corrupt("no list of packages in SPDX"),
        Ok(()) => {}
        Err(error) => found.corrupt(error),
    }
}

fn add(listed: &Listed, found: &mut Collector) {
    let version =
        Some(listed.version.0.as_str()).filter(|it| *it != "NOASSERTION" && *it != "NONE");
    let purl = listed.references.iter().find(|it| it.kind.0 == "purl").map(|it| &it.locator.0);
    let Some(purl) = purl else {
        return found.add(&listed.name.0, version.unwrap_or_default());
    };
    match parse(purl) {
        Some((ecosystem, name, purl_version)) => {
            let version = purl_version.as_deref().or(version).unwrap_or_default();
            found.add_listed(ecosystem, &name, version, purl);
        }
        None => found.corrupt("a package whose purl is none"),
    }
}

/// Ecosystem, name as its people write it, and version of a purl.
fn parse(purl: &str) -> Option<(Ecosystem, String, Option<String>)> {
    let bare = purl.split(['?', '#']).next()?.strip_prefix("pkg:")?;
    let (kind, rest) = bare.trim_start_matches('/').split_once('/')?;
    let (path, version) = match rest.rsplit_once('@') {
        Some((path, version)) if !version.contains('/') => (path, Some(decoded(version))),
        _ => (rest, None),
    };
    let ecosystem = ecosystem(&kind.to_ascii_lowercase());
    let name = decoded(path.trim_matches('/'));
    let name = match (ecosystem, name.rsplit_once('/')) {
        (Ecosystem::Maven, Some((group, artifact))) => format!("{group}:{artifact}"),
        _ => name,
    };
    (!name.is_empty()).then_some((ecosystem, name, version))
}

fn ecosystem(kind: &str) -> Ecosystem {
    const LISTED: [Ecosystem; 13] = [
        Ecosystem::Bitnami,
        Ecosystem::Maven,
        Ecosystem::Golang,
        Ecosystem::Cargo,
        Ecosystem::Pypi,
        Ecosystem::Conda,
        Ecosystem::Npm,
        Ecosystem::Gem,
        Ecosystem::Nuget,
        Ecosystem::Composer,
        Ecosystem::Hex,
        Ecosystem::Cpan,
        Ecosystem::Luarocks,
    ];
    LISTED.into_iter().find(|it| it.purl_type() == kind).unwrap_or(Ecosystem::Generic)
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const LIST: &str = r#"{"SPDXID":"SPDXRef-DOCUMENT","spdxVersion":"SPDX-2.3","name":"SPDX document for Elasticsearch",
        "packages":[{"name":"Elasticsearch","versionInfo":"8.7.1","externalRefs":[
            {"referenceType":"cpe23Type","referenceLocator":"cpe:2.3:*:elasticsearch:elasticsearch:8.7.1:*:*:*:*:*:*:*"},
            {"referenceType":"purl","referenceLocator":"pkg:bitnami/elasticsearch@8.7.1-0?arch=arm64&distro=debian-12"}]},
        {"name":"co.elastic.apm:apm-agent","versionInfo":"1.36.0","externalRefs":[
            {"referenceType":"purl","referenceLocator":"pkg:maven/co.elastic.apm/apm-agent@1.36.0"}]},
        {"name":"@s/a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/%40s/a@1"}]},
        {"name":"plain","versionInfo":"2"},{"name":"x","versionInfo":"NOASSERTION"}]}"#;

    #[test]
    fn packages_with_the_purl_of_the_list() {
        let expected =
            ["@s/a 1", "co.elastic.apm:apm-agent 1.36.0", "elasticsearch 8.7.1-0", "plain 2"];
        check(&SPDX, LIST, &expected);
        let mut found = Collector::new(Ecosystem::Bitnami, PackageState::Installed, b"/a");
        read(LIST, &mut found);
        let found = found.into_found().found;
        let package = found.iter().find(|it| it.name == "elasticsearch").unwrap();
        assert_eq!(package.purl, "pkg:bitnami/elasticsearch@8.7.1-0?arch=arm64&distro=debian-12");
        let of = |name: &str| found.iter().find(|it| it.name == name).unwrap().ecosystem;
        assert_eq!(of("@s/a"), Ecosystem::Npm);
        assert_eq!(of("plain"), Ecosystem::Bitnami);
    }

    #[test]
    fn purls() {
        let parsed = |purl| parse(purl).map(|(_, name, version)| (name, version));
        let pair = |name: &str, version: &str| Some((name.to_owned(), Some(version.to_owned())));
        assert_eq!(parsed("pkg:golang/a.b/c/d@v1#x"), pair("a.b/c/d", "v1"));
        assert_eq!(parsed("pkg:generic/a%2Bb%@1%3A2"), pair("a+b%", "1:2"));
        assert_eq!(parsed("pkg:github/@a/b"), Some(("@a/b".to_owned(), None)));
        for none in ["", "pkg:", "pkg:bitnami", "pkg:bitnami/@1", "bitnami/a@1"] {
            assert_eq!(parsed(none), None, "{none}");
        }
    }

    #[test]
    fn only_lists_of_bitnami() {
        assert!(takes(b"/opt/bitnami/redis/.spdx-redis.spdx"));
        assert!(!takes(b"/opt/bitnami/redis/redis.spdx"));
        assert!(!takes(b"/srv/opt/bitnami/redis/.spdx-redis.spdx"));
    }

    #[test]
    fn damage() {
        survive_damage(&SPDX, LIST);
        check(&SPDX, "{}", &["corrupt"]);
        check(
            &SPDX,
            r#"{"spdxVersion":1,"packages":[7,{"externalRefs":7}]}"#,
            &["corrupt", "corrupt"],
        );
        check(&SPDX, "SPDXVersion: SPDX-2.3\n", &["corrupt"]);
    }
}
