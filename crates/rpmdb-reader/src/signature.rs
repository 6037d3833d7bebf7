//! The key of a signature. What is signed is not checked: only whose signature it says to be.
//!
//! OpenPGP packets: <https://www.rfc-editor.org/rfc/rfc9580>.

use crate::bytes::{be16, be32, part};
use crate::header::{Header, tag};
use std::fmt;

const SIGNATURE: u8 = 2;
const ISSUER: u8 = 16;
const FINGERPRINT: u8 = 33;
/// Bytes of a signature that are looked at; real ones have some hundreds.
const MOST_SIGNATURE: usize = 64 << 10;

/// Eight bytes that name a key; shown as sixteen digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// The key of the first signature of a header that names one.
pub fn key_of(header: &Header<'_>) -> Option<KeyId> {
    let binary = [tag::DSA_HEADER, tag::RSA_HEADER, tag::SIG_GPG, tag::SIG_PGP];
    let mut binary = binary.into_iter().filter_map(|tag| header.bytes(tag).ok().flatten());
    binary.find_map(key_of_packet).or_else(|| {
        let texts = header.texts(tag::OPENPGP).ok().flatten()?;
        texts.take(16).find_map(|text| key_of_packet(&base64(text)?))
    })
}

/// The key of a signature packet.
fn key_of_packet(packet: &[u8]) -> Option<KeyId> {
    let (kind, body) = open_packet(packet)?;
    let body = body.get(..body.len().min(MOST_SIGNATURE))?;
    match *body.first().filter(|_| kind == SIGNATURE)? {
        // Length, type, time, key.
        2 | 3 => part(body, 7, 8)?.try_into().ok().map(KeyId),
        version @ 4..=6 => key_of_subpackets(body, if version == 6 { 4 } else { 2 }),
        _ => None,
    }
}

/// The hashed parts of a signature, then those that are not.
fn key_of_subpackets(body: &[u8], width: usize) -> Option<KeyId> {
    let mut at = 4;
    for _ in 0..2 {
        let length = if width == 2 { u32::from(be16(body, at)) } else { be32(body, at) } as usize;
        let area = part(body, at + width, length)?;
        if let Some(key) = find_issuer(area) {
            return Some(key);
        }
        at += width + length;
    }
    None
}

fn find_issuer(mut area: &[u8]) -> Option<KeyId> {
    loop {
        let (length, used) = length(area)?;
        let subpacket = part(area, used, length)?;
        let (kind, body) = subpacket.split_first()?;
        let key = match kind & 0x7f {
            ISSUER => body.try_into().ok(),
            // The end of a fingerprint of version 4 is the key, of later ones the beginning.
            FINGERPRINT if body.first() == Some(&4) => body.last_chunk().copied(),
            FINGERPRINT => body.get(1..9).and_then(|key| key.try_into().ok()),
            _ => None,
        };
        if let Some(key) = key {
            return Some(KeyId(key));
        }
        area = &area[used + length..];
    }
}

/// Kind and body of a packet, in the old or the new format.
fn open_packet(packet: &[u8]) -> Option<(u8, &[u8])> {
    let (first, rest) = packet.split_first().filter(|(first, _)| *first & 0x80 != 0)?;
    if first & 0x40 != 0 {
        let (length, used) = length(rest)?;
        return Some((first & 0x3f, part(rest, used, length)?));
    }
    let kind = first >> 2 & 0xf;
    let (length, used) = match first & 3 {
        0 => (usize::from(*rest.first()?), 1),
        1 => (usize::from(be16(rest, 0)), 2),
        2 => (be32(rest, 0) as usize, 4),
        _ => (rest.len(), 0),
    };
    Some((kind, part(rest, used, length)?))
}

/// A length of one, two or five bytes, and how many it took.
fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = *bytes.first()?;
    match first {
        0..192 => Some((usize::from(first), 1)),
        192..255 => {
            let high = (usize::from(first) - 192) << 8;
            Some((high + usize::from(*bytes.get(1)?) + 192, 2))
        }
        255 => part(bytes, 1, 4).map(|length| (be32(length, 0) as usize, 5)),
    }
}

/// Bytes of a text in base64, without its line breaks; nothing if it is none.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.iter().take(MOST_SIGNATURE).filter(|byte| !byte.is_ascii_whitespace());
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for digit in digits.take_while(|digit| **digit != b'=') {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, held) = (bits << 6 | u32::from(value), held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}
