//! `META-INF/MANIFEST.MF`: the main section, whose lines go on where the next one starts with a space;
//! and the properties files beside it.

/// Headers that may tell a version, the best first.
const VERSIONS: [&str; 4] =
    ["Implementation-Version", "Bundle-Version", "Specification-Version", "Plugin-Version"];
/// Headers that may name the package with its group before it, the best first.
const NAMES: [&str; 4] =
    ["Bundle-SymbolicName", "Automatic-Module-Name", "Extension-Name", "Implementation-Title"];
const GROUP: &str = "Implementation-Vendor-Id";
/// The group itself, as plugins of Jenkins have it.
const GROUP_ID: &str = "Group-Id";

/// The headers that tell something.
#[derive(Debug, Default)]
pub struct Manifest {
    headers: Vec<(&'static str, String)>,
}

impl Manifest {
    /// Reads the main section. Of a header that comes twice the last counts, as it does in Java.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let known = VERSIONS.iter().chain(&NAMES).chain([&GROUP, &GROUP_ID]);
        let mut headers = Vec::new();
        for line in section(&text) {
            let Some((name, value)) = line.split_once(':') else { continue };
            let is_name = |known: &&&'static str| known.eq_ignore_ascii_case(name.trim());
            let value = value.trim();
            if let Some(known) = known.clone().find(is_name).filter(|_| !value.is_empty()) {
                headers.push((*known, value.to_owned()));
            }
        }
        Self { headers }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().rev().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The version, if one looks like one.
    pub fn version(&self) -> Option<String> {
        let mut values = VERSIONS.iter().filter_map(|name| self.get(name));
        let is_version = |value: &&str| {
            let plain = |it: char| it.is_ascii_alphanumeric() || ".-_+".contains(it);
            value.contains(|it: char| it.is_ascii_digit()) && value.chars().all(plain)
        };
        values.find(is_version).map(str::to_owned)
    }

    /// The group, where it says so in as many words.
    pub fn group_id(&self) -> Option<&str> {
        self.get(GROUP_ID).filter(|value| is_id(value))
    }

    /// The group that this artifact is likely of.
    pub fn group(&self, artifact: &str) -> Option<String> {
        if let Some(group) = self.get(GROUP).filter(|value| is_id(value)) {
            return Some(group.to_owned());
        }
        let names = NAMES.iter().filter_map(|name| self.get(name));
        // Directives follow a semicolon.
        let mut names = names.map(|name| name.split(';').next().unwrap_or_default().trim());
        let name = names.find(|name| is_id(name))?;
        let above = name.strip_suffix(artifact).and_then(|rest| rest.strip_suffix('.'));
        let above = above.or_else(|| Some(name.rsplit_once('.')?.0))?;
        // No group is a top-level domain: the artifact is then named as its group is.
        Some(if above.contains('.') { above } else { name }.to_owned())
    }
}

/// Whether a text may be a group: words with dots between them.
fn is_id(text: &str) -> bool {
    let is_word = |word: &str| {
        let plain = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
        word.starts_with(|it: char| it.is_ascii_alphabetic()) && word.chars().all(plain)
    };
    text.contains('.') && text.split('.').all(is_word)
}

/// The lines of the main section, each whole.
fn section(text: &str) -> Vec<String> {
    let mut lines = Vec::<String>::new();
    for line in text.lines().map(|line| line.trim_end_matches('\r')) {
        match line.strip_prefix(' ') {
            Some(more) => lines.last_mut().into_iter().for_each(|line| line.push_str(more)),
            None if line.is_empty() && !lines.is_empty() => break,
            None => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Keys and values of a properties file, as Maven writes them.
pub fn properties(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!']));
    let pairs = lines.filter_map(|line| line.split_once(['=', ':']));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_and_only_the_main_section_counts() {
        let text = "Manifest-Version: 1.0\r\nBundle-SymbolicName: org.apache.comm\r\n ons.codec\r\n\
                    implementation-version: 1.15\r\n\r\nName: a/\r\nImplementation-Version: 9\r\n";
        let manifest = Manifest::parse(text.as_bytes());
        assert_eq!(manifest.version().as_deref(), Some("1.15"));
        assert_eq!(manifest.group("commons-codec").as_deref(), Some("org.apache.commons"));
    }

    #[test]
    fn groups_are_words_with_dots() {
        let group = |text: &str, artifact| Manifest::parse(text.as_bytes()).group(artifact);
        assert_eq!(group("Implementation-Vendor-Id: org.x\n", "a").as_deref(), Some("org.x"));
        assert_eq!(group("Implementation-Vendor-Id: The X.Org\n", "a"), None);
        let dotted =
            group("Bundle-SymbolicName: com.fasterxml.jackson.core.jackson-core\n", "jackson-core");
        assert_eq!(dotted.as_deref(), Some("com.fasterxml.jackson.core"));
        assert_eq!(
            group("Bundle-SymbolicName: org.objenesis\n", "objenesis").as_deref(),
            Some("org.objenesis")
        );
        assert_eq!(group("Implementation-Title: ..\n", "a"), None);
    }

    #[test]
    fn a_version_has_a_digit_and_no_spaces() {
        let version = |text: &str| Manifest::parse(text.as_bytes()).version();
        assert_eq!(
            version("Implementation-Version: ${version}\nBundle-Version: 1\n").as_deref(),
            Some("1")
        );
        assert_eq!(version("Implementation-Version: 8.5 (build 3)\n"), None);
    }
}
