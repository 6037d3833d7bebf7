//! npm is the witness: `npm ls --all` of an application that it installed, without a network.

use crate::support::{Names, assert_same, has, names, output, scan};
use serde_json::Value;
use sidelight::model::{Ecosystem, Package, PackageState};
use std::fs;
use std::path::Path;

/// Packs a package; `{}` in its dependencies is the folder of the packed ones.
fn pack(folder: &Path, name: &str, version: &str, dependencies: &str) {
    let source = folder.join("source");
    fs::create_dir_all(source.join("test")).unwrap();
    let dependencies = dependencies.replace("{}", folder.to_str().unwrap());
    let manifest =
        format!(r#"{{"name":"{name}","version":"{version}","dependencies":{{{dependencies}}}}}"#);
    fs::write(source.join("package.json"), manifest).unwrap();
    // No package, though it has a name and a version.
    fs::write(source.join("test/package.json"), r#"{"name":"inner","version":"9.9.9"}"#).unwrap();
    output("npm", &["pack", "--silent", "--pack-destination", folder.to_str().unwrap()], &source);
    fs::remove_dir_all(source).unwrap();
}

fn listed(tree: &Value, into: &mut Names) {
    for (name, package) in tree["dependencies"].as_object().into_iter().flatten() {
        if let Some(version) = package["version"].as_str() {
            into.insert((name.clone(), version.to_owned()));
        }
        listed(package, into);
    }
}

fn of_state(packages: &[Package], state: PackageState) -> Names {
    let wanted: Vec<_> =
        packages.iter().filter(|package| package.state == state).cloned().collect();
    names(&wanted, Ecosystem::Npm)
}

#[test]
fn what_npm_installed_and_locked() {
    if !has("npm") {
        return test_material::skip("no npm; install Debian's nodejs and npm");
    }
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app");
    fs::create_dir(&app).unwrap();
    pack(folder.path(), "b", "1.0.0", "");
    pack(folder.path(), "b", "2.0.0-rc.1", "");
    pack(folder.path(), "@scope/a", "1.2.3", r#""b":"file:{}/b-2.0.0-rc.1.tgz""#);
    let own = r#"{"name":"app","version":"0.0.1","private":true,"dependencies":{"@scope/a":"file:{}/scope-a-1.2.3.tgz","b":"file:{}/b-1.0.0.tgz"}}"#;
    fs::write(app.join("package.json"), own.replace("{}", folder.path().to_str().unwrap()))
        .unwrap();
    let install = [
        "install",
        "--offline",
        "--no-audit",
        "--no-fund",
        "--silent",
        "--install-strategy=hoisted",
    ];
    output("npm", &install, &app);
    let mut expected = Names::new();
    let tree = serde_json::from_str(&output("npm", &["ls", "--all", "--json"], &app)).unwrap();
    listed(&tree, &mut expected);
    assert_eq!(expected.len(), 3);
    for version in ["1", "2", "3"] {
        let lock = [
            "install",
            "--offline",
            "--package-lock-only",
            "--silent",
            "--no-audit",
            "--lockfile-version",
            version,
        ];
        output("npm", &lock, &app);
        let found = scan(&app);
        assert_eq!(found.gaps, []);
        assert_same("npm", &of_state(&found.packages, PackageState::Installed), &expected);
        // The first version has the place of a packed file instead of its version.
        if version != "1" {
            let alone = folder.path().join("locked");
            fs::create_dir_all(&alone).unwrap();
            fs::copy(app.join("package-lock.json"), alone.join("package-lock.json")).unwrap();
            let locked = of_state(&scan(&alone).packages, PackageState::Locked);
            assert_same("package-lock", &locked, &expected);
        }
    }
}

#[test]
fn npm_itself() {
    if !has("npm") {
        return test_material::skip("no npm; install Debian's nodejs and npm");
    }
    let root = output("npm", &["root", "-g"], Path::new("/"));
    let own = Path::new(root.trim()).join("npm");
    if !own.join("node_modules").is_dir() {
        return test_material::skip("npm is not installed with its own packages");
    }
    let mut expected = Names::new();
    let tree = serde_json::from_str(&output("npm", &["ls", "--all", "--json", "--omit=dev"], &own))
        .unwrap();
    listed(&tree, &mut expected);
    let found = scan(&own);
    let mut installed = of_state(&found.packages, PackageState::Installed);
    // npm is the application here, which it does not list.
    installed.retain(|(name, _)| name != "npm");
    assert_same("npm's own packages", &installed, &expected);
}
