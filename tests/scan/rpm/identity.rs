//! Who an rpm host is, and what it installs from.

use super::{committed, directory, gaps, plant};
use crate::support::scan;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Scans a root with these files, and these links, beside a database of packages.
fn report(files: &[(&str, &str)], links: &[(&str, &str)]) -> Value {
    let work = tempfile::tempdir().expect("a folder");
    plant(work.path(), "var/lib/rpm/Packages", &committed("bdb/Packages"));
    let place = |path: &str| {
        let path = work.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        path
    };
    for (path, text) in files {
        fs::write(place(path), text).expect("written");
    }
    for (path, target) in links {
        symlink(Path::new(target), place(path)).expect("linked");
    }
    scan(&[&directory(work.path())]).1
}

#[test]
fn systems_from_before_os_release_are_known_by_their_own_file() {
    const RED_HAT: &str = "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n";
    let link = [("etc/system-release", "redhat-release")];
    for (files, links, id, version) in [
        (&[("etc/redhat-release", RED_HAT)][..], &link[..], "rhel", "6.10"),
        (
            &[
                ("etc/oracle-release", "Oracle Linux Server release 6.9\n"),
                ("etc/redhat-release", RED_HAT),
            ],
            &link,
            "ol",
            "6.9",
        ),
        (
            &[("etc/centos-release", "CentOS release 6.10 (Final)\n")],
            &[("etc/redhat-release", "centos-release"), ("etc/system-release", "centos-release")],
            "centos",
            "6.10",
        ),
        (&[("etc/system-release", "Amazon Linux AMI release 2018.03\n")], &[], "amzn", "2018.03"),
        (
            &[(
                "etc/SuSE-release",
                "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
            )],
            &[],
            "sles",
            "11.4",
        ),
    ] {
        let report = report(files, links);
        let os = &report["host"]["os"];
        assert_eq!((&os["id"], &os["version_id"]), (&json!(id), &json!(version)));
        assert_eq!(gaps(&report), [""; 0]);
        let purl = report["assets"][0]["packages"][0]["purl"].as_str().expect("a purl");
        let vendor = if id == "rhel" { "redhat" } else { id };
        assert!(purl.starts_with(&format!("pkg:rpm/{vendor}/")), "{purl}");
        assert!(purl.contains(&format!("&distro={id}-{version}")), "{purl}");
    }
}

#[test]
fn enabled_repositories_streams_and_products_are_listed() {
    let report = report(
        &[
            ("etc/os-release", "ID=rhel\nVERSION_ID=8.4\n"),
            (
                "etc/yum.repos.d/a.repo",
                "[rhel-8-$stage-rpms]\nname=x\nbaseurl=https://u:p@h/\nenabled=1\n[off]\nenabled = 0\n",
            ),
            ("etc/yum.repos.d/b.repo", "[off]\nenabled=1\n[epel]\n"),
            ("etc/yum.repos.d/c.repo.rpmsave", "[saved]\n"),
            ("etc/pki/product-default/479.pem", ""),
            ("etc/pki/product/479.pem", ""),
            ("etc/pki/product/69.pem", ""),
            ("etc/pki/product/x1.pem", ""),
            ("etc/yum/vars/stage", "old\n"),
            ("etc/dnf/vars/stage", "baseos\n"),
            (
                "etc/dnf/modules.d/nodejs.module",
                "[nodejs]\nname=nodejs\nstream=18\nprofiles=\nstate=enabled\n",
            ),
            ("etc/dnf/modules.d/perl.module", "[perl]\nname=perl\nstream=5.26\nstate=disabled\n"),
        ],
        &[],
    );
    assert_eq!(report["host"]["products"], json!([69, 479]));
    assert_eq!(report["host"]["repositories"], json!(["epel", "rhel-8-baseos-rpms"]));
    assert_eq!(report["host"]["modules"], json!(["nodejs:18"]));
    assert_eq!(gaps(&report), [""; 0]);
    assert!(!report.to_string().contains("u:p@h"));
}
