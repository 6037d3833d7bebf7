//! Installed packages: `package.json` with a name and a version.
//!
//! Below a `node_modules` (or the `nodejs` folder of Debian) only that of a package's own folder counts, as for
//! `npm ls`: others there are the parts, tests and examples of a package. Elsewhere one counts unless it is
//! `private`, as what was unpacked by hand is known by nothing else (`/opt/yarn-v1.22.22`). An editor's extensions and Unity's packages are
//! not Node's.

use crate::inventory::PathPattern;
use crate::inventory::language::{Collector, Manifest, json, place};
use crate::model::{Ecosystem, PackageState};
use serde_json::value::RawValue;

/// The cataloger.
pub const PACKAGE_JSON: Manifest = Manifest {
    name: "node",
    patterns: &[PathPattern::Named("package.json")],
    takes: is_of_package,
    ecosystem: Ecosystem::Npm,
    state: PackageState::Installed,
    read,
};

const MODULES: &[&[u8]] = &[b"node_modules", b"nodejs"];

/// Whether the file is in a package's own folder, or below no folder of packages.
fn is_of_package(path: &[u8]) -> bool {
    let above = place::folders(path);
    let Some(modules) = above.iter().rposition(|name| MODULES.contains(name)) else { return true };
    match &above[modules + 1..] {
        [name] => !name.starts_with(b"@") && !name.starts_with(b"."),
        [scope, _] => scope.starts_with(b"@"),
        _ => false,
    }
}

fn is_in_modules(path: &[u8]) -> bool {
    place::folders(path).iter().any(|name| MODULES.contains(name))
}

fn read(text: &str, found: &mut Collector) {
    const PATHS: &[&json::Path] =
        &[&["name"], &["version"], &["private"], &["engines", "vscode"], &["unity"]];
    let mut values = [const { None::<String> }; PATHS.len()];
    let mut is_text = true;
    let end = json::each(text, PATHS, &mut |which, _, value: &RawValue| {
        is_text &= !value.get().starts_with('"') || json::string(value).is_some();
        values[which] = json::string(value).or_else(|| (value.get() == "true").then(String::new));
    });
    let [name, version, private, editor, unity] = values;
    let installed = is_in_modules(found.path());
    let other = !installed && (private.is_some() || editor.is_some() || unity.is_some());
    if let (Some(name), Some(version), false) = (name, version, other) {
        super::add(found, &name, &version);
    }
    // Elsewhere the name is anyone's: templates, and tests of what is broken.
    match end {
        Err(error) if installed => found.corrupt(error),
        Ok(()) if installed && !is_text => found.corrupt("a name or version that is no text"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    #[test]
    fn only_a_package_own_folder() {
        for path in [
            "/node_modules/a/package.json",
            "/x/node_modules/@s/a/package.json",
            "/opt/a/package.json",
            "/usr/share/nodejs/a/package.json",
            "/a/node_modules/.pnpm/b@1/node_modules/b/package.json",
        ] {
            assert!(is_of_package(path.as_bytes()), "{path}");
        }
        for path in [
            "/node_modules/package.json",
            "/node_modules/a/lib/package.json",
            "/node_modules/@s/package.json",
            "/node_modules/@s/a/lib/package.json",
            "/node_modules/.cache/package.json",
        ] {
            assert!(!is_of_package(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn names_and_versions() {
        check(
            &PACKAGE_JSON,
            r#"{"name":"@s/a","version":"1.0.0","x":{"name":"b"}}"#,
            &["@s/a 1.0.0"],
        );
        check(&PACKAGE_JSON, r#"{"name":"a","version":"1","private":true}"#, &[]);
        check(&PACKAGE_JSON, r#"{"name":"a","version":"1","private":false}"#, &["a 1"]);
        check(&PACKAGE_JSON, r#"{"name":"a","version":"1","engines":{"vscode":"^1"}}"#, &[]);
        check(&PACKAGE_JSON, r#"{"name":["a"],"version":1}"#, &[]);
        check(&PACKAGE_JSON, r#"{"type":"module"}"#, &[]);
    }

    #[test]
    fn damage() {
        survive_damage(&PACKAGE_JSON, r#"{"name":"a","version":"1.0.0","dependencies":{"b":"1"}}"#);
        let mut found = Collector::new(
            Ecosystem::Npm,
            PackageState::Installed,
            b"/node_modules/a/package.json",
        );
        read(r#"{"name":"a","version":"1","#, &mut found);
        let found = found.into_found();
        assert_eq!((found.found.len(), found.gaps.len()), (1, 1));
        let mut found = Collector::new(
            Ecosystem::Npm,
            PackageState::Installed,
            b"/node_modules/a/package.json",
        );
        read(r#"{"name":"s\ud800x","version":"1.0"}"#, &mut found);
        let found = found.into_found();
        assert_eq!((found.found.len(), found.gaps.len()), (0, 1));
    }
}
