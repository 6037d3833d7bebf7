//! Names are UTF-16 on disk, whose surrogates nothing pairs. Here they are WTF-8 bytes
//! (<https://simonsapin.github.io/wtf-8/>): UTF-8 wherever a name is sound, and no name is lost.

/// Names have at most 255 units.
const MOST_UNITS: usize = 255;

/// WTF-8 of UTF-16 units.
pub fn to_wtf8(units: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(units.len());
    for decoded in char::decode_utf16(units.iter().copied()) {
        match decoded {
            Ok(letter) => bytes.extend(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                let low = |shift: u16| (unit >> shift & 0x3f) as u8 | 0x80;
                bytes.extend([0xed, low(6), low(0)]);
            }
        }
    }
    bytes
}

/// UTF-16 units of a name in WTF-8; `None` for bytes that no name gives.
pub fn from_wtf8(bytes: &[u8]) -> Option<Vec<u16>> {
    let mut units: Vec<u16> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() && units.len() <= MOST_UNITS {
        if let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, tail @ ..] = rest {
            let unit = 0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f);
            let paired = units.last().is_some_and(|last| (0xd800..0xdc00).contains(last));
            if unit >= 0xdc00 && paired {
                return None;
            }
            units.push(unit);
            rest = tail;
            continue;
        }
        let sound = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).ok()?,
        };
        if sound.is_empty() {
            return None;
        }
        units.extend(sound.encode_utf16());
        rest = &rest[sound.len()..];
    }
    (units.len() <= MOST_UNITS).then_some(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_goes_both_ways() {
        let names: [&[u16]; 6] = [
            &[0x61, 0xe9, 0x20ac],
            &[0xd83d, 0xde00],
            &[0xd83d],
            &[0xde00, 0xd83d],
            &[0x61, 0xd800, 0x62, 0xdfff],
            &[0xd800, 0xd800, 0xdc00],
        ];
        for name in names {
            assert_eq!(from_wtf8(&to_wtf8(name)).as_deref(), Some(name));
        }
    }

    #[test]
    fn sound_names_are_utf8() {
        let name: Vec<u16> = "naïve 😀".encode_utf16().collect();
        assert_eq!(to_wtf8(&name), "naïve 😀".as_bytes());
    }

    #[test]
    fn bytes_that_no_name_gives_are_refused() {
        let pair = [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80];
        assert_eq!(from_wtf8(&pair), None);
        assert_eq!(from_wtf8(b"a\xff"), None);
        assert_eq!(from_wtf8(&b"x".repeat(256)), None);
        assert!(from_wtf8(&b"x".repeat(255)).is_some());
    }
}
