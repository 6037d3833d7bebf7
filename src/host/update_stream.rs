//! Which of Red Hat's streams of updates a host follows: the minor release that it is held at, and the
//! longer support that its repositories are of. A host without signs gets the newest minor release, which is the
//! main stream.
//!
//! Signs: `releasever` among dnf's variables; what subscription-manager keeps of `release --set`
//! (`releasever.json`); ids of enabled repositories, which name the support as a word
//! (`rhel-9-for-x86_64-baseos-eus-rpms`). Those of sources and debugging symbols bring no updates.

use super::identity::text;
use super::{Tree, dnf};
use crate::model::{Gap, GapReason, HostContext, UpdateStream, printable_str};
use serde_json::Value;
use std::collections::BTreeSet;

const CACHE: &str = "/var/lib/rhsm/cache/releasever.json";
/// Support beyond that of a minor release: extended, advanced, for SAP, telecommunications, extended life.
const SUPPORT: [&str; 5] = ["aus", "e4s", "els", "eus", "tus"];
/// Words of repositories that bring no updates.
const ASIDE: [&str; 4] = ["debug", "debuginfo", "source", "srpms"];
/// Repositories that are told as evidence.
const MOST_EVIDENCE: usize = 10;
const MOST_WORD: usize = 32;

/// Completes the context of a Red Hat Enterprise Linux, whose repositories are known.
pub(super) fn complete(tree: &Tree, context: &mut HostContext, gaps: &mut Vec<Gap>) {
    let mut stream = UpdateStream::default();
    let variable = dnf::variable(tree, "releasever", gaps);
    for (release, place) in [cached(tree, gaps), variable].into_iter().flatten() {
        if is_minor(&release) {
            stream.evidence.push(format!("{place}: {release}"));
            stream.release.get_or_insert(release);
        }
    }
    let mut support = BTreeSet::new();
    let brings = |id: &&String| !id.split('-').any(|word| ASIDE.contains(&word));
    for id in context.repositories.iter().filter(brings) {
        let words = id.split('-').filter_map(|word| SUPPORT.iter().find(|it| **it == word));
        for word in words {
            if support.insert((*word).to_owned()) || stream.evidence.len() < MOST_EVIDENCE {
                stream.evidence.push(id.clone());
            }
        }
    }
    stream.support = support.into_iter().collect();
    context.update_stream = (!stream.evidence.is_empty()).then_some(stream);
}

/// What subscription-manager keeps: `{"releaseVer": "9.2"}`, null where nothing is set.
fn cached(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<(String, String)> {
    let value: Value = match serde_json::from_str(&text(tree, CACHE, gaps)?) {
        Ok(value) => value,
        Err(error) => {
            gaps.push(Gap::new(CACHE, GapReason::Corrupt, error));
            return None;
        }
    };
    Some((printable_str(value.get("releaseVer")?.as_str()?.trim()), CACHE.to_owned()))
}

/// Whether it is a minor release, `9.2`: `9` and `7Server` hold a host at none.
fn is_minor(release: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let parts = release.split_once('.');
    release.len() <= MOST_WORD && parts.is_some_and(|(major, minor)| number(major) && number(minor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn found(files: &[(&str, &str)], repositories: &[&str]) -> (Option<UpdateStream>, Vec<Gap>) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let repositories = repositories.iter().map(|id| (*id).to_owned()).collect();
        let mut context = HostContext { repositories, ..HostContext::default() };
        let mut gaps = Vec::new();
        complete(&Tree::of_directory(root.path()).unwrap(), &mut context, &mut gaps);
        (context.update_stream, gaps)
    }

    #[test]
    fn without_signs_a_host_follows_the_main_stream() {
        let (stream, gaps) = found(
            &[(CACHE, "{\"releaseVer\": null}"), ("/etc/dnf/vars/releasever", "9\n")],
            &[
                "rhel-9-for-x86_64-baseos-rpms",
                "rhel-9-for-x86_64-baseos-eus-debug-rpms",
                "rhel-9-for-x86_64-baseos-eus-source-rpms",
                "status-rpms",
                "x_eus-y",
            ],
        );
        assert_eq!((stream, gaps), (None, Vec::new()));
    }

    #[test]
    fn a_release_that_was_set_and_support_by_whole_words() {
        let (stream, gaps) = found(
            &[(CACHE, "{\"releaseVer\": \"9.2\"}"), ("/etc/dnf/vars/releasever", "9.0\n")],
            &["rhel-9-for-x86_64-appstream-rpms", "rhel-9-for-x86_64-baseos-eus-rpms"],
        );
        let stream = stream.expect("signs");
        assert_eq!(gaps, []);
        assert_eq!(
            (stream.release.as_deref(), stream.support),
            (Some("9.2"), vec!["eus".to_owned()])
        );
        let expected = [
            "/var/lib/rhsm/cache/releasever.json: 9.2",
            "/etc/dnf/vars/releasever: 9.0",
            "rhel-9-for-x86_64-baseos-eus-rpms",
        ];
        assert_eq!(stream.evidence, expected);
        let (stream, _) =
            found(&[("/etc/yum/vars/releasever", "8.6")], &["rhui-rhel-8-e4s-rhui-rpms"]);
        let stream = stream.expect("signs");
        assert_eq!(
            (stream.release.as_deref(), stream.support),
            (Some("8.6"), vec!["e4s".to_owned()])
        );
    }

    #[test]
    fn what_is_no_release_is_none() {
        for text in ["9.", ".2", "9.2.1", "9.x", "7Server", "", "\u{1b}[2J9.2"] {
            assert!(!is_minor(text), "{text}");
        }
        assert!(is_minor("10.1"));
        for (text, count) in [("{", 1), ("[]", 0), ("{\"releaseVer\": 9}", 0), ("\"\"", 0)] {
            let (stream, gaps) = found(&[(CACHE, text)], &[]);
            assert_eq!((stream, gaps.len()), (None, count), "{text}");
        }
    }
}
