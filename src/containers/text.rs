//! Texts of engines' records, as reports take them: printable and bounded.

use crate::model::printable_str;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Most labels of a container.
const MOST_LABELS: usize = 256;
/// Most mounts of a container.
pub const MOST_MOUNTS: usize = 1024;
/// Longest text that is kept, in characters.
const LONGEST: usize = 4096;

/// A text, cut where it is long.
pub fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => printable_str(text),
        Some((end, _)) => printable_str(&text[..end]) + "…",
    }
}

/// A time, as the engine wrote it; none if it is none, or the year 1, which stands for never.
pub fn time(text: &str) -> Option<String> {
    let time: Timestamp = text.parse().ok()?;
    (time.as_second() > 0).then(|| text.to_owned())
}

/// Labels.
pub fn labels<'a>(all: impl Iterator<Item = (&'a String, &'a String)>) -> BTreeMap<String, String> {
    all.take(MOST_LABELS).map(|(name, value)| (short(name), short(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_no_time() {
        assert_eq!(time("0001-01-01T00:00:00Z"), None);
        assert_eq!(time("yesterday"), None);
        let now = "2026-11-23T17:33:58.146168436Z";
        assert_eq!(time(now).as_deref(), Some(now));
        let offset = "2026-11-23T18:33:58.146168436+01:00";
        assert_eq!(time(offset).as_deref(), Some(offset));
    }

    #[test]
    fn long_texts_are_cut_and_made_printable() {
        assert_eq!(short("a\u{1b}b"), "a\\x1bb");
        assert_eq!(short(&"é".repeat(5000)).chars().count(), LONGEST + 1);
    }
}
