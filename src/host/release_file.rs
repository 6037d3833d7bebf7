//! The operating system of hosts from before `os-release` (Red Hat Enterprise Linux 5 and 6, their
//! rebuilds, SUSE 11), by the one line that each of them writes: `NAME release VERSION (CODENAME)`.
//!
//! A rebuild has the files of what it was built from too, some with the original's name: the file
//! that is the rebuild's own is asked first.

use super::Tree;
use super::identity::{first_line, text};
use crate::model::{Gap, Os};

/// The rebuild's own files first.
const FILES: [&str; 5] = [
    "/etc/oracle-release",
    "/etc/centos-release",
    "/etc/system-release",
    "/etc/redhat-release",
    SUSE,
];
const SUSE: &str = "/etc/SuSE-release";

/// How a line starts, and the `ID` that later releases of the same system have in `os-release`.
const NAMES: &[(&str, &str)] = &[
    ("Red Hat Enterprise Linux", "rhel"),
    ("CentOS", "centos"),
    ("Oracle Linux", "ol"),
    ("Enterprise Linux Enterprise Linux", "ol"),
    ("Amazon Linux", "amzn"),
    ("Fedora", "fedora"),
    ("Rocky Linux", "rocky"),
    ("AlmaLinux", "almalinux"),
    ("CloudLinux", "cloudlinux"),
    ("Scientific Linux", "scientific"),
    ("SUSE Linux Enterprise Desktop", "sled"),
    ("SUSE Linux Enterprise", "sles"),
    ("openSUSE", "opensuse"),
];

/// What the first of the files says.
pub(super) fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<Os> {
    let (path, line) =
        FILES.iter().find_map(|path| Some((*path, first_line(tree, path, gaps)?)))?;
    let mut os = parse(line);
    if path == SUSE
        && let Some(level) = text(tree, SUSE, gaps).as_deref().and_then(patch_level)
    {
        os.version_id = format!("{}.{level}", os.version_id);
    }
    Some(os)
}

fn parse(line: String) -> Os {
    let number =
        line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let version_id = number.unwrap_or_default().to_owned();
    let known = NAMES.iter().find(|(name, _)| line.starts_with(name));
    let (id, id_like) = match known {
        Some((_, id)) => ((*id).to_owned(), Vec::new()),
        None => (first_word(&line), vec!["rhel".to_owned()]),
    };
    Os { id, id_like, version_id, pretty_name: line, ..Os::default() }
}

/// The name of a rebuild that is not known, as an `ID` is written.
fn first_word(line: &str) -> String {
    let letters = line.chars().take_while(char::is_ascii_alphanumeric);
    let word = letters.collect::<String>().to_ascii_lowercase();
    if word.is_empty() { "linux".to_owned() } else { word }
}

/// `PATCHLEVEL = 4` is what later releases write as the second part of their version.
fn patch_level(text: &str) -> Option<u32> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let level = pairs.filter(|(key, _)| key.trim() == "PATCHLEVEL").map(|(_, level)| level.trim());
    level.filter_map(|level| level.parse().ok()).find(|level| *level > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_real_releases() {
        for (line, id, version) in [
            ("Red Hat Enterprise Linux Server release 6.10 (Santiago)", "rhel", "6.10"),
            ("Red Hat Enterprise Linux release 8.0 (Ootpa)", "rhel", "8.0"),
            ("CentOS release 6.10 (Final)", "centos", "6.10"),
            ("CentOS Linux release 7.9.2009 (Core)", "centos", "7.9.2009"),
            ("Oracle Linux Server release 6.10", "ol", "6.10"),
            ("Enterprise Linux Enterprise Linux Server release 5.5 (Carthage)", "ol", "5.5"),
            ("Amazon Linux AMI release 2018.03", "amzn", "2018.03"),
            ("Amazon Linux release 2 (Karoo)", "amzn", "2"),
            ("Fedora release 14 (Laughlin)", "fedora", "14"),
            ("Scientific Linux release 6.10 (Carbon)", "scientific", "6.10"),
            ("SUSE Linux Enterprise Server 11 (x86_64)", "sles", "11"),
            ("Springdale Linux release 6.10 (Pisa)", "springdale", "6.10"),
        ] {
            let os = parse(line.to_owned());
            assert_eq!((os.id.as_str(), os.version_id.as_str()), (id, version));
            assert_eq!(os.pretty_name, line);
        }
    }

    #[test]
    fn the_patch_level_of_suse() {
        let of = |level| patch_level(&format!("SUSE 11\nVERSION = 11\nPATCHLEVEL = {level}\n"));
        assert_eq!((of("4"), of("0"), of("x")), (Some(4), None, None));
    }
}
