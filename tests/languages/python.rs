//! pip is the witness: `pip list` of a folder that it installed into.

use crate::support::{Names, assert_same, names, output, scan};
use sidelight::model::Ecosystem;
use std::fs;
use std::path::Path;

/// A wheel of one module, written with Python's own zip; pip reads nothing else of it.
const WHEEL: &str = r#"
import sys, zipfile
name, version, metadata = sys.argv[1:4]
file = name.replace("-", "_").replace(".", "_")
info = f"{file}-{version}.dist-info"
with zipfile.ZipFile(f"{file}-{version}-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{file}.py", "")
    wheel.writestr(f"{info}/METADATA", metadata.encode().decode("unicode_escape"))
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{info}/RECORD", "")
"#;

fn listed(python: &Path, arguments: &[&str], folder: &Path) -> Names {
    let list = [&["-m", "pip", "list", "--format", "json"], arguments].concat();
    let json: serde_json::Value = serde_json::from_str(&output(python, &list, folder)).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let packages = json.as_array().unwrap().iter();
    packages.map(|package| (text(&package["name"]), text(&package["version"]))).collect()
}

#[test]
fn what_pip_installed_into_a_folder() {
    let Some(python) = test_material::python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    for (name, version, metadata) in [
        ("plain", "1.0", "Metadata-Version: 2.1\\nName: plain\\nVersion: 1.0\\n"),
        (
            "Zope.Interface",
            "5.0.post1",
            "Metadata-Version: 2.1\\r\\nName: Zope.Interface\\r\\nVersion: 5.0.post1\\r\\nSummary: a\\r\\n b\\r\\n\\r\\nVersion: 9\\r\\n",
        ),
        (
            "local",
            "1!2.0+deb.1",
            "Metadata-Version: 2.1\\nName: local\\nVersion: 1!2.0+deb.1\\nAuthor: \\u00e9\\n",
        ),
    ] {
        output(&python, &["-c", WHEEL, name, version, metadata], folder.path());
        let pip = [
            "-m",
            "pip",
            "install",
            "-q",
            "--no-index",
            "--no-deps",
            "--target",
            "target",
            "--find-links",
            ".",
            name,
        ];
        output(&python, &pip, folder.path());
    }
    // What setuptools left before there were wheels, and what pip leaves when it is stopped.
    fs::write(
        target.join("Old_One-1.2.egg-info"),
        "Metadata-Version: 1.0\nName: Old-One\nVersion: 1.2\n",
    )
    .unwrap();
    fs::create_dir(target.join("older.egg-info")).unwrap();
    fs::write(
        target.join("older.egg-info/PKG-INFO"),
        "Metadata-Version: 1.0\nName: older\nVersion: 0.1.dev0\n",
    )
    .unwrap();
    fs::create_dir(target.join("~lain-0.9.dist-info")).unwrap();
    fs::write(target.join("~lain-0.9.dist-info/METADATA"), "Name: plain\nVersion: 0.9\n").unwrap();
    let found = scan(&target);
    assert_eq!(found.gaps, []);
    let expected = listed(&python, &["--path", "target"], folder.path());
    assert_eq!(expected.len(), 5);
    assert_same("pip --target", &names(&found.packages, Ecosystem::Pypi), &expected);
}

#[test]
fn a_whole_environment() {
    let Some(python) = test_material::python() else { return };
    let venv = python.parent().unwrap().parent().unwrap();
    let found = scan(&venv.join("lib"));
    assert_eq!(found.gaps, []);
    // Packages bring along others of their own, which pip does not list.
    let own = found
        .packages
        .into_iter()
        .filter(|package| !package.evidence.iter().any(|path| path.contains("/_vendor/")));
    let own: Vec<_> = own.collect();
    assert_same("venv", &names(&own, Ecosystem::Pypi), &listed(&python, &[], venv));
}
