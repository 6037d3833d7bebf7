//! `cpanfile.snapshot`: below `DISTRIBUTIONS`, each distribution indented by two, what it has by more.

use super::split_dist;
use crate::inventory::PathPattern;
use crate::inventory::language::{Collector, Manifest, place};
use crate::model::{Ecosystem, PackageState};

/// The cataloger.
pub const SNAPSHOT: Manifest = Manifest {
    name: "carton",
    patterns: &[PathPattern::Named("cpanfile.snapshot")],
    takes: place::of_application,
    ecosystem: Ecosystem::Cpan,
    state: PackageState::Locked,
    read,
};

fn read(text: &str, found: &mut Collector) {
    let mut is_inside = false;
    for line in text.lines().map(str::trim_end).filter(|line| !line.starts_with('#')) {
        let dist = line.trim_start();
        match line.len() - dist.len() {
            0 if !dist.is_empty() => is_inside = dist == "DISTRIBUTIONS",
            2 if is_inside => match split_dist(dist) {
                Some((name, version)) => found.add(name, version),
                None => found.corrupt("a line that is no distribution"),
            },
            _ => {}
        }
    }
    if !text.lines().any(|line| line.trim_end() == "DISTRIBUTIONS") {
        found.corrupt("no list of distributions");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const LOCK: &str = "# carton snapshot format: version 1.0\nDISTRIBUTIONS\n  A-B-1.02\n    pathname: X/XY/A-B-1.02.tar.gz\n    provides:\n      A::B 1.02\n    requirements:\n      C 0\n  D-v2.0.0\n    pathname: x\n";

    #[test]
    fn locks() {
        check(&SNAPSHOT, LOCK, &["A-B 1.02", "D v2.0.0"]);
        check(&SNAPSHOT, "DISTRIBUTIONS\n  x\n", &["corrupt"]);
        survive_damage(&SNAPSHOT, LOCK);
    }
}
