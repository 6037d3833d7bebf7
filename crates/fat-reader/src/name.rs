//! Names: eight and three characters of a code page, and long ones in pieces of UTF-16 before them.

/// Characters of code page 437 from 0x80, which is what Linux takes short names for.
const HIGH: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ',
    'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ',
    'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡', '«', '»', '░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕',
    '╣', '║', '╗', '╝', '╜', '╛', '┐', '└', '┴', '┬', '├', '─', '┼', '╞', '╟', '╚', '╔', '╩', '╦',
    '╠', '═', '╬', '╧', '╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█', '▄', '▌', '▐',
    '▀', 'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩', '≡', '±',
    '≥', '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', '\u{a0}',
];
/// Units of UTF-16 in one piece of a long name.
const PIECE: usize = 13;
const LAST_PIECE: u8 = 0x40;
const MOST_PIECES: u8 = 20;

/// A short name: eight bytes, three bytes, and which of the two are shown in lower case.
pub fn short(bytes: &[u8; 11], case: u8) -> String {
    let part = |bytes: &[u8], lower: bool| {
        let length = bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
        let characters = bytes[..length].iter().map(|byte| character(*byte));
        let text: String = characters.collect();
        if lower { text.to_lowercase() } else { text }
    };
    let mut stem = *bytes;
    // The mark of a removed entry stands for itself as 5.
    if stem[0] == 5 {
        stem[0] = 0xe5;
    }
    let (stem, extension) = (part(&stem[..8], case & 8 != 0), part(&stem[8..], case & 16 != 0));
    if extension.is_empty() { stem } else { format!("{stem}.{extension}") }
}

fn character(byte: u8) -> char {
    if byte < 0x80 { char::from(byte) } else { HIGH[usize::from(byte - 0x80)] }
}

/// The sum by which the pieces of a long name know their short one.
fn checksum(short: &[u8; 11]) -> u8 {
    short.iter().fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// A long name on the way: its pieces come last first.
#[derive(Default)]
pub struct Long {
    units: Vec<u16>,
    /// Number of the piece that must come next.
    next: u8,
    checksum: u8,
}

impl Long {
    /// Takes a piece, and forgets the others if it is none of theirs.
    pub fn take(&mut self, entry: &[u8; 32]) {
        let (number, checksum) = (entry[0] & 0x3f, entry[13]);
        if entry[0] & LAST_PIECE != 0 && (1..=MOST_PIECES).contains(&number) {
            *self = Self { units: vec![0; usize::from(number) * PIECE], next: number, checksum };
        } else if number == 0 || number != self.next || checksum != self.checksum {
            *self = Self::default();
            return;
        }
        if self.next == 0 {
            return;
        }
        let places = (1..11).step_by(2).chain((14..26).step_by(2)).chain([28, 30]);
        let start = (usize::from(number) - 1) * PIECE;
        for (unit, at) in self.units[start..].iter_mut().zip(places) {
            *unit = u16::from_le_bytes([entry[at], entry[at + 1]]);
        }
        self.next -= 1;
    }

    /// The name, if it is whole and belongs to this short one.
    pub fn finish(&mut self, short: &[u8; 11]) -> Option<String> {
        let Self { units, next, checksum: sum } = std::mem::take(self);
        if units.is_empty() || next != 0 || sum != checksum(short) {
            return None;
        }
        let length = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
        Some(String::from_utf16_lossy(&units[..length])).filter(|name| !name.is_empty())
    }
}
