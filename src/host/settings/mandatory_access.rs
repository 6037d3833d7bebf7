//! SELinux and AppArmor: which of them confines programs after the next start, and whether it refuses or only
//! writes down. Told by their configuration, the kernel command line of the boot menu's entry, and what kernels
//! of the distribution do by themselves.
//!
//! `selinux(8)`, `apparmor(7)`, and the kernel's `admin-guide/kernel-parameters`. That single profiles of AppArmor
//! may only complain is not looked at.

use crate::host::boot::{self, Arguments};
use crate::host::identity::{assignments, text};
use crate::host::{PathError, Tree};
use crate::model::{AccessMode, Gap, MandatoryAccess, Os, printable_str};

const CONFIG: &str = "/etc/selinux/config";
const PROFILES: &str = "/etc/apparmor.d";
/// Links that load the profiles at a start.
const LOADED_BY: [&str; 4] = [
    "/etc/systemd/system/sysinit.target.wants/apparmor.service",
    "/etc/systemd/system/basic.target.wants/apparmor.service",
    "/etc/systemd/system/multi-user.target.wants/apparmor.service",
    "/etc/rcS.d/S12apparmor",
];
const UNIT: &str = "/etc/systemd/system/apparmor.service";
/// Systems, and those made from them, whose kernels take SELinux.
const SELINUX: [&str; 5] = ["fedora", "rhel", "centos", "amzn", "azurelinux"];
/// Systems whose kernels take AppArmor.
const APPARMOR: [&str; 5] = ["debian", "ubuntu", "suse", "opensuse", "sles"];
/// Before this release Debian's kernels took none.
const FIRST_DEBIAN: u32 = 10;

/// What the disks say.
#[derive(Debug, Default)]
pub struct Found {
    /// `SELINUX=` and `SELINUXTYPE=`.
    selinux: Option<(String, Option<String>)>,
    has_profiles: bool,
    /// The link that loads them.
    loaded_by: Option<&'static str>,
    /// Where the command line is written, and what it says.
    arguments: Option<(String, Arguments)>,
}

/// Reads it.
pub fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Found {
    let has_profiles = !tree.list(PROFILES.as_bytes(), gaps).is_empty();
    // What the menus lack was told when the host was joined.
    let menu = boot::read(tree, &mut Vec::new());
    Found {
        selinux: selinux(tree, gaps),
        has_profiles,
        loaded_by: if has_profiles { loaded_by(tree, gaps) } else { None },
        arguments: menu.map(|menu| (printable_str(&menu.place), menu.arguments)),
    }
}

fn selinux(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<(String, Option<String>)> {
    let text = text(tree, CONFIG, gaps)?;
    let value = |name| assignments(&text).filter(|(key, _)| key == name).last();
    let value = |name| value(name).map(|(_, value)| value).filter(|value| value.len() <= 64);
    Some((value("SELINUX")?.to_ascii_lowercase(), value("SELINUXTYPE")))
}

/// The link that loads AppArmor's profiles, unless its unit is masked.
fn loaded_by(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<&'static str> {
    let mut known = |path: &str, outcome: Result<bool, PathError>| {
        outcome.unwrap_or_else(|error| {
            gaps.push(Gap::new(path, error.reason(), error));
            false
        })
    };
    let is_null = |target: Option<Vec<u8>>| target.is_some_and(|target| target == b"/dev/null");
    if known(UNIT, tree.link_target(UNIT.as_bytes()).map(is_null)) {
        return None;
    }
    // A link may outlive the unit that it leads to.
    let leads = |path: &&str| known(path, tree.find(path.as_bytes()).map(|at| at.is_some()));
    LOADED_BY.into_iter().find(leads)
}

impl Found {
    /// What it comes to on this system.
    pub fn decide(self, os: &Os) -> Option<MandatoryAccess> {
        let selinux = self.of_selinux(os);
        let is_on = |it: &Option<MandatoryAccess>| {
            it.as_ref().is_some_and(|it| it.mode != AccessMode::Disabled)
        };
        if is_on(&selinux) || is_of(os, &SELINUX) {
            return selinux.or_else(|| self.of_apparmor(os));
        }
        self.of_apparmor(os).or(selinux)
    }

    fn of_selinux(&self, os: &Os) -> Option<MandatoryAccess> {
        let (value, policy) = self.selinux.clone()?;
        let mut evidence = vec![format!("{CONFIG}: SELINUX={value}")];
        let said = self.said("selinux", is_of(os, &SELINUX), &mut evidence);
        let enforcing = self.argument(|it| it.enforcing.as_deref(), "enforcing", &mut evidence);
        let mode = match (said, value.as_str(), enforcing.as_deref()) {
            (false, ..) | (_, "disabled", _) => AccessMode::Disabled,
            (_, _, Some("0")) => AccessMode::Permissive,
            (_, "enforcing", _) | (_, _, Some("1")) => AccessMode::Enforcing,
            _ => AccessMode::Permissive,
        };
        Some(MandatoryAccess { system: "selinux".to_owned(), mode, policy, evidence })
    }

    fn of_apparmor(&self, os: &Os) -> Option<MandatoryAccess> {
        if !self.has_profiles {
            return None;
        }
        let number = os.version_id.split('.').next().and_then(|it| it.parse::<u32>().ok());
        let is_old = os.id == "debian" && number.is_some_and(|number| number < FIRST_DEBIAN);
        let mut evidence = Vec::new();
        let said = self.said("apparmor", is_of(os, &APPARMOR) && !is_old, &mut evidence);
        evidence.push(match self.loaded_by {
            Some(link) => link.to_owned(),
            None => format!("{PROFILES}, which nothing is seen to load"),
        });
        let is_on = said && self.loaded_by.is_some();
        let mode = if is_on { AccessMode::Enforcing } else { AccessMode::Disabled };
        Some(MandatoryAccess { system: "apparmor".to_owned(), mode, policy: None, evidence })
    }

    /// Whether the kernel takes this module: by its command line, else by its distribution.
    fn said(&self, module: &str, by_default: bool, evidence: &mut Vec<String>) -> bool {
        let own = match module {
            "selinux" => self.argument(|it| it.selinux.as_deref(), module, evidence),
            _ => self.argument(|it| it.apparmor.as_deref(), module, evidence),
        };
        let list = self.argument(|it| it.lsm.as_deref(), "lsm", evidence);
        let one = self.argument(|it| it.security.as_deref(), "security", evidence);
        // `lsm=` outweighs the older `security=`.
        let chosen = match (&list, &one) {
            (Some(list), _) => list.split(',').any(|it| it == module),
            (None, Some(one)) => one == module,
            (None, None) => by_default || (module == "selinux" && own.as_deref() == Some("1")),
        };
        if list.is_none() && one.is_none() && own.is_none() {
            let what = if by_default { "takes" } else { "does not take" };
            evidence.push(format!("the distribution's kernel {what} it by itself"));
        }
        chosen && own.as_deref() != Some("0")
    }

    fn argument(
        &self,
        of: impl Fn(&Arguments) -> Option<&str>,
        name: &str,
        evidence: &mut Vec<String>,
    ) -> Option<String> {
        let (place, arguments) = self.arguments.as_ref()?;
        let value = printable_str(of(arguments)?);
        evidence.push(format!("{place}: {name}={value}"));
        Some(value)
    }
}

fn is_of(os: &Os, systems: &[&str]) -> bool {
    [&os.id].into_iter().chain(&os.id_like).any(|id| systems.contains(&id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    struct Case {
        os: (&'static str, &'static str),
        selinux: Option<&'static str>,
        profiles: bool,
        masked: bool,
        unit: bool,
        line: &'static str,
    }

    const RHEL: Case = Case {
        os: ("rhel", "9.4"),
        selinux: Some("SELINUX=enforcing\nSELINUXTYPE=targeted\n"),
        profiles: false,
        masked: false,
        unit: false,
        line: "",
    };
    const DEBIAN: Case =
        Case { os: ("debian", "12"), selinux: None, profiles: true, unit: true, ..RHEL };

    fn decided(case: &Case) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = |path: &str| folder.path().join(path);
        for folder in ["etc/selinux", "etc/default", "etc/systemd/system/sysinit.target.wants"] {
            fs::create_dir_all(path(folder)).unwrap();
        }
        if let Some(text) = case.selinux {
            fs::write(path("etc/selinux/config"), text).unwrap();
        }
        if case.profiles {
            fs::create_dir_all(path("etc/apparmor.d/abstractions")).unwrap();
            let link = "etc/systemd/system/sysinit.target.wants/apparmor.service";
            symlink("/lib/systemd/system/apparmor.service", path(link)).unwrap();
        }
        if case.unit {
            fs::create_dir_all(path("lib/systemd/system")).unwrap();
            fs::write(path("lib/systemd/system/apparmor.service"), "").unwrap();
        }
        if case.masked {
            symlink("/dev/null", path("etc/systemd/system/apparmor.service")).unwrap();
        }
        let line = format!("GRUB_CMDLINE_LINUX=\"quiet {}\"\n", case.line);
        fs::write(path("etc/default/grub"), line).unwrap();
        let mut gaps = Vec::new();
        let found = find(&Tree::of_directory(folder.path()).unwrap(), &mut gaps);
        assert_eq!(gaps, Vec::new());
        let (id, version_id) = (case.os.0.to_owned(), case.os.1.to_owned());
        let access = found.decide(&Os { id, version_id, ..Os::default() })?;
        assert!(!access.evidence.is_empty());
        Some(format!("{} {}", access.system, access.mode.as_str()))
    }

    #[test]
    fn configuration_and_command_line_and_distribution() {
        let debian_with = |text| Case { selinux: Some(text), ..DEBIAN };
        for (case, expected) in [
            (RHEL, "selinux enforcing"),
            (Case { line: "enforcing=0", ..RHEL }, "selinux permissive"),
            (Case { line: "selinux=0", ..RHEL }, "selinux disabled"),
            (
                Case { selinux: Some("# SELINUX=enforcing\nSELINUX=permissive\n"), ..RHEL },
                "selinux permissive",
            ),
            (
                Case { selinux: Some("SELINUX=disabled\n"), line: "enforcing=1", ..RHEL },
                "selinux disabled",
            ),
            (DEBIAN, "apparmor enforcing"),
            (Case { masked: true, ..DEBIAN }, "apparmor disabled"),
            (Case { unit: false, ..DEBIAN }, "apparmor disabled"),
            (Case { line: "apparmor=0", ..DEBIAN }, "apparmor disabled"),
            (Case { os: ("debian", "9"), ..DEBIAN }, "apparmor disabled"),
            (
                Case { os: ("debian", "9"), line: "apparmor=1 security=apparmor", ..DEBIAN },
                "apparmor enforcing",
            ),
            (debian_with("SELINUX=permissive\n"), "apparmor enforcing"),
            (
                Case { line: "security=selinux", ..debian_with("SELINUX=permissive\n") },
                "selinux permissive",
            ),
            (Case { line: "lsm=landlock,bpf", ..DEBIAN }, "apparmor disabled"),
        ] {
            assert_eq!(decided(&case).as_deref(), Some(expected), "{:?} {}", case.os, case.line);
        }
        assert_eq!(decided(&Case { profiles: false, ..DEBIAN }), None);
    }
}
