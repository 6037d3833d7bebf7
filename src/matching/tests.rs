//! The rules of matching, over a small store of its own.

use super::*;
use crate::advisory::feeds::{debian::Debian, kev::Kev};
use crate::advisory::import::{Origin, Shrink, import};
use crate::model::{Ecosystem, KernelState, PackagedKernel, Severity, SourcePackage, Status};

const TRACKER: &str = r#"{
 "zlib": {
  "CVE-1": {"releases": {
    "bookworm": {"status": "resolved", "fixed_version": "1:1.2-3+deb12u1", "urgency": "high"},
    "sid": {"status": "resolved", "fixed_version": "1:1.3-1"}}},
  "CVE-2": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "0"}}},
  "CVE-3": {"releases": {"bookworm": {"status": "open", "nodsa": "Minor", "urgency": "low"}}}},
 "linux": {
  "CVE-4": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "6.1.76-1"}}}},
 "newer": {
  "CVE-5": {"releases": {"sid": {"status": "resolved", "fixed_version": "2-1"}}},
  "CVE-6": {"releases": {"sid": {"status": "open"}}}},
 "python2.7": {
  "CVE-8": {"releases": {"bullseye": {"status": "open"}}}},
 "vague": {
  "CVE-7": {"releases": {"bookworm": {"status": "undetermined"}, "sid": {"status": "open"}}}}
}"#;
const CATALOGUE: &str = r#"{"vulnerabilities":[
 {"cveID":"CVE-3","dateAdded":"2025-01-01","dueDate":"2025-02-01"}]}"#;

fn store() -> (tempfile::TempDir, Store) {
    store_of(TRACKER)
}

fn store_of(tracker: &str) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let origin = Origin::default();
    import(&path, &Debian, origin.clone(), Shrink::Refuse, &mut tracker.as_bytes()).unwrap();
    import(&path, &Kev, origin, Shrink::Refuse, &mut CATALOGUE.as_bytes()).unwrap();
    let store = Store::open(&path).unwrap();
    (folder, store)
}

fn os(id: &str, codename: &str) -> Os {
    Os { id: id.to_owned(), codename: Some(codename.to_owned()), ..Os::default() }
}

fn package(name: &str, version: &str, source: (&str, &str)) -> Package {
    Package {
        arch: "amd64".to_owned(),
        purl: format!("pkg:deb/debian/{name}@{version}?arch=amd64"),
        source: SourcePackage { name: source.0.to_owned(), version: source.1.to_owned() },
        evidence: Vec::new(),
        ..Package::new(Ecosystem::Deb, name.to_owned(), version.to_owned(), String::new())
    }
}

fn matched(os: &Os, packages: &[Package]) -> Partial<Vec<Finding>> {
    let (_folder, store) = store();
    match_packages(&store, os, packages).unwrap()
}

fn ids(packages: &[Package]) -> Vec<String> {
    let result = matched(&os("debian", "bookworm"), packages);
    assert!(result.gaps.is_empty(), "{:?}", result.gaps);
    result.found.into_iter().map(|finding| format!("{} {}", finding.package, finding.id)).collect()
}

#[test]
fn the_source_version_decides() {
    let fixed = package("zlib1g", "1:0.9+b1", ("zlib", "1:1.2-3+deb12u1"));
    let old = package("zlib1g", "9:9", ("zlib", "1:1.2-3"));
    assert_eq!(ids(&[fixed]), ["zlib1g CVE-3"]);
    assert_eq!(ids(&[old]), ["zlib1g CVE-1", "zlib1g CVE-3"]);
    assert!(ids(&[package("other", "1", ("other", "1"))]).is_empty());
}

#[test]
fn a_finding_says_what_the_vendor_says() {
    let packages = [package("zlib1g", "1:1.2-3+b2", ("zlib", "1:1.2-3"))];
    let found = matched(&os("debian", "bookworm"), &packages).found;
    let [first, second] = &found[..] else { panic!("{found:?}") };
    assert_eq!((first.severity, first.status, first.kev), (Severity::High, Status::Fixed, false));
    assert_eq!(first.fixed.as_deref(), Some("1:1.2-3+deb12u1"));
    assert_eq!((first.installed.as_str(), first.feed.as_str()), ("1:1.2-3+b2", "debian"));
    assert_eq!(first.purl, packages[0].purl);
    assert_eq!((second.severity, second.status), (Severity::Low, Status::NoAdvisory));
    assert_eq!((second.fixed.as_deref(), second.kev), (None, true));
}

#[test]
fn findings_are_worst_first_then_by_package_and_id() {
    let packages = ["b", "a"].map(|name| package(name, "1", ("zlib", "1")));
    assert_eq!(ids(&packages), ["a CVE-1", "b CVE-1", "a CVE-3", "b CVE-3"]);
}

#[test]
fn a_signed_kernel_has_its_binaries_version() {
    let signed =
        |version| package("linux-image-amd64", version, ("linux-signed-amd64", "6.1.99+1"));
    assert_eq!(ids(&[signed("6.1.69-1")]), ["linux-image-amd64 CVE-4"]);
    assert!(ids(&[signed("6.1.76-1")]).is_empty());
    assert!(ids(&[package("linux-image-amd64", "1", ("linux-latest", "1"))]).is_empty());
}

#[test]
fn a_finding_of_a_kernel_that_does_not_run_stays_and_says_so() {
    let mut image = package("linux-image-6.1.0-17-amd64", "6.1.69-1", ("linux", "6.1.69-1"));
    let (release, state) = ("6.1.0-17-amd64".to_owned(), KernelState::NotRunning);
    image.kernel = Some(PackagedKernel { release, state });
    let found = matched(&os("debian", "bookworm"), &[image]).found;
    assert_eq!(found.iter().map(|it| it.kernel).collect::<Vec<_>>(), [Some(state)]);
}

#[test]
fn headers_of_a_kernel_are_no_kernel() {
    let built = |name| package(name, "6.1.69-1", ("linux", "6.1.69-1"));
    assert!(ids(&[built("linux-libc-dev"), built("linux-headers-6.1.0-17-common")]).is_empty());
    let unsigned = "linux-image-6.1.0-17-amd64-unsigned";
    assert_eq!(ids(&[built(unsigned)]), [format!("{unsigned} CVE-4")]);
}

#[test]
fn what_only_another_release_lists_is_a_gap() {
    let packages = ["a", "b"].map(|name| package(name, "1", ("python2.7", "2.7.18-8")));
    let result = matched(&os("debian", "bookworm"), &packages);
    assert!(result.found.is_empty());
    let details: Vec<_> = result.gaps.iter().map(|gap| gap.detail.as_str()).collect();
    let known = "advisories speak of these sources in other releases, not in bookworm: python2.7";
    assert_eq!(details, [known]);
}

#[test]
fn data_without_sid_are_no_list_of_all_sources() {
    let open =
        |release| format!(r#"{{"CVE-1":{{"releases":{{"{release}":{{"status":"open"}}}}}}}}"#);
    let (there, here) = (open("bullseye"), open("bookworm"));
    let (_folder, store) = store_of(&format!(r#"{{"python2.7":{there},"zlib":{here}}}"#));
    let packages = [package("a", "1", ("python2.7", "2.7.18-8"))];
    let result = match_packages(&store, &os("debian", "bookworm"), &packages).unwrap();
    assert_eq!((result.found.len(), result.gaps.len()), (0, 0));
}

#[test]
fn sid_decides_where_the_release_lists_nothing() {
    assert_eq!(ids(&[package("newer", "1", ("newer", "1"))]), ["newer CVE-5", "newer CVE-6"]);
    assert_eq!(ids(&[package("newer", "2-1", ("newer", "2-1"))]), ["newer CVE-6"]);
    assert!(ids(&[package("vague", "1", ("vague", "1"))]).is_empty());
}

#[test]
fn a_release_without_data_is_one_gap() {
    let packages = [package("zlib1g", "1", ("zlib", "1")), package("newer", "1", ("newer", "1"))];
    for os in [os("debian", "wheezy"), os("ubuntu", "bookworm"), Os::default()] {
        let result = matched(&os, &packages);
        assert!(result.found.is_empty());
        assert_eq!(result.gaps.len(), 1);
        assert_eq!(result.gaps[0].reason, GapReason::NoVendorData);
    }
}

#[test]
fn backports_and_foreign_packages_are_one_gap() {
    let mut packages: Vec<_> =
        (0..11).map(|n| package(&format!("p{n:02}"), "1~bpo12+1", ("zlib", "1"))).collect();
    let foreign = |name, origin: &str| {
        let origin = Some(origin.to_owned());
        Package { origin, ..package(name, "1", ("zlib", "1")) }
    };
    packages.push(foreign("p11", "Docker"));
    packages.push(foreign("own", "Debian"));
    let result = matched(&os("debian", "bookworm"), &packages);
    assert!(result.found.iter().all(|finding| finding.package == "own"));
    assert_eq!((result.found.len(), result.gaps.len()), (2, 1));
    let gap = &result.gaps[0];
    assert_eq!(gap.reason, GapReason::NoVendorData);
    assert!(gap.detail.ends_with("p08, p09 and 2 more"), "{}", gap.detail);
}
