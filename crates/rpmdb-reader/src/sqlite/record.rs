//! Numbers of variable length, and records: the types of the columns, then their values.

use crate::bytes::part;
use std::ops::Range;

/// A number of one to nine bytes, and how many it took.
pub fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        if index == 8 {
            return Some((value << 8 | u64::from(*byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Type and place of a column in a record.
fn column(record: &[u8], index: usize) -> Option<(u64, Range<usize>)> {
    let (head, mut at) = varint(record)?;
    let types = record.get(..usize::try_from(head).ok()?)?;
    let mut start = types.len();
    for _ in 0..index {
        let (kind, length) = varint(types.get(at..)?)?;
        (at, start) = (at + length, start.checked_add(width(kind)?)?);
    }
    let (kind, _) = varint(types.get(at..)?)?;
    let end = start.checked_add(width(kind)?)?;
    Some((kind, start..end))
}

/// Bytes of a value of a type.
fn width(kind: u64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => Some(kind as usize),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        _ => usize::try_from((kind - 12) / 2).ok(),
    }
}

/// Where a column's bytes are, if it holds bytes.
pub fn blob(record: &[u8], index: usize) -> Option<Range<usize>> {
    let (kind, place) = column(record, index)?;
    let whole = kind >= 12 && kind % 2 == 0 && place.end <= record.len();
    whole.then_some(place)
}

/// Whether a column holds nothing.
pub fn is_null(record: &[u8], index: usize) -> bool {
    column(record, index).is_some_and(|(kind, _)| kind == 0)
}

/// A column's text.
pub fn text(record: &[u8], index: usize) -> Option<&[u8]> {
    let (kind, place) = column(record, index)?;
    if kind < 13 || kind % 2 == 0 { None } else { record.get(place) }
}

/// A column's number, if it is a whole one.
pub fn integer(record: &[u8], index: usize) -> Option<i64> {
    let (kind, place) = column(record, index)?;
    if let 8 | 9 = kind {
        return Some((kind - 8).cast_signed());
    }
    let bytes = part(record, place.start, place.len()).filter(|_| (1..=6).contains(&kind))?;
    let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
    Some(bytes.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of <https://www.sqlite.org/fileformat2.html#varint>.
    #[test]
    fn numbers_of_variable_length() {
        assert_eq!(varint(&[0x7f]), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8]), None);
        assert_eq!(varint(&[]), None);
    }

    #[test]
    fn whole_numbers_have_a_sign() {
        assert_eq!(integer(&[2, 1, 0xff], 0), Some(-1));
        assert_eq!(integer(&[2, 2, 0x01, 0x00], 0), Some(256));
        assert_eq!(integer(&[2, 9], 0), Some(1));
        assert_eq!(integer(&[2, 2, 0x01], 0), None);
    }
}
