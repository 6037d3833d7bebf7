//! The file `deploy` that flatpak writes beside what it deploys: a GVariant of the type `(ssasta{sv})`, which is
//! origin, commit, parts, size, and a dictionary, of which `appdata-version` is the version.
//!
//! Format: <https://developer.gnome.org/documentation/specifications/gvariant-specification-1.0.html>.
//! Where a container's members end stands at its own end, in numbers as wide as its length needs.

use std::ops::Range;

/// Entries of a dictionary that are looked at.
const MOST_ENTRIES: usize = 1000;

/// What a deployment says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Deploy {
    /// The remote that it came from.
    pub(super) origin: Option<String>,
    pub(super) version: Option<String>,
}

impl Deploy {
    /// `None` if the bytes are no such data.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        // Of the five members three have ends that must be told: both texts and the list. They are told
        // from the last byte backwards.
        let width = width(bytes.len());
        let end = |member: usize| {
            let at = bytes.len().checked_sub((member + 1) * width)?;
            number(bytes, at, width)
        };
        let (origin, commit, parts) = (end(0)?, end(1)?, end(2)?);
        let start = aligned(parts)?.checked_add(8)?;
        let dictionary = start..bytes.len().checked_sub(3 * width)?;
        let is_in_order = origin <= commit && commit <= parts;
        let dictionary = bytes.get(dictionary).filter(|_| is_in_order)?;
        let version = entries(dictionary)?.into_iter().find_map(|range| {
            let (key, value) = entry(dictionary.get(range)?)?;
            (key == "appdata-version").then_some(value)
        });
        Some(Self { origin: text(bytes.get(..origin)?).filter(|it| !it.is_empty()), version })
    }
}

/// Where the entries of a dictionary are: each begins on a multiple of eight.
fn entries(dictionary: &[u8]) -> Option<Vec<Range<usize>>> {
    if dictionary.is_empty() {
        return Some(Vec::new());
    }
    let width = width(dictionary.len());
    let table = number(dictionary, dictionary.len().checked_sub(width)?, width)?;
    let length = dictionary.len().checked_sub(table)?;
    let count = length / width;
    if length % width != 0 || count == 0 || count > MOST_ENTRIES {
        return None;
    }
    let mut entries = Vec::with_capacity(count);
    let mut start = 0;
    for at in (table..dictionary.len()).step_by(width) {
        let end = number(dictionary, at, width)?;
        entries.push(start..end);
        start = aligned(end)?;
    }
    Some(entries)
}

/// Key and value of an entry whose value is a text.
fn entry(entry: &[u8]) -> Option<(String, String)> {
    let width = width(entry.len());
    let table = entry.len().checked_sub(width)?;
    let end = number(entry, table, width)?;
    let key = text(entry.get(..end)?)?;
    let value = entry.get(aligned(end)?..table)?.strip_suffix(b"\0s")?;
    Some((key, text(value)?))
}

/// A text and the null that ends it.
fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.strip_suffix(b"\0")?.to_vec()).ok()
}

/// Bytes of the numbers in a container of this length.
fn width(length: usize) -> usize {
    match length {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        _ => 4,
    }
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

fn aligned(offset: usize) -> Option<usize> {
    offset.checked_next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by flatpak 1.14.
    const WRITTEN: &[u8] = include_bytes!("deploy.example");

    #[test]
    fn what_flatpak_wrote() {
        let expected =
            Deploy { origin: Some("flat".to_owned()), version: Some("2.10.38".to_owned()) };
        assert_eq!(Deploy::parse(WRITTEN), Some(expected));
    }

    #[test]
    fn no_damage_is_a_panic() {
        for length in 0..WRITTEN.len() {
            let _ = Deploy::parse(&WRITTEN[..length]);
        }
        for at in 0..WRITTEN.len() {
            for byte in [0, 1, 7, 0x7f, 0xff] {
                let mut hurt = WRITTEN.to_vec();
                hurt[at] = byte;
                let _ = Deploy::parse(&hurt);
            }
        }
        assert_eq!(Deploy::parse(b""), None);
        assert_eq!(Deploy::parse(&[0xff; 1000]), None);
    }
}
