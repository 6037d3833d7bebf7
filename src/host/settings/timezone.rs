//! The time zone: `localtime(5)`, before which distributions wrote files of their own.

use crate::host::Tree;
use crate::host::identity::{assignments, first_line, text};
use crate::model::{Gap, printable};

const LOCALTIME: &[u8] = b"/etc/localtime";
const ZONES: &[u8] = b"zoneinfo/";
/// Longest name of a zone that is taken; the longest there is has 32 letters.
const LONGEST: usize = 64;

/// The name of the zone.
pub fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<String> {
    let target = tree.link_target(LOCALTIME).unwrap_or_else(|error| {
        gaps.push(Gap::new(printable(LOCALTIME), error.reason(), error));
        None
    });
    let zone = target.as_deref().and_then(of_link);
    let zone = zone.or_else(|| first_line(tree, "/etc/timezone", gaps));
    zone.or_else(|| clock(tree, gaps)).filter(|zone| is_zone(zone))
}

/// `Europe/Berlin` of a link into the database of zones.
fn of_link(target: &[u8]) -> Option<String> {
    let at = target.windows(ZONES.len()).position(|window| window == ZONES)?;
    Some(printable(&target[at + ZONES.len()..]))
}

/// As Red Hat's and SUSE's older releases have it.
fn clock(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<String> {
    let text = text(tree, "/etc/sysconfig/clock", gaps)?;
    let named = |name| assignments(&text).find(|(key, _)| key == name).map(|(_, value)| value);
    named("ZONE").or_else(|| named("TIMEZONE"))
}

fn is_zone(zone: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    (1..=LONGEST).contains(&zone.len()) && zone.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn zone(localtime: Option<&str>, files: &[(&str, &str)]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc/sysconfig")).unwrap();
        if let Some(target) = localtime {
            symlink(target, folder.path().join("etc/localtime")).unwrap();
        }
        for (path, content) in files {
            fs::write(folder.path().join(path), content).unwrap();
        }
        find(&Tree::of_directory(folder.path()).unwrap(), &mut Vec::new())
    }

    #[test]
    fn the_link_comes_before_the_files() {
        let debian = [("etc/timezone", "Etc/UTC\n")];
        let berlin = zone(Some("/usr/share/zoneinfo/Europe/Berlin"), &debian);
        assert_eq!(berlin.as_deref(), Some("Europe/Berlin"));
        assert_eq!(zone(Some("../usr/share/zoneinfo/UTC"), &[]).as_deref(), Some("UTC"));
        assert_eq!(zone(None, &debian).as_deref(), Some("Etc/UTC"));
        let old = [("etc/sysconfig/clock", "UTC=true\nZONE=\"America/New_York\"\n")];
        assert_eq!(zone(None, &old).as_deref(), Some("America/New_York"));
        assert_eq!(zone(Some("/usr/share/zoneinfo/a\u{1b}[2J"), &[]), None);
        assert_eq!(zone(Some("/dev/null"), &[]), None);
    }
}
