//! Names from disks and feeds, made safe to show.

/// Bytes as text that cannot move a cursor: control characters and bytes that are not UTF-8
/// become `\xNN`.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_printable(&mut text, chunk.valid());
        for byte in chunk.invalid() {
            push_escape(&mut text, u32::from(*byte));
        }
    }
    text
}

/// As [`printable`], for text that is UTF-8 already.
pub fn printable_str(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    push_printable(&mut text, source);
    text
}

/// A UUID in its usual writing.
pub fn uuid(bytes: &[u8; 16]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn push_printable(text: &mut String, source: &str) {
    for character in source.chars() {
        if character.is_control() || is_directional(character) {
            push_escape(text, u32::from(character));
        } else {
            text.push(character);
        }
    }
}

/// Characters that reorder the text around them, or hide in it.
fn is_directional(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn push_escape(text: &mut String, code: u32) {
    use std::fmt::Write;
    let _ =
        if code < 0x100 { write!(text, "\\x{code:02x}") } else { write!(text, "\\u{{{code:x}}}") };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_terminal_survives() {
        assert_eq!(printable(b"a\x1b[2Jb\xff"), "a\\x1b[2Jb\\xff");
        assert_eq!(printable("caf\u{e9}\u{202e}".as_bytes()), "caf\u{e9}\\u{202e}");
    }
}
