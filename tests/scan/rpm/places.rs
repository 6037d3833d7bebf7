//! Where databases are, which of several is read, and what they are matched with.

use super::{AMAZON, committed, directory, gaps, has_rpm, packages, plant, root};
use crate::support::{scan, sidelight, tool};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn evidence(report: &serde_json::Value) -> Vec<&str> {
    let mut paths: Vec<_> =
        packages(report).iter().filter_map(|it| it["evidence"][0].as_str()).collect();
    paths.dedup();
    paths
}

#[test]
fn a_database_that_links_lead_to_is_read_once() {
    for (folder, link, target) in [
        ("usr/lib/sysimage/rpm", "var/lib/rpm", "../../usr/lib/sysimage/rpm"),
        ("usr/share/rpm", "var/lib/rpm", "/usr/share/rpm"),
        ("var/lib/rpm", "usr/lib/sysimage/rpm", "../../../var/lib/rpm"),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        root(work.path(), AMAZON);
        plant(work.path(), &format!("{folder}/Packages.db"), &committed("ndb/Packages.db"));
        let link = work.path().join(link);
        fs::create_dir_all(link.parent().expect("a folder")).expect("made");
        symlink(target, link).expect("linked");
        let (code, report) = scan(&[&directory(work.path())]);
        assert_eq!((code, gaps(&report), packages(&report).len()), (0, Vec::new(), 7), "{folder}");
    }
}

#[test]
fn of_two_databases_the_newer_kind_is_read_and_the_other_told() {
    for (old, new) in [
        ("var/lib/rpm/Packages", "var/lib/rpm/Packages.db"),
        ("var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db"),
        ("usr/lib/sysimage/rpm/Packages", "usr/share/rpm/Packages.db"),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        root(work.path(), AMAZON);
        plant(work.path(), old, &committed("bdb/Packages"));
        plant(work.path(), new, &committed("ndb/Packages.db"));
        let (code, report) = scan(&[&directory(work.path())]);
        let told = "an rpm database that was not read, beside";
        let told = format!("/{old} | unsupported | {told} /{new}, which was");
        assert_eq!((code, gaps(&report), packages(&report).len()), (3, vec![told], 7));
        assert_eq!(evidence(&report), [format!("/{new}")]);
    }
}

/// Debian's rpm makes an empty database when it is first asked.
#[test]
fn an_empty_database_beside_that_of_the_system_is_no_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let target = crate::directory::root(work.path());
    let folder = work.path().join("var/lib/rpm");
    fs::create_dir_all(&folder).expect("made");
    if !has_rpm() {
        return;
    }
    tool("rpm", &["--dbpath", folder.to_str().expect("UTF-8"), "--initdb"]);
    assert!(folder.join("rpmdb.sqlite").metadata().is_ok_and(|it| it.len() > 0));
    let (code, report) = scan(&[&target]);
    assert_eq!((code, gaps(&report), packages(&report).len()), (0, Vec::new(), 1));
    fs::remove_file(work.path().join("var/lib/dpkg/status")).expect("removed");
    let (code, report) = scan(&[&target]);
    let told = "a package database in which nothing is installed";
    assert_eq!(
        (code, gaps(&report)),
        (3, vec![format!("/var/lib/rpm/rpmdb.sqlite | missing | {told}")])
    );
}

/// A store of Debian's advisories, which has one on a source called `epoch`.
fn store(work: &Path) -> String {
    let path = |name: &str| work.join(name).to_str().expect("UTF-8").to_owned();
    let tracker = r#"{"epoch": {"CVE-2024-0001": {"scope": "local", "releases": {"bookworm":
        {"status": "open", "repositories": {"bookworm": "1"}, "urgency": "high"}}}}}"#;
    fs::write(path("tracker"), tracker).expect("written");
    let into = path("store");
    let output = sidelight(&[
        "feeds",
        "import",
        "--feed",
        "debian",
        &path("tracker"),
        "--advisories",
        &into,
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    into
}

#[test]
fn packages_that_no_advisory_speaks_of_are_a_gap_and_no_clean_bill() {
    for (os_release, place, detail) in [
        (AMAZON, "Amazon Linux 2", "no advisories for amzn 2 in the store"),
        (
            "ID=debian\nVERSION_ID=12\n",
            "packages",
            "backports or from other archives, not matched with the release's advisories: empty, epoch, kinds, many, module, signed-eddsa, signed-rsa",
        ),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        let folder = work.path().join("root");
        root(&folder, os_release);
        plant(&folder, "var/lib/rpm/Packages", &committed("bdb/Packages"));
        let target = directory(&folder);
        let target = target.to_str().expect("UTF-8");
        let store = store(work.path());
        let output = sidelight(&["scan", target, "--format", "json", "--advisories", &store]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let told = gaps(&report);
        let expected = format!("{place} | no_vendor_data | {detail}");
        assert_eq!((output.status.code(), told), (Some(3), vec![expected]));
        assert_eq!(report["assets"][0]["findings"], serde_json::json!([]));
        let output = sidelight(&["scan", target, "--advisories", &store]);
        let table = String::from_utf8_lossy(&output.stdout);
        assert!(table.contains("not wholly matched with advisories"), "{table}");
        assert!(!table.contains("no findings"), "{table}");
    }
}

#[test]
fn the_bill_of_materials_of_an_rpm_host_is_valid() {
    use cyclonedx_bom::prelude::{Bom, Validate};
    let work = tempfile::tempdir().expect("a folder");
    root(work.path(), "ID=fedora\nVERSION_ID=41\n");
    plant(work.path(), "var/lib/rpm/Packages", &committed("bdb/Packages"));
    let target = directory(work.path());
    let target = target.to_str().expect("UTF-8");
    let output = sidelight(&["scan", target, "--no-match", "--format", "cyclonedx"]);
    let bom = Bom::parse_from_json(output.stdout.as_slice()).expect("a BOM");
    assert!(bom.validate().passed());
    let components = bom.components.expect("components").0;
    let module = components.iter().find(|it| it.name.to_string() == "module").expect("a package");
    let purl = module.purl.as_ref().map(ToString::to_string);
    let expected = "pkg:rpm/fedora/module@20.1-1.module_el9%2B7?arch=noarch&distro=fedora-41&upstream=module-20.1-1.module_el9%2B7.src.rpm";
    assert_eq!(purl.as_deref(), Some(expected));
    let properties = module.properties.as_ref().expect("properties");
    let label = properties.0.iter().find(|it| it.name == "sidelight:module").expect("a module");
    assert_eq!(label.value.to_string(), "nodejs:20:920241:9edba152");
}
