//! Hosts with flatpaks, which flatpak itself builds, installs and lists.

use crate::directory::root;
use crate::support::{scan, tool};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const RUNTIME: &str = "[Runtime]\nname=org.example.Platform\nruntime=org.example.Platform/x86_64/22.08\nsdk=org.example.Platform/x86_64/22.08\n";

/// Whether flatpak is there and may install; `false` skips the test.
fn has_flatpak() -> bool {
    if !test_material::root() {
        return false;
    }
    let there = std::process::Command::new("flatpak").arg("--version").output().is_ok();
    if !there {
        test_material::skip("no flatpak; run scripts/setup, which installs it");
    }
    there
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Runs flatpak for the host below this folder.
fn flatpak(work: &Path, arguments: &[&str]) -> String {
    let place = |name: &str, path: &str| format!("{name}={}", text(&work.join(path)));
    let places = [
        place("HOME", "home"),
        place("XDG_CACHE_HOME", "cache"),
        place("FLATPAK_SYSTEM_DIR", "root/var/lib/flatpak"),
        place("FLATPAK_USER_DIR", "root/home/alice/.local/share/flatpak"),
        "LC_ALL=C".to_owned(),
    ];
    let places: Vec<_> = places.iter().map(String::as_str).collect();
    tool("env", &[&places[..], &["flatpak"], arguments].concat())
}

/// Puts an application into the repository; its catalogue says which releases it had.
fn publish(work: &Path, name: &str, branch: &str, releases: &[&str]) {
    let app = work.join(format!("{name}.{branch}"));
    let catalogue = app.join("files/share/app-info/xmls");
    fs::create_dir_all(&catalogue).expect("made");
    fs::create_dir_all(app.join("export")).expect("made");
    let platform = "org.example.Platform/x86_64/22.08";
    let metadata = format!("[Application]\nname={name}\nruntime={platform}\nsdk={platform}\n");
    fs::write(app.join("metadata"), metadata).expect("written");
    if !releases.is_empty() {
        let releases: Vec<_> = releases
            .iter()
            .map(|version| format!("<release version=\"{version}\" timestamp=\"1\"/>"))
            .collect();
        let releases = releases.concat();
        let component = format!(
            "<component type=\"desktop\"><id>{name}</id><name>n</name><summary>s</summary><releases>{releases}</releases></component>"
        );
        let xml = catalogue.join(format!("{name}.xml"));
        let whole =
            format!("<components version=\"0.8\" origin=\"flatpak\">{component}</components>");
        fs::write(&xml, whole).expect("written");
        tool("gzip", &[text(&xml)]);
    }
    flatpak(work, &["build-export", text(&work.join("repo")), text(&app), branch]);
}

/// A host with a runtime, three applications and one of a user.
fn install(work: &Path) -> PathBuf {
    let target = root(&work.join("root"));
    fs::create_dir_all(work.join("home")).expect("made");
    let runtime = work.join("runtime");
    fs::create_dir_all(runtime.join("files")).expect("made");
    fs::write(runtime.join("files/x"), "x").expect("written");
    fs::write(runtime.join("metadata"), RUNTIME).expect("written");
    let repo = work.join("repo");
    let export = ["build-export", "--runtime", "--files=files", text(&repo), text(&runtime)];
    flatpak(work, &[&export[..], &["22.08"]].concat());
    publish(work, "org.example.Plain", "master", &[]);
    publish(work, "org.example.Two", "stable", &["2.10.38", "2.10.36"]);
    publish(work, "org.example.Two", "beta", &["3.0-rc1"]);
    let long = "1.".repeat(200) + "0";
    publish(work, "org.example.Mine", "stable", &[&long]);
    for (at, refs) in [
        (
            "--system",
            &["org.example.Plain//master", "org.example.Two//stable", "org.example.Two//beta"][..],
        ),
        ("--user", &["org.example.Mine//stable"][..]),
    ] {
        flatpak(work, &[at, "remote-add", "--no-gpg-verify", "nearby", text(&repo)]);
        let install = [at, "install", "-y", "--noninteractive", "nearby"];
        flatpak(work, &[&install[..], refs].concat());
    }
    target
}

fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    gaps.map(|gap| [&gap["place"], &gap["reason"], &gap["detail"]].map(text).join(" | ")).collect()
}

/// Name, version, branch, architecture and origin.
fn found(report: &Value) -> Vec<String> {
    let packages = report["assets"][0]["packages"].as_array().expect("packages").iter();
    let row = |it: &Value| {
        let of = |key: &str| it[key].as_str().unwrap_or_default();
        let branch = of("purl").split_once("&branch=").expect("a branch").1;
        [of("name"), of("version"), branch, of("arch"), of("origin")].join("\t")
    };
    let mut rows: Vec<_> = packages.filter(|it| it["ecosystem"] == "flatpak").map(row).collect();
    rows.sort();
    rows
}

fn listed(work: &Path) -> Vec<String> {
    let columns = "--columns=application,version,branch,arch,origin";
    let answer = flatpak(work, &["list", "--all", columns]);
    let mut rows: Vec<_> = answer.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn the_flatpaks_that_flatpak_lists() {
    if !has_flatpak() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let target = install(work.path());
    let (code, report) = scan(&[&target]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
    let expected = listed(work.path());
    assert_eq!((found(&report), expected.len()), (expected, 5));
    let packages = report["assets"][0]["packages"].as_array().expect("packages");
    let two = packages.iter().find(|it| it["version"] == "2.10.38").expect("it");
    let purl = "pkg:generic/flatpak/org.example.Two@2.10.38?arch=x86_64&branch=stable";
    assert_eq!(two["purl"], purl);
    let evidence = "/var/lib/flatpak/app/org.example.Two/x86_64/stable/active/deploy";
    assert_eq!(two["evidence"], serde_json::json!([evidence]));
}

#[test]
fn a_deployment_that_is_damaged_is_known_by_its_folders() {
    if !has_flatpak() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let target = install(work.path());
    let apps = work.path().join("root/var/lib/flatpak/app");
    fs::write(apps.join("org.example.Two/x86_64/stable/active/deploy"), "rubbish").expect("it");
    fs::remove_file(apps.join("org.example.Plain/x86_64/master/active/deploy")).expect("removed");
    let described = apps.join("org.example.Two/x86_64/stable/active/files/share/metainfo");
    fs::create_dir_all(&described).expect("made");
    let releases = "<component><releases><release version='2.11'/></releases></component>";
    fs::write(described.join("org.example.Two.metainfo.xml"), releases).expect("written");
    // What an update that broke off left.
    fs::create_dir_all(apps.join("org.example.Left/x86_64/stable")).expect("made");
    let (code, report) = scan(&[&target]);
    let place = |name: &str| format!("/var/lib/flatpak/app/{name}/active/deploy");
    let expected = [
        format!("{} | missing | not a regular file", place("org.example.Plain/x86_64/master")),
        format!("{} | corrupt | no data of a deployment", place("org.example.Two/x86_64/stable")),
    ];
    assert_eq!((code, gaps(&report)), (3, expected.to_vec()));
    let rows = found(&report);
    assert_eq!(rows.len(), 5);
    assert!(rows.contains(&"org.example.Two\t2.11\tstable\tx86_64\t".to_owned()), "{rows:?}");
    assert!(rows.contains(&"org.example.Plain\t\tmaster\tx86_64\t".to_owned()), "{rows:?}");
}
