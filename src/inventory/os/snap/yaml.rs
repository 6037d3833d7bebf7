//! The little of YAML that files of snaps are read by: a text by its key, and a list of texts by its key,
//! line by line. Whole documents are not needed, and what a document may be (anchors, tags, one document in a
//! million nested lists) stays unread.

/// Where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// At the start of a line.
    Top,
    /// In any mapping.
    Any,
}

/// The text of a key of the outermost mapping.
pub(super) fn scalar(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| after(line, key))?;
    Some(plain(value)).filter(|value| !value.is_empty())
}

/// The texts of all lists of a key, in either writing.
pub(super) fn list(text: &str, key: &str, depth: Depth) -> Vec<String> {
    let mut found = Vec::new();
    // Indent of the key whose items follow.
    let mut within = None;
    for line in text.lines() {
        let body = line.trim_start_matches(' ');
        let indent = line.len() - body.len();
        if body.trim().is_empty() || body.starts_with('#') {
            continue;
        }
        if let Some(own) = within {
            let item = body.strip_prefix("- ").filter(|_| indent >= own);
            if let Some(item) = item {
                found.push(plain(item));
                continue;
            }
            if indent > own {
                continue;
            }
            within = None;
        }
        let Some(value) = after(body, key).filter(|_| depth == Depth::Any || indent == 0) else {
            continue;
        };
        match value.trim().strip_prefix('[') {
            Some(flow) => found.extend(flow.trim_end_matches(']').split(',').map(plain)),
            None => within = Some(indent),
        }
    }
    found.retain(|item| !item.is_empty());
    found
}

/// What stands behind `key:`.
fn after<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(key)?.strip_prefix(':')?;
    (rest.is_empty() || rest.starts_with([' ', '\t', '\r'])).then_some(rest)
}

/// A scalar without quotes or a comment behind it.
fn plain(value: &str) -> String {
    let value = value.trim();
    if let Some(quoted) = value.strip_prefix('\'') {
        let doubled = quoted.replace("''", "\0");
        return doubled.split('\'').next().unwrap_or_default().replace('\0', "'");
    }
    if let Some(quoted) = value.strip_prefix('"') {
        return unescape(quoted);
    }
    value.split(" #").next().unwrap_or_default().trim().to_owned()
}

/// Up to the closing quote. Of escapes only quotes and backslashes occur in names and versions.
fn unescape(quoted: &str) -> String {
    let (mut plain, mut escaped) = (String::new(), false);
    for character in quoted.chars() {
        match character {
            '"' if !escaped => break,
            '\\' if !escaped => escaped = true,
            _ => {
                plain.push(character);
                escaped = false;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name: a-snap # c\nversion: '1.0'\ntitle: \"q\\\"x\" \ndescription: |\n  name: other\n  architectures:\n  - none\narchitectures: [amd64, 'arm64']\nbase:\nempty: []\nlist:\n- a=1\n- 'b=2'\n# c\n\n- \"c=3\"\nafter: x\nparts:\n  p:\n    stage-packages:\n    - d=4\n    plugin: nil\n  q:\n    stage-packages:\n      - e=5\n      -\nlist-of: y\n";

    #[test]
    fn texts_of_the_outermost_mapping() {
        let found = ["name", "version", "title", "base", "list", "plugin", "after"]
            .map(|key| scalar(TEXT, key).unwrap_or_else(|| "-".to_owned()));
        assert_eq!(found, ["a-snap", "1.0", "q\"x", "-", "-", "-", "x"]);
        assert_eq!(scalar("version: 'it''s'\n", "version").as_deref(), Some("it's"));
        assert_eq!(scalar("version: 16-2.61\r\n", "version").as_deref(), Some("16-2.61"));
    }

    #[test]
    fn lists_in_both_writings() {
        assert_eq!(list(TEXT, "architectures", Depth::Top), ["amd64", "arm64"]);
        assert_eq!(list(TEXT, "list", Depth::Top), ["a=1", "b=2", "c=3"]);
        assert_eq!(list(TEXT, "stage-packages", Depth::Any), ["d=4", "e=5"]);
        assert!(list(TEXT, "stage-packages", Depth::Top).is_empty());
        assert!(list(TEXT, "empty", Depth::Any).is_empty());
    }
}
