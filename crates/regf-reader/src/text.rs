//! Text in hives: Latin-1 or UTF-16, not always sound.

use crate::bytes::le16s;

/// Text as it was decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The text up to its first null; what is no character is U+FFFD.
    pub text: String,
    /// Whether it has half characters, or ends in half of one.
    pub is_damaged: bool,
    /// Bytes behind the first null, which most programs do not see.
    pub after_null: usize,
}

impl Text {
    /// UTF-16 with or without a null at its end.
    pub fn from_utf16(bytes: &[u8]) -> Self {
        let length = le16s(bytes).position(|unit| unit == 0);
        let after_null = length.map_or(0, |length| bytes.len() - 2 * length - 2);
        let is_odd = length.is_none() && !bytes.len().is_multiple_of(2);
        let kept = length.map_or(bytes, |length| &bytes[..2 * length]);
        let Name { text, is_exact } = Name::from_utf16(kept);
        Self { text, is_damaged: !is_exact || is_odd, after_null }
    }

    /// Strings of which each ends in a null, and all of them in one more. An empty string between
    /// others is one: renames at the next start are stored so.
    pub fn list(bytes: &[u8]) -> Vec<Self> {
        let mut units: Vec<u16> = le16s(bytes).collect();
        let is_odd = !bytes.len().is_multiple_of(2);
        if units.iter().all(|unit| *unit == 0) {
            units.clear();
        }
        let has_end = units.ends_with(&[0, 0]);
        units.truncate(
            units.len() - if has_end { 2 } else { usize::from(units.last() == Some(&0)) },
        );
        let mut list = Vec::new();
        if !units.is_empty() {
            list.extend(units.split(|unit| *unit == 0).map(Self::from_units));
        }
        if is_odd {
            list.push(Self { is_damaged: true, ..Self::default() });
        }
        list
    }

    fn from_units(units: &[u16]) -> Self {
        let (text, is_exact) = decode(units.iter().copied());
        Self { text, is_damaged: !is_exact, after_null: 0 }
    }
}

/// A name of a key or value, which may hold any unit, nulls too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name {
    pub text: String,
    /// Whether the text is all that is stored.
    pub is_exact: bool,
}

impl Name {
    pub fn from_latin1(bytes: &[u8]) -> Self {
        Self { text: bytes.iter().map(|byte| char::from(*byte)).collect(), is_exact: true }
    }

    pub fn from_utf16(bytes: &[u8]) -> Self {
        let (text, is_exact) = decode(le16s(bytes));
        Self { text, is_exact: is_exact && bytes.len().is_multiple_of(2) }
    }
}

fn decode(units: impl Iterator<Item = u16>) -> (String, bool) {
    let mut is_exact = true;
    let text = char::decode_utf16(units).map(|unit| {
        unit.unwrap_or_else(|_| {
            is_exact = false;
            char::REPLACEMENT_CHARACTER
        })
    });
    (text.collect(), is_exact)
}

/// The units of a name in upper case, by which Windows compares and hashes names.
pub fn upper(name: &str) -> impl Iterator<Item = u16> + '_ {
    name.encode_utf16().map(upper_unit)
}

/// Unicode's simple mapping of one unit. Where that turns another letter into a plain one (dotless i,
/// long s), Windows has none.
fn upper_unit(unit: u16) -> u16 {
    let Some(letter) = char::from_u32(u32::from(unit)) else { return unit };
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) if letter.is_ascii() || !upper.is_ascii() => {
            u16::try_from(u32::from(upper)).unwrap_or(unit)
        }
        _ => unit,
    }
}

/// Whether Windows takes the two for the same name.
pub fn same(one: &str, other: &str) -> bool {
    upper(one).eq(upper(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn list(text: &str) -> Vec<String> {
        Text::list(&utf16(text)).into_iter().map(|text| text.text).collect()
    }

    #[test]
    fn lists_keep_empty_strings_between_others() {
        assert_eq!(list("a\0b\0\0"), ["a", "b"]);
        assert_eq!(list("a\0\0b\0\0\0"), ["a", "", "b", ""]);
        assert_eq!(list("a\0"), ["a"]);
        assert_eq!(list("a\0b"), ["a", "b"]);
        assert_eq!(list("\0\0"), [""; 0]);
        assert_eq!(list(""), [""; 0]);
        let odd = Text::list(b"a\0\0\0\0\0x");
        assert_eq!((odd.len(), odd[0].is_damaged, odd[1].is_damaged), (2, false, true));
    }

    #[test]
    fn text_ends_at_its_first_null() {
        let text = Text::from_utf16(&utf16("a\0bc"));
        assert_eq!((text.text.as_str(), text.is_damaged, text.after_null), ("a", false, 4));
        assert!(Text::from_utf16(b"a").is_damaged && Text::from_utf16(&[0, 0xd8]).is_damaged);
        assert_eq!(Text::from_utf16(&utf16("a")).text, "a");
    }

    #[test]
    fn names_are_compared_without_case() {
        assert!(same("Straße", "STRAßE") && same("éя", "ÉЯ") && same("ÿ", "Ÿ"));
        assert!(!same("\u{131}", "I") && !same("\u{17f}", "S") && !same("a", "ab"));
    }
}
