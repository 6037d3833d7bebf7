//! Gradle: `gradle.lockfile` and `buildscript-gradle.lockfile`, a line `group:artifact:version=configurations` for each package.

use super::{Collector, Manifest, place};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};

/// The cataloger.
pub const LOCKFILE: Manifest = Manifest {
    name: "gradle",
    patterns: &[PathPattern::Ending("gradle.lockfile")],
    takes: place::of_application,
    ecosystem: Ecosystem::Maven,
    state: PackageState::Locked,
    read,
};

fn read(text: &str, found: &mut Collector) {
    for line in
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let package = line.split('=').next().unwrap_or_default();
        match package.split(':').collect::<Vec<_>>().as_slice() {
            [group, artifact, version] => {
                found.add_of(group, &format!("{group}:{artifact}"), version);
            }
            // Configurations without packages.
            ["empty"] => {}
            _ => found.corrupt("a line that is no package"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const LOCK: &str = "# This is a Gradle generated file\na.b:c:1.0=compileClasspath,runtimeClasspath\nd:e-f:2.0.RELEASE=x\nempty=annotationProcessor\n";

    #[test]
    fn locks() {
        check(&LOCKFILE, LOCK, &["a.b:c 1.0", "d:e-f 2.0.RELEASE"]);
        check(&LOCKFILE, "rubbish\na:b:1\n", &["a:b 1", "corrupt"]);
    }

    #[test]
    fn damage() {
        survive_damage(&LOCKFILE, LOCK);
    }
}
