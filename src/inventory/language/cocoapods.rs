//! CocoaPods: `Podfile.lock`, line by line: below `PODS:`, indented by two, `- NAME (VERSION)`, in quotes where YAML needs
//! them; what each needs is indented more. A part of a pod, `NAME/PART`, is of the pod's version and counts as the pod.

use super::{Collector, Manifest, place};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};

/// The cataloger.
pub const PODFILE_LOCK: Manifest = Manifest {
    name: "cocoapods",
    patterns: &[PathPattern::Named("Podfile.lock")],
    // Below `Pods` are the sources of what was locked.
    takes: |path| {
        place::of_application(path) && !place::folders(path).contains(&b"Pods".as_slice())
    },
    ecosystem: Ecosystem::Cocoapods,
    state: PackageState::Locked,
    read,
};

fn read(text: &str, found: &mut Collector) {
    let (mut is_lock, mut is_inside) = (false, false);
    for line in text.lines().map(str::trim_end) {
        if line.starts_with(|it: char| !it.is_whitespace()) {
            is_inside = line == "PODS:";
            is_lock |= line.starts_with("PODS:") || line.starts_with("COCOAPODS:");
        } else if let Some(item) = line.strip_prefix("  - ").filter(|_| is_inside) {
            match pod(item) {
                Some((name, version)) => found.add(name, version),
                None => found.corrupt("a line that is no pod"),
            }
        }
    }
    if !is_lock {
        found.corrupt("no list of pods");
    }
}

fn pod(item: &str) -> Option<(&str, &str)> {
    let item = item.trim_end_matches(':').trim_matches('"');
    let (name, version) = item.strip_suffix(')')?.split_once(" (")?;
    let name = name.split('/').next()?;
    (!name.is_empty() && !version.is_empty()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const LOCK: &str = "PODS:\n  - AppCenter (4.2.0):\n    - AppCenter/Analytics (= 4.2.0)\n  - AppCenter/Analytics (4.2.0):\n    - AppCenter/Core\n  - \"GoogleUtilities/NSData+zlib (7.5.2)\"\n  - KeychainAccess (4.2.1)\n\nDEPENDENCIES:\n  - AppCenter (= 4.2.0)\n\nCOCOAPODS: 1.11.2\n";

    #[test]
    fn locks() {
        let expected = ["AppCenter 4.2.0", "GoogleUtilities 7.5.2", "KeychainAccess 4.2.1"];
        check(&PODFILE_LOCK, LOCK, &expected);
        check(&PODFILE_LOCK, "PODS: []\n", &[]);
        check(&PODFILE_LOCK, "PODS:\n  - a\n  - b (1)\n", &["b 1", "corrupt"]);
        check(&PODFILE_LOCK, "rubbish", &["corrupt"]);
    }

    #[test]
    fn damage() {
        survive_damage(&PODFILE_LOCK, LOCK);
    }
}
