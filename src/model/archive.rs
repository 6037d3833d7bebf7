//! Where the packages of a host come from.

use serde::Serialize;

/// A part of an archive of Debian packages, by the index that apt keeps of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Archive {
    /// `Origin` of its release file: who publishes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// `Label` of its release file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `Suite` of its release file, such as `stable-security`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// `Codename` of its release file, such as `bookworm-security`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codename: Option<String>,
    /// The machine that serves it, if one does.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub site: String,
    /// Component, such as `main`; an archive without parts has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub component: String,
    /// Architecture.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub architecture: String,
    /// Path of the index of its packages.
    pub index: String,
    /// Bytes of the index as it is stored.
    pub index_size: u64,
    /// Whether packages were looked for in the index. Large ones are left, as the blocks of a
    /// disk are worth more than what they tell.
    pub index_read: bool,
}

impl Archive {
    /// Its release and component as apt shows them: `bookworm-security/main`. Debian tells its pockets apart
    /// by the codename, Ubuntu by the suite.
    pub fn name(&self) -> String {
        let (suite, codename) = (self.suite.as_deref(), self.codename.as_deref());
        let longer = suite.filter(|suite| codename.is_none_or(|code| suite.starts_with(code)));
        let release = longer.or(codename).unwrap_or_default();
        let parts = [release, self.component.as_str()].into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("/")
    }

    /// Whether it is the system's own: its publisher is called as the system is (`Debian`, `debian`).
    pub fn is_of(&self, os: &str) -> bool {
        self.origin.as_deref().is_some_and(|origin| origin.eq_ignore_ascii_case(os))
    }

    /// Who publishes it. One whose release file names nobody has but its place; of one without a release file
    /// nothing is known.
    pub fn publisher(&self) -> Option<&str> {
        let is_released = [&self.label, &self.suite, &self.codename].iter().any(|it| it.is_some());
        let place = if self.site.is_empty() { "local" } else { &self.site };
        self.origin.as_deref().or(is_released.then_some(place))
    }
}

/// What Ubuntu Pro does on a host: security updates beyond those that all get.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UbuntuPro {
    /// Whether the host is attached to a contract.
    pub attached: bool,
    /// Services that are enabled, sorted: `esm-apps`, `esm-infra` and others.
    pub enabled: Vec<String>,
    /// Services of which apt has a source that is not commented out, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// When the contract ends, as its client wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Installed packages with a version of those updates (`+esm1`).
    pub esm_packages: usize,
    /// The files that tell it, sorted.
    pub evidence: Vec<String>,
}

/// What of Red Hat's updates a host gets, where that is not the newest minor release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UpdateStream {
    /// The minor release that the host is held at, such as `9.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The longer support that enabled repositories are of, sorted: `aus`, `e4s`, `els`, `eus`, `tus`.
    pub support: Vec<String>,
    /// What tells it: files, and ids of repositories.
    pub evidence: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_pockets_apart() {
        for (suite, codename, component, expected) in [
            ("oldstable-security", "bookworm-security", "main", "bookworm-security/main"),
            ("jammy-security", "jammy", "universe", "jammy-security/universe"),
            ("focal-infra-security", "focal", "main", "focal-infra-security/main"),
            ("nodistro", "nodistro", "main", "nodistro/main"),
            ("stable", "", "main", "stable/main"),
            ("", "", "", ""),
        ] {
            let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let archive = Archive {
                suite: some(suite),
                codename: some(codename),
                component: component.to_owned(),
                ..Archive::default()
            };
            assert_eq!(archive.name(), expected);
        }
    }
}
