//! Values of containerd's databases: times, numbers and messages, as Go writes them.

use crate::model::printable_str;
use jiff::Timestamp;

/// Seconds from the year 1, where Go's times begin, to 1970.
const YEAR_1: i64 = 62_135_596_800;
/// Bytes of a text that are kept.
const MOST_TEXT: usize = 4096;

/// A text as it may be shown, of which what is too long is cut.
pub fn shown(text: &str) -> String {
    let mut text = printable_str(text);
    text.truncate(text.floor_char_boundary(MOST_TEXT));
    text
}

/// Bytes as a text that may be shown.
pub fn text(bytes: &[u8]) -> String {
    shown(&String::from_utf8_lossy(bytes))
}

/// A time of `Time.MarshalBinary`: version, seconds since the year 1, nanoseconds, and the zone, which does
/// not change the moment. None for the zero time, and for what is none.
pub fn time(bytes: &[u8]) -> Option<String> {
    let (version, rest) = bytes.split_first()?;
    if !matches!((version, rest.len()), (1, 14) | (2, 15)) {
        return None;
    }
    let seconds = i64::from_be_bytes(rest[..8].try_into().ok()?);
    let nanoseconds = i32::from_be_bytes(rest[8..12].try_into().ok()?);
    if (seconds, nanoseconds) == (0, 0) {
        return None;
    }
    let time = Timestamp::new(seconds.checked_sub(YEAR_1)?, nanoseconds).ok()?;
    Some(time.to_string())
}

/// A number of `binary.PutUvarint`, and what follows it.
pub fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        let part = u64::from(byte & 0x7f);
        let shifted = part << (7 * index);
        if shifted >> (7 * index) != part {
            return None;
        }
        number |= shifted;
        if byte & 0x80 == 0 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

/// The value of a protobuf `Any`: its field 2. Field 1 says of what type it is.
pub fn any(mut bytes: &[u8]) -> Option<&[u8]> {
    let mut value = None;
    while !bytes.is_empty() {
        let (key, rest) = number(bytes)?;
        let length = match key & 7 {
            0 => {
                bytes = number(rest)?.1;
                continue;
            }
            1 => (8, rest),
            2 => number(rest)?,
            5 => (4, rest),
            _ => return None,
        };
        let (field, after) = length.1.split_at_checked(usize::try_from(length.0).ok()?)?;
        if key == (2 << 3 | 2) {
            value = Some(field);
        }
        bytes = after;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_engine() {
        // Of the container default-running1 of the store containerd-overlayfs-small, whose time `ctr` tells.
        let bytes = b"\x01\x00\x00\x00\x0e\xe2\x96pE2I?\x8d\xff\xff";
        assert_eq!(time(bytes).as_deref(), Some("2026-11-23T17:35:01.843661197Z"));
        assert_eq!(time(&[1; 3]), None);
        assert_eq!(time(&[[1].as_slice(), &[0; 12], &[0xff; 2]].concat()), None);
        assert_eq!(time(&[[1].as_slice(), &[0x7f; 14]].concat()), None);
        assert_eq!(time(&[[1].as_slice(), &[0x80; 14]].concat()), None);
        assert_eq!(time(&[[2].as_slice(), &bytes[1..], &[0]].concat()), time(bytes));
    }

    #[test]
    fn numbers_end() {
        assert_eq!(number(b"\xb0\x05x"), Some((688, b"x".as_slice())));
        assert_eq!(number(&[[0xff; 9].as_slice(), &[1]].concat()).unwrap().0, u64::MAX);
        assert_eq!(number(&[0xff; 10]), None);
        assert_eq!(number(&[0xff; 3]), None);
        assert_eq!(number(b""), None);
    }

    #[test]
    fn a_message_holds_its_value() {
        assert_eq!(any(b"\x0a\x01T\x12\x02{}"), Some(b"{}".as_slice()));
        assert_eq!(any(b"\x18\x05\x12\x02{}\x25abcd"), Some(b"{}".as_slice()));
        for bad in [b"\x12\x03{}".as_slice(), b"\x0a\x01T", b"\x13", b"\x12\xff", b""] {
            assert_eq!(any(bad), None, "{bad:?}");
        }
        assert_eq!(any(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), None);
    }

    #[test]
    fn texts_are_bounded() {
        assert_eq!(text(b"a\x1b"), "a\\x1b");
        assert_eq!(shown(&"\u{e9}".repeat(3000)).len(), 4096);
    }
}
