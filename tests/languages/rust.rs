//! cargo is the witness: `cargo metadata` of what it locked.

use crate::support::{Names, assert_same, names, output, scan};
use sidelight::model::Ecosystem;
use std::fs;

#[test]
fn what_cargo_locked() {
    let folder = tempfile::tempdir().unwrap();
    for (name, version, dependencies) in [
        (
            "app",
            "0.1.0",
            "with-dash = { path = \"../with-dash\" }\nunder_score = { path = \"../under_score\" }\n",
        ),
        ("with-dash", "1.0.0-rc.1+build.5", "under_score = { path = \"../under_score\" }\n"),
        ("under_score", "2.3.4", ""),
    ] {
        let package = folder.path().join(name);
        fs::create_dir_all(package.join("src")).unwrap();
        fs::write(package.join("src/lib.rs"), "").unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\n[dependencies]\n{dependencies}"
        );
        fs::write(package.join("Cargo.toml"), manifest).unwrap();
    }
    let app = folder.path().join("app");
    output(env!("CARGO"), &["generate-lockfile", "--offline"], &app);
    let json = output(env!("CARGO"), &["metadata", "--format-version", "1", "--offline"], &app);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let packages = json["packages"].as_array().unwrap().iter();
    let expected: Names = packages.map(|it| (text(&it["name"]), text(&it["version"]))).collect();
    assert_eq!(expected.len(), 3);
    let found = scan(&app);
    assert_eq!(found.gaps, []);
    assert_same("cargo", &names(&found.packages, Ecosystem::Cargo), &expected);
}
