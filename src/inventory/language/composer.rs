//! PHP: `vendor/composer/installed.json`, a list (Composer 1) or an object with one (2), and `composer.lock`.

use super::{Collector, Manifest, json, place};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// Installed packages.
pub const INSTALLED: Manifest = Manifest {
    name: "composer",
    patterns: &[PathPattern::Within { folder: "composer", name: "installed.json" }],
    takes: |_| true,
    ecosystem: Ecosystem::Composer,
    state: PackageState::Installed,
    read,
};

/// `composer.lock`.
pub const LOCK: Manifest = Manifest {
    name: "composer-lock",
    patterns: &[PathPattern::Named("composer.lock")],
    takes: |path| {
        place::of_application(path) && !place::folders(path).contains(&b"vendor".as_slice())
    },
    state: PackageState::Locked,
    ..INSTALLED
};

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

fn read(text: &str, found: &mut Collector) {
    const LIST: &[&json::Path] = &[&[json::EACH]];
    const OBJECT: &[&json::Path] = &[&["packages", json::EACH], &["packages-dev", json::EACH]];
    let paths = if text.trim_start().starts_with('[') { LIST } else { OBJECT };
    let end = json::each(text, paths, &mut |_, _, value| match serde_json::from_str::<Package>(
        value.get(),
    ) {
        Ok(Package { name, version }) => {
            let vendor = name.split_once('/').map_or("", |(vendor, _)| vendor);
            found.add_of(&vendor.to_lowercase(), &name, &version);
        }
        Err(error) => found.corrupt(error),
    });
    if let Err(error) = end {
        found.corrupt(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const LIST: &str = r#"[{"name":"a/b","version":"v1.0.0"},{"name":"A/c","version":"2.x-dev"}]"#;
    const LOCK: &str = r#"{"packages":[{"name":"a/b","version":"1.0.0","require":{"name":"x"}},{"name":1}],
        "packages-dev":[{"name":"d","version":"3"}],"aliases":[{"package":"z"}]}"#;

    #[test]
    fn both_formats() {
        check(&INSTALLED, LIST, &["A/c 2.x-dev", "a/b v1.0.0"]);
        check(&INSTALLED, LOCK, &["a/b 1.0.0", "d 3", "corrupt"]);
        assert!(!(LOCK_FILE.takes)(b"/app/vendor/a/b/composer.lock"));
    }

    const LOCK_FILE: Manifest = super::LOCK;

    #[test]
    fn damage() {
        survive_damage(&INSTALLED, LIST);
        survive_damage(&LOCK_FILE, LOCK);
    }
}
