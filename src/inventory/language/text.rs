//! The text of a manifest, whatever wrote it.

/// Bytes as text. A byte order mark tells UTF-16, as does a zero beside the first character; bytes
/// that are not UTF-8 are taken as Latin-1, so that what is around them can still be parsed.
pub fn decode(mut bytes: Vec<u8>) -> String {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        [first, 0, ..] if *first > 0 => return utf16(&bytes, u16::from_le_bytes),
        [0, second, ..] if *second > 0 => return utf16(&bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ..] => drop(bytes.drain(..3)),
        _ => {}
    }
    String::from_utf8(bytes).unwrap_or_else(|error| latin1(error.as_bytes()))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn latin1(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    text
}

/// What stands between the first two quotes of either kind, and what follows.
pub fn quoted(text: &str) -> Option<(&str, &str)> {
    let start = text.find(['"', '\''])?;
    let quote = char::from(text.as_bytes()[start]);
    text[start + 1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_that_windows_writes() {
        let wide = |order: fn(u16) -> [u8; 2], text: &str| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        assert_eq!(decode(b"\xef\xbb\xbf{}".to_vec()), "{}");
        assert_eq!(decode(wide(u16::to_le_bytes, "\u{feff}<caf\u{e9}>")), "<caf\u{e9}>");
        assert_eq!(decode(wide(u16::to_be_bytes, "\u{feff}<a>")), "<a>");
        assert_eq!(decode(wide(u16::to_le_bytes, "<a>")), "<a>");
        assert_eq!(decode(wide(u16::to_be_bytes, "<a>")), "<a>");
        assert_eq!(decode(b"caf\xe9 \xc3\xa9".to_vec()), "caf\u{e9} \u{e9}");
        assert_eq!(decode(b"\xff\xfe<".to_vec()), "");
    }

    #[test]
    fn either_quote_ends_with_its_own_kind() {
        assert_eq!(quoted("a = \"b'c\" d"), Some(("b'c", " d")));
        assert_eq!(quoted("'b"), None);
    }
}
