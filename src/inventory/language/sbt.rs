//! Scala: `build.sbt.lock`, as sbt-dependency-lock writes it: `dependencies` with `org`, `name` and `version`.

use super::{Collector, Manifest, json, place};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use serde::Deserialize;

/// The cataloger.
pub const BUILD_SBT_LOCK: Manifest = Manifest {
    name: "sbt",
    patterns: &[PathPattern::Named("build.sbt.lock")],
    takes: place::of_application,
    ecosystem: Ecosystem::Maven,
    state: PackageState::Locked,
    read,
};

#[derive(Deserialize)]
struct Dependency {
    org: String,
    name: String,
    version: String,
}

fn read(text: &str, found: &mut Collector) {
    let path: &json::Path = &["dependencies", json::EACH];
    let end =
        json::each(text, &[path], &mut |_, _, value| match serde_json::from_str::<Dependency>(
            value.get(),
        ) {
            Ok(it) => found.add_of(&it.org, &format!("{}:{}", it.org, it.name), &it.version),
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

    const LOCK: &str = r#"{"lockVersion":1,"configurations":["compile"],"dependencies":[
        {"org":"com.fasterxml.jackson.core","name":"jackson-databind","version":"2.9.1","artifacts":[{"name":"x.jar"}]},
        {"org":"a"}]}"#;

    #[test]
    fn locks() {
        let databind = "com.fasterxml.jackson.core:jackson-databind 2.9.1";
        check(&BUILD_SBT_LOCK, LOCK, &[databind, "corrupt"]);
    }

    #[test]
    fn damage() {
        survive_damage(&BUILD_SBT_LOCK, LOCK);
    }
}
