//! Hosts with snaps: images that mksquashfs makes, and what unsquashfs, a YAML library and dpkg say
//! of what is in them.

use crate::directory::root;
use crate::support::{scan, sidelight, tool};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const SNAPS: &str = "var/lib/snapd/snaps";
const HELLO: &str = "name: hello\nversion: '2.10'\nsummary: |\n  name: none\ndescription: x\narchitectures:\n- amd64\nbase: core22\ngrade: stable\n";
const MANIFEST: &str = "snapcraft-version: '7.5'\nsnapcraft-os-release-id: ubuntu\nsnapcraft-os-release-version-id: '22.04'\nname: hello\nparts:\n  hello:\n    plugin: nil\n    stage-packages:\n    - openssl=3.0.2-0ubuntu1.10\n    - left-out=1\nprimed-stage-packages:\n- libc6:i386=2.35-0ubuntu3.1\n- libssl3=3.0.2-0ubuntu1.10\n- 'tzdata=2023c-0ubuntu0.22.04.2'\n";

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Puts a snap of these files onto a host.
fn snap(host: &Path, name: &str, packed: &str, files: &[(&str, &str)]) -> PathBuf {
    let work = tempfile::tempdir().expect("a folder");
    for (path, content) in files {
        let path = work.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }
    fs::create_dir_all(host.join(SNAPS)).expect("made");
    let image = host.join(SNAPS).join(name);
    let fixed = ["-noappend", "-no-progress", "-comp", packed];
    tool("mksquashfs", &[&[text(work.path()), text(&image)], &fixed[..]].concat());
    image
}

fn state(host: &Path, snaps: &[(&str, &str)]) {
    let installed = |(name, revision): &(&str, &str)| {
        let more = r#""type":"app","sequence":[{"revision":"1"}],"active":true"#;
        format!(r#""{name}":{{{more},"current":"{revision}"}}"#)
    };
    let snaps: Vec<_> = snaps.iter().map(installed).collect();
    let text =
        format!(r#"{{"data":{{"auth":{{}},"snaps":{{{}}}}},"changes":{{}}}}"#, snaps.join(","));
    fs::write(host.join("var/lib/snapd/state.json"), text).expect("written");
}

fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    gaps.map(|gap| [&gap["place"], &gap["reason"], &gap["detail"]].map(text).join(" | ")).collect()
}

fn packages(report: &Value) -> &[Value] {
    report["assets"][0]["packages"].as_array().expect("packages")
}

/// Fields of the packages of one origin, or of the snaps, as lines.
fn rows(report: &Value, origin: Option<&str>, keys: &[&str]) -> Vec<String> {
    let wanted = |it: &&Value| match origin {
        Some(origin) => it["origin"] == origin && it["ecosystem"] == "deb",
        None => it["ecosystem"] == "snap",
    };
    let row = |it: &Value| {
        let fields: Vec<_> = keys.iter().map(|key| it[key].as_str().expect("text")).collect();
        fields.join("\t")
    };
    let mut rows: Vec<_> = packages(report).iter().filter(wanted).map(row).collect();
    rows.sort();
    rows
}

/// What the YAML library says of a file in an image.
fn by_yaml(python: &Path, verb: &str, image: &Path, path: &str) -> Vec<String> {
    let work = tempfile::tempdir().expect("a folder");
    let file = work.path().join("file");
    fs::write(&file, tool("unsquashfs", &["-cat", text(image), path])).expect("written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scan/snap/rows.py");
    let answer = tool(text(python), &[text(&script), verb, text(&file)]);
    answer.lines().map(str::to_owned).collect()
}

#[test]
fn the_current_revisions_and_what_is_in_them() {
    let Some(python) = test_material::python() else { return };
    for packed in ["xz", "lzo", "gzip", "zstd"] {
        let work = tempfile::tempdir().expect("a folder");
        let target = root(work.path());
        let files = [("meta/snap.yaml", HELLO), ("snap/manifest.yaml", MANIFEST)];
        let hello = snap(work.path(), "hello_42.snap", packed, &files);
        let old = HELLO.replace("2.10", "2.9");
        snap(work.path(), "hello_41.snap", packed, &[("meta/snap.yaml", &old)]);
        let second = HELLO.replace("2.10", "2.8");
        snap(work.path(), "hello_two_x1.snap", packed, &[("meta/snap.yaml", &second)]);
        state(work.path(), &[("hello", "42"), ("hello_two", "x1")]);
        let (code, report) = scan(&[&target]);
        assert_eq!((code, gaps(&report)), (0, Vec::new()), "{packed}");
        let mut expected = by_yaml(&python, "meta", &hello, "meta/snap.yaml");
        expected.insert(0, expected[0].replace("2.10", "2.8"));
        expected.sort();
        assert_eq!(rows(&report, None, &["name", "version", "arch"]), expected);
        let mut expected = by_yaml(&python, "debs", &hello, "snap/manifest.yaml");
        expected[0] = expected[0].replace(":i386", "");
        assert_eq!(rows(&report, Some("snap:hello"), &["name", "version"]), expected);
        assert_eq!(expected.len(), 3);
    }
}

#[test]
fn what_is_known_of_a_snap_and_of_a_package_in_it() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let files = [("meta/snap.yaml", HELLO), ("snap/manifest.yaml", MANIFEST)];
    snap(work.path(), "hello_42.snap", "xz", &files);
    let (_, report) = scan(&[&target]);
    let of = |name: &str| packages(&report).iter().find(|it| it["name"] == name).expect("it");
    assert_eq!(of("hello")["purl"], "pkg:generic/snap/hello@2.10?arch=amd64");
    let inside = |file: &str| serde_json::json!([format!("/{SNAPS}/hello_42.snap!{file}")]);
    assert_eq!(of("hello")["evidence"], inside("meta/snap.yaml"));
    let purl = "pkg:deb/ubuntu/libc6@2.35-0ubuntu3.1?arch=i386&distro=ubuntu-22.04";
    assert_eq!((&of("libc6")["purl"], &of("libc6")["arch"]), (&purl.into(), &"i386".into()));
    assert_eq!(of("libssl3")["evidence"], inside("snap/manifest.yaml"));
    assert_eq!(of("libssl3")["arch"], "amd64");
}

/// This machine's own packages, as the list of a base.
#[test]
fn a_base_has_the_packages_that_dpkg_printed() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let printed = tool("env", &["COLUMNS=300", "LC_ALL=C", "dpkg", "-l"]);
    let meta = "name: core22\nversion: 20240111\ntype: base\narchitectures: [amd64]\n";
    let files = [("meta/snap.yaml", meta), ("usr/share/snappy/dpkg.list", printed.as_str())];
    snap(work.path(), "core22_1122.snap", "xz", &files);
    state(work.path(), &[("core22", "1122")]);
    let (code, report) = scan(&[&target]);
    assert_eq!((code, gaps(&report)), (0, Vec::new()));
    let format = "--showformat=${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\n";
    let answer = tool("dpkg-query", &["--show", format]);
    let installed = answer.lines().filter(|line| line.as_bytes()[1] == b'i');
    let installed = installed.filter_map(|line| line.split_once('\t'));
    let mut expected: Vec<_> = installed.map(|(_, rest)| rest.to_owned()).collect();
    expected.sort();
    assert!(expected.len() > 100);
    let found = rows(&report, Some("snap:core22"), &["name", "version", "arch"]);
    assert_eq!(found, expected);
    let adduser = packages(&report).iter().find(|it| it["name"] == "adduser").expect("it");
    assert!(adduser["purl"].as_str().expect("it").ends_with("distro=ubuntu-22.04"));
}

#[test]
fn real_descriptions_of_snaps() {
    let Some(shared) = test_material::shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let archive = shared.join("data/fixtures.tar.zst");
    let into = ["-C", text(folder.path()), "--wildcards", "*/snap/testdata/*"];
    tool("tar", &[&["--zstd", "-xf", text(&archive)], &into[..]].concat());
    let folder = folder.path().join("fixtures/os-scalibr/snap/testdata");
    let told = "corrupt | no name or no version of the snap";
    for (file, row, gap) in [
        ("single-arch.yaml", Some("core\t16-2.61.4-20240607\tamd64"), None),
        ("multi-arch.yaml", Some("core\t16-2.61.4-20240607\tamd64,arm64"), None),
        ("missing-name.yaml", None, Some(told)),
        ("missing-version.yaml", None, Some(told)),
        ("invalid", None, Some(told)),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        let target = root(work.path());
        let meta = fs::read_to_string(folder.join(file)).expect("read");
        snap(work.path(), "core_1.snap", "xz", &[("meta/snap.yaml", &meta)]);
        let (_, report) = scan(&[&target]);
        let expected: Vec<_> = row.into_iter().collect();
        assert_eq!(rows(&report, None, &["name", "version", "arch"]), expected, "{file}");
        let gap = gap.map(|told| format!("/{SNAPS}/core_1.snap!meta/snap.yaml | {told}"));
        assert_eq!(gaps(&report), gap.into_iter().collect::<Vec<_>>(), "{file}");
    }
}

#[test]
fn what_cannot_be_read_of_snaps_is_told() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(work.path());
    let hello = snap(work.path(), "hello_1.snap", "xz", &[("meta/snap.yaml", HELLO)]);
    let whole = fs::read(&hello).expect("read");
    let place = work.path().join(SNAPS);
    fs::write(place.join("cut_1.snap"), &whole[..200]).expect("written");
    fs::write(place.join("none_1.snap"), "none").expect("written");
    fs::write(place.join("waiting.snap.part"), "none").expect("written");
    snap(work.path(), "bare_1.snap", "xz", &[("meta/other", "x")]);
    fs::write(work.path().join("var/lib/snapd/state.json"), "{\"data\":").expect("written");
    let (code, report) = scan(&[&target]);
    assert_eq!((code, rows(&report, None, &["name"])), (3, vec!["hello".to_owned()]));
    let places: Vec<_> = gaps(&report)
        .iter()
        .map(|gap| gap.splitn(3, " | ").take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let of = |name: &str| format!("/{SNAPS}/{name}");
    let told = [
        of("bare_1.snap!meta/snap.yaml missing"),
        of("cut_1.snap!meta/snap.yaml corrupt"),
        of("none_1.snap corrupt"),
        "/var/lib/snapd/state.json corrupt".to_owned(),
    ];
    assert_eq!(places, told, "{:?}", gaps(&report));
    state(work.path(), &[("hello", "2")]);
    let told = format!("/{SNAPS} | missing | snap hello, revision 2: no such image");
    assert_eq!(gaps(&scan(&[&target]).1), [told]);
}

/// A fault of the host's own openssl is not held against that of a snap.
#[test]
fn packages_inside_a_snap_are_not_matched_as_the_hosts_own() {
    let work = tempfile::tempdir().expect("a folder");
    let target = root(&work.path().join("root"));
    let manifest = "primed-stage-packages:\n- good=0.1\n";
    let files = [("meta/snap.yaml", HELLO), ("snap/manifest.yaml", manifest)];
    snap(&work.path().join("root"), "hello_1.snap", "xz", &files);
    let fault = r#"{"good":{"CVE-2024-0001":{"releases":{"bookworm":{"status":"resolved","fixed_version":"2.0","urgency":"medium","repositories":{"bookworm":"2.0"}}}}}}"#;
    let (tracker, store) = (work.path().join("tracker"), work.path().join("store"));
    fs::write(&tracker, fault).expect("written");
    let import = ["feeds", "import", "--feed", "debian", text(&tracker), "--advisories"];
    let output = sidelight(&[&import[..], &[text(&store)]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let target = target.to_str().expect("UTF-8");
    let output = sidelight(&["scan", target, "--format", "json", "--advisories", text(&store)]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = report["assets"][0]["findings"].as_array().expect("findings");
    let purls: Vec<_> = findings.iter().map(|it| it["purl"].as_str().expect("a purl")).collect();
    assert_eq!(purls, ["pkg:deb/debian/good@1.0-1?arch=amd64&distro=debian-12"]);
    let told = gaps(&report);
    assert!(
        told.iter().any(|gap| gap.contains("no_vendor_data") && gap.contains("good")),
        "{told:?}"
    );
}
