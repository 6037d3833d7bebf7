//! The name of a Java archive's file: `ARTIFACT-VERSION.jar`, both of which may hold hyphens.

/// Words that may stand in a version, with or without digits behind them.
const IN_VERSIONS: &[&str] = &[
    "alpha",
    "android",
    "b",
    "beta",
    "build",
    "cr",
    "dev",
    "final",
    "ga",
    "hotfix",
    "incubating",
    "jre",
    "m",
    "milestone",
    "ea",
    "p",
    "pre",
    "preview",
    "rc",
    "redhat",
    "release",
    "rev",
    "sec",
    "snapshot",
    "sp",
    "v",
];

/// What the name of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The name without version and ending.
    pub artifact: String,
    /// The version, if there is one in it.
    pub version: Option<String>,
}

impl FileName {
    /// That of the last file of a path; `None` where it is no text.
    pub fn parse(path: &[u8]) -> Option<Self> {
        let name = path.rsplit(|byte| matches!(byte, b'/' | b'!')).next()?;
        let name = std::str::from_utf8(name).ok()?;
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let (artifact, version) = split(stem);
        let version = version.filter(|version| !version.is_empty());
        (!artifact.is_empty()).then(|| Self { artifact: artifact.to_owned(), version })
    }

    /// Whether the file may be named after this artifact.
    pub fn is_of(&self, artifact: &str) -> bool {
        let ends = |long: &str, short: &str| {
            long.strip_suffix(short)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '.']))
        };
        let starts = |long: &str, short: &str| {
            long.strip_prefix(short)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_']))
        };
        !artifact.is_empty()
            && (ends(artifact, &self.artifact)
                || ends(&self.artifact, artifact)
                || starts(&self.artifact, artifact)
                || starts(artifact, &self.artifact))
    }
}

/// Artifact and version. A version starts behind a hyphen with a digit; a word in it that is of no version
/// ends it (a classifier), unless another version stands behind that: then all before is the artifact.
fn split(stem: &str) -> (&str, Option<String>) {
    let starts: Vec<usize> = (1..stem.len()).filter(|at| is_start(stem, *at)).collect();
    let Some(mut start) = starts.first().copied() else { return (stem, None) };
    for later in starts {
        if later > start && ends_version(&stem[start..later - 1]) {
            start = later;
        }
    }
    let mut version = String::new();
    for (index, part) in stem[start..].split('-').enumerate() {
        if index > 0 && !is_in_version(part) {
            break;
        }
        if index > 0 {
            version.push('-');
        }
        version.push_str(part);
    }
    (&stem[..start - 1], Some(version))
}

fn is_start(stem: &str, at: usize) -> bool {
    let bytes = stem.as_bytes();
    bytes[at - 1] == b'-' && bytes[at].is_ascii_digit()
}

/// Whether what looked like a version holds a word that is of none.
fn ends_version(text: &str) -> bool {
    text.split('-').skip(1).any(|part| !is_in_version(part))
}

fn is_in_version(part: &str) -> bool {
    let word = part.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.');
    let is_number = part.starts_with(|it: char| it.is_ascii_digit());
    is_number || IN_VERSIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_they_are_in_the_wild() {
        let cases = [
            ("commons-io-2.11.0.jar", "commons-io", "2.11.0"),
            ("guava-31.1-jre.jar", "guava", "31.1-jre"),
            ("spark-core_2.12-3.5.1.jar", "spark-core_2.12", "3.5.1"),
            ("log4j-1.2-api-2.20.0.jar", "log4j-1.2-api", "2.20.0"),
            ("app-1.0-SNAPSHOT.war", "app", "1.0-SNAPSHOT"),
            ("app-1.0-20230405.101112-7.jar", "app", "1.0-20230405.101112-7"),
            ("netty-4.1.96.Final-linux-x86_64.jar", "netty", "4.1.96.Final"),
            ("lib-1.0-beta-2-sources.jar", "lib", "1.0-beta-2"),
            ("lib-1.0-rc1.jar", "lib", "1.0-rc1"),
            ("servlet-api.jar", "servlet-api", ""),
            ("4j.jar", "4j", ""),
            ("a!BOOT-INF/lib/b-2.jar", "b", "2"),
        ];
        for (file, artifact, version) in cases {
            let name = FileName::parse(file.as_bytes()).unwrap();
            let found = (name.artifact.as_str(), name.version.as_deref().unwrap_or_default());
            assert_eq!(found, (artifact, version), "{file}");
        }
        assert_eq!(FileName::parse(b"/.jar"), None);
        assert_eq!(FileName::parse(b"/\xff.jar"), None);
    }

    #[test]
    fn a_file_is_of_an_artifact_whose_words_it_has() {
        let is_of =
            |file: &str, artifact| FileName::parse(file.as_bytes()).unwrap().is_of(artifact);
        assert!(is_of("servlet-api.jar", "jakarta.servlet-api"));
        assert!(is_of("spark-core_2.12-3.5.1.jar", "spark-core_2.12"));
        assert!(is_of("org.eclipse.osgi_3.18.jar", "org.eclipse.osgi"));
        assert!(!is_of("applet-1.jar", "app"));
        assert!(!is_of("app-1.jar", ""));
    }
}
