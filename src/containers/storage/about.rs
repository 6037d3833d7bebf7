//! What engines say of a container, in one shape.

use crate::model::{Confidence, ContainerMount, ContainerState, Engine, Kubernetes, printable_str};
use std::collections::BTreeMap;

/// Labels of a container.
const MOST_LABELS: usize = 256;
/// Names of an image.
pub const MOST_NAMES: usize = 256;
/// Mounts of a container.
const MOST_MOUNTS: usize = 1000;
/// Bytes of a text.
const MOST_TEXT: usize = 4096;

/// What an engine says of a container.
#[derive(Debug, Default)]
pub struct About {
    /// The engine.
    pub engine: Engine,
    /// Its name; none where the engine has no other than the storage.
    pub name: Option<String>,
    /// When it was made, as the engine wrote it.
    pub created: Option<String>,
    /// What it did.
    pub state: ContainerState,
    /// What tells of that.
    pub evidence: String,
    /// How sure that is.
    pub confidence: Confidence,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// What it is in Kubernetes.
    pub kubernetes: Option<Kubernetes>,
    /// What is mounted in it.
    pub mounts: Vec<ContainerMount>,
    /// Name of its image.
    pub reference: Option<String>,
}

/// A text from a store: printable, and not too long.
pub fn text(source: &str) -> String {
    let mut text = printable_str(&source[..source.floor_char_boundary(MOST_TEXT)]);
    text.truncate(text.floor_char_boundary(MOST_TEXT));
    text
}

/// Labels as they are kept.
pub fn labels(source: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    source.iter().take(MOST_LABELS).map(|(key, value)| (text(key), text(value))).collect()
}

/// Mounts as they are kept, in order.
pub fn mounts(source: impl IntoIterator<Item = ContainerMount>) -> Vec<ContainerMount> {
    let kept = source.into_iter().take(MOST_MOUNTS).map(|mount| ContainerMount {
        destination: text(&mount.destination),
        kind: text(&mount.kind),
        source: text(&mount.source),
        read_only: mount.read_only,
    });
    let mut kept: Vec<_> = kept.collect();
    kept.sort();
    kept.dedup();
    kept
}

/// A time of RFC 3339, as it is written; none if it is none, or the year 1, which Go has where nothing is set.
pub fn time(source: &str) -> Option<String> {
    let is_set = !source.starts_with("0001-");
    (is_set && source.parse::<jiff::Timestamp>().is_ok()).then(|| source.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_that_are_set() {
        let kept = ["2026-11-23T17:58:24.220822073Z", "2026-11-23T17:58:24.2+09:00"];
        for time_of in kept {
            assert_eq!(time(time_of).as_deref(), Some(time_of));
        }
        for none in ["0001-01-01T00:00:00Z", "", "yesterday", "2026-13-23T17:58:24Z"] {
            assert_eq!(time(none), None, "{none}");
        }
    }

    #[test]
    fn texts_are_short_and_printable() {
        assert_eq!(text("a\u{1b}b"), "a\\x1bb");
        assert!(text(&"\u{1b}".repeat(5000)).len() <= MOST_TEXT);
        assert!(text(&"\u{e9}".repeat(5000)).len() <= MOST_TEXT);
        assert!(text(&("a".to_owned() + &"\u{e9}".repeat(5000))).len() <= MOST_TEXT);
    }
}
