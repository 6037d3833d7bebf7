//! Until when a host's system is supported: which release it is, a table of the dates of many
//! (`end_of_life.tsv`, which names its sources), and what they mean on a day.

use super::ubuntu_pro;
use crate::model::{EndOfLife, Extended, HostContext, Os, Support, SupportCycle};
use jiff::civil::Date;

const TABLE: &str = include_str!("end_of_life.tsv");
/// Systems whose releases are told by the first number of their version.
const MAJOR: [&str; 7] = ["debian", "rhel", "rocky", "almalinux", "centos", "ol", "fedora"];

/// The last minor releases of Red Hat Enterprise Linux, which end with their system. Others end earlier, and when
/// depends on the support that was bought: tables have no dates of them.
const LAST_MINOR: [&str; 3] = ["6.10", "7.9", "8.10"];

/// The dates of a release, and who says them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The dates.
    pub cycle: SupportCycle,
    /// Who says so.
    pub source: String,
    /// Of when that is, as `2026-04-25`.
    pub date: String,
}

/// The system and release of a host that tables have dates of, in their words. One that is held at a minor
/// release of Red Hat's gets what that one gets.
pub fn release(host: &HostContext) -> Option<(String, String)> {
    let (id, release) = release_of(&host.os)?;
    let held = host.update_stream.iter().find_map(|stream| stream.release.clone());
    let held = held.filter(|it| id == "rhel" && !LAST_MINOR.contains(&it.as_str()));
    Some((id, held.unwrap_or(release)))
}

fn release_of(os: &Os) -> Option<(String, String)> {
    let id = match os.id.as_str() {
        "centos" if os.pretty_name.starts_with("CentOS Stream") => "centos-stream",
        "windows" => return Some(("windows-server".to_owned(), windows_server(&os.pretty_name)?)),
        "sles_sap" => "sles",
        "opensuse" => "opensuse-leap",
        id => id,
    };
    if is_rolling(os) {
        return None;
    }
    let numbers = match id {
        id if MAJOR.contains(&id) || id == "centos-stream" => 1,
        "alpine" | "ubuntu" | "opensuse-leap" | "sles" => 2,
        _ => usize::MAX,
    };
    let release: Vec<&str> = os.version_id.split('.').take(numbers).collect();
    (!os.version_id.is_empty()).then(|| (id.to_owned(), release.join(".")))
}

/// Alpine's edge and Fedora's rawhide are numbered after the release that they will be.
fn is_rolling(os: &Os) -> bool {
    let is_called = |word: &str| {
        let mut words = os.pretty_name.split(|it: char| !it.is_alphanumeric());
        os.codename.as_deref() == Some(word) || words.any(|it| it.eq_ignore_ascii_case(word))
    };
    match os.id.as_str() {
        "alpine" => os.version_id.contains("_alpha") || is_called("edge"),
        "fedora" => is_called("rawhide"),
        _ => false,
    }
}

/// `2012-r2` of `Windows Server 2012 R2 Standard`.
fn windows_server(name: &str) -> Option<String> {
    let mut words = name.strip_prefix("Windows Server ")?.split(' ');
    let year = words.next().filter(|word| word.len() == 4 && word.parse::<u16>().is_ok())?;
    Some(if words.next() == Some("R2") { format!("{year}-r2") } else { year.to_owned() })
}

/// What the table of this program says of a release.
pub fn built_in(os: &str, release: &str) -> Option<Known> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(row);
    let mut rows = rows.filter(|known| known.cycle.os == os && known.cycle.release == release);
    rows.next()
}

fn row(line: &str) -> Option<Known> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [os, release, _, full, end, extended, name, source, date] = cells[..] else { return None };
    let there = |cell: &str| (cell != "-").then(|| cell.to_owned());
    let cycle = SupportCycle {
        os: os.to_owned(),
        release: release.to_owned(),
        full: there(full),
        end: end.to_owned(),
        extended: there(name).zip(there(extended)),
    };
    Some(Known { cycle, source: source.to_owned(), date: date.to_owned() })
}

/// What the dates mean for a host today; none if one of them is no date. Ubuntu's extended support is for those who
/// have Ubuntu Pro.
pub fn of_host(host: &HostContext, known: Known, today: Date) -> Option<EndOfLife> {
    let mut found = on(known, today)?;
    let lacks_it = host.os.id == "ubuntu" && !ubuntu_pro::has_esm(host.ubuntu_pro.as_ref(), today);
    if found.support == Support::Extended && lacks_it {
        found.support = Support::Ended;
    }
    Some(found)
}

/// What the dates mean on a day.
fn on(known: Known, today: Date) -> Option<EndOfLife> {
    let SupportCycle { full, end, extended, .. } = known.cycle;
    let days_left = days(&end, today)?;
    let extended = match extended {
        Some((name, date)) => Some(Extended { days_left: days(&date, today)?, name, date }),
        None => None,
    };
    let is_full = match &full {
        Some(full) => days(full, today)? >= 0,
        None => true,
    };
    let support = match &extended {
        _ if days_left >= 0 && is_full => Support::Full,
        _ if days_left >= 0 => Support::Maintenance,
        Some(extended) if extended.days_left >= 0 => Support::Extended,
        _ => Support::Ended,
    };
    let (source, source_date) = (known.source, known.date);
    let full_support = full;
    Some(EndOfLife { date: end, days_left, support, full_support, extended, source, source_date })
}

fn days(date: &str, today: Date) -> Option<i64> {
    let date: Date = date.parse().ok()?;
    Some(i64::from(today.until(date).ok()?.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{UbuntuPro, UpdateStream};
    use jiff::civil::date;
    use std::collections::BTreeSet;

    fn os(id: &str, version_id: &str, pretty_name: &str) -> Os {
        let [id, version_id, pretty_name] = [id, version_id, pretty_name].map(str::to_owned);
        Os { id, version_id, pretty_name, ..Os::default() }
    }

    #[test]
    fn releases_in_the_words_of_tables() {
        for (id, version, name, expected) in [
            ("debian", "12", "Debian GNU/Linux 12 (bookworm)", Some("debian 12")),
            ("ubuntu", "22.04", "Ubuntu 22.04.4 LTS", Some("ubuntu 22.04")),
            ("rhel", "9.4", "Red Hat Enterprise Linux 9.4 (Plow)", Some("rhel 9")),
            ("centos", "7.9.2009", "CentOS Linux release 7.9.2009 (Core)", Some("centos 7")),
            ("centos", "9", "CentOS Stream 9", Some("centos-stream 9")),
            ("amzn", "2018.03", "Amazon Linux AMI 2018.03", Some("amzn 2018.03")),
            ("alpine", "3.19.1", "Alpine Linux v3.19", Some("alpine 3.19")),
            ("sles", "15.5", "SUSE Linux Enterprise Server 15 SP5", Some("sles 15.5")),
            (
                "windows",
                "9600.1",
                "Windows Server 2012 R2 Standard",
                Some("windows-server 2012-r2"),
            ),
            ("windows", "17763.1", "Windows Server 2019 Datacenter", Some("windows-server 2019")),
            ("windows", "19045.1", "Windows 10 Pro 22H2", None),
            ("windows", "17134.1", "Windows Server Datacenter 1803", None),
            ("debian", "", "Debian GNU/Linux trixie/sid", None),
            ("alpine", "3.22.0_alpha20250108", "Alpine Linux edge", None),
            ("alpine", "3.22.0_alpha20250108", "", None),
            ("fedora", "44", "Fedora Linux 44 (Rawhide Prerelease)", None),
            ("fedora", "44", "Fedora Linux 44 (Server Edition)", Some("fedora 44")),
            ("arch", "", "Arch Linux", None),
        ] {
            let found = release_of(&os(id, version, name));
            let found = found.map(|(os, release)| format!("{os} {release}"));
            assert_eq!(found.as_deref(), expected, "{name}");
        }
    }

    /// Every row is whole, its dates are dates in order, and no release has two.
    #[test]
    fn the_table_is_sound() {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
        let mut seen = BTreeSet::new();
        for line in rows {
            let known = row(line).unwrap_or_else(|| panic!("{line}"));
            let SupportCycle { os, release, full, end, extended } = known.cycle.clone();
            assert!(seen.insert((os, release)), "{line}");
            let of = |date: &str| date.parse::<Date>().unwrap_or_else(|_| panic!("{line}"));
            assert!(full.is_none_or(|full| of(&full) <= of(&end)), "{line}");
            assert!(extended.is_none_or(|(_, extended)| of(&end) <= of(&extended)), "{line}");
            assert!(on(known, date(2026, 1, 1)).is_some(), "{line}");
        }
        assert_eq!(seen.len(), 135);
    }

    #[track_caller]
    fn check(release: (&str, &str), today: Date, days_left: i64, support: Support) {
        let found = on(built_in(release.0, release.1).expect("known"), today).expect("dates");
        assert_eq!((found.days_left, found.support), (days_left, support));
    }

    /// Days as `date -d` and Python's datetime count them.
    #[test]
    fn support_on_a_day() {
        check(("debian", "12"), date(2026, 7, 11), 0, Support::Full);
        check(("debian", "12"), date(2026, 7, 12), -1, Support::Extended);
        check(("debian", "12"), date(2028, 7, 1), -721, Support::Ended);
        check(("rhel", "9"), date(2027, 6, 1), 1826, Support::Maintenance);
        check(("fedora", "40"), date(2025, 5, 14), -1, Support::Ended);
        assert_eq!(built_in("debian", "99"), None);
    }

    #[test]
    fn what_only_its_codename_calls_rawhide() {
        let mut os = os("fedora", "44", "Fedora Linux 44 (Server Edition Prerelease)");
        os.codename = Some("rawhide".to_owned());
        assert_eq!(release_of(&os), None);
    }

    #[test]
    fn a_minor_release_that_a_host_is_held_at_is_not_the_whole_system() {
        for (held, expected) in [(None, "9"), (Some("9.2"), "9.2"), (Some("8.10"), "9")] {
            let stream =
                UpdateStream { release: held.map(str::to_owned), ..UpdateStream::default() };
            let os = os("rhel", "9.2", "Red Hat Enterprise Linux 9.2 (Plow)");
            let host = HostContext { os, update_stream: Some(stream), ..HostContext::default() };
            assert_eq!(release(&host), Some(("rhel".to_owned(), expected.to_owned())));
        }
        assert_eq!(built_in("rhel", "9.2"), None);
    }

    #[test]
    fn extended_support_of_ubuntu_is_for_those_who_have_pro() {
        let on_day = |pro: Option<UbuntuPro>| {
            let os = os("ubuntu", "20.04", "Ubuntu 20.04.6 LTS");
            let host = HostContext { os, ubuntu_pro: pro, ..HostContext::default() };
            let known = built_in("ubuntu", "20.04").expect("known");
            of_host(&host, known, date(2026, 1, 1)).expect("dates").support
        };
        let pro = |enabled: &[&str], expires: Option<&str>| UbuntuPro {
            attached: true,
            enabled: enabled.iter().map(|it| (*it).to_owned()).collect(),
            expires: expires.map(str::to_owned),
            ..UbuntuPro::default()
        };
        assert_eq!(on_day(None), Support::Ended);
        assert_eq!(on_day(Some(UbuntuPro::default())), Support::Ended);
        assert_eq!(on_day(Some(pro(&["livepatch"], None))), Support::Ended);
        assert_eq!(on_day(Some(pro(&["esm-apps", "esm-infra"], None))), Support::Extended);
        let expires = |at| on_day(Some(pro(&["esm-infra"], Some(at))));
        assert_eq!(expires("2025-12-31T00:00:00+00:00"), Support::Ended);
        assert_eq!(expires("9999-12-31T00:00:00+00:00"), Support::Extended);
    }

    #[test]
    fn what_is_no_date_has_no_end() {
        let mut known = built_in("debian", "12").expect("known");
        known.cycle.end = "soon".to_owned();
        assert_eq!(on(known, date(2026, 1, 1)), None);
    }
}
