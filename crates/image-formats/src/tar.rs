//! The members of a tar archive, as stretches of the archive.
//!
//! Names and sizes as ustar, GNU tar and pax write them. Links, devices and folders are no
//! members: nothing that an archive names is opened.

use crate::bytes::be64;
use crate::error::Error;
use crate::format::Edges;
use block_source::BlockSource;

const HEADER: u64 = 512;
/// Headers that are gone through; an appliance has some.
const MOST_HEADERS: usize = 10_000;
/// Longest name or list of attributes.
const MOST_TEXT: u64 = 64 << 10;

/// A file in the archive.
pub struct Member {
    /// Its path.
    pub name: Vec<u8>,
    /// Where its bytes begin.
    pub at: u64,
    /// How many there are.
    pub length: u64,
    /// Whether the archive left its holes out, so that its bytes are not as they were.
    pub sparse: bool,
}

/// Whether the file starts as a tar archive.
pub fn claims(edges: &Edges) -> bool {
    edges.has(257, b"ustar") && checksum_holds(&edges.head)
}

/// The files in the archive, in order. It may be cut off.
pub fn members(file: &dyn BlockSource) -> Result<Vec<Member>, Error> {
    let mut members = Vec::new();
    let mut pending = Pending::default();
    let (mut at, mut headers) = (0, 0);
    while at + HEADER <= file.size() {
        headers += 1;
        if headers > MOST_HEADERS {
            return Err(Error::unsupported("a tar archive of more than 10000 members"));
        }
        let mut header = [0; HEADER as usize];
        file.read_exact_at(at, &mut header)?;
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        at = pending.step(file, &header, at, &mut members)?;
    }
    Ok(members)
}

/// Whether a member is only about the next one.
fn is_text(kind: u8) -> bool {
    b"xgLK".contains(&kind)
}

/// What was said of the next member.
#[derive(Default)]
struct Pending {
    name: Option<Vec<u8>>,
    length: Option<u64>,
    sparse: bool,
}

impl Pending {
    /// Takes one header; where the next one is.
    fn step(
        &mut self,
        file: &dyn BlockSource,
        header: &[u8; HEADER as usize],
        at: u64,
        members: &mut Vec<Member>,
    ) -> Result<u64, Error> {
        if !checksum_holds(header) {
            return Error::corrupt("no sound header of a member", at);
        }
        let length = number(&header[124..136]).ok_or(Error::Corrupt { what: "size", at })?;
        let (kind, start) = (header[156], at + HEADER);
        let mut behind = length;
        if is_text(kind) {
            self.read(file, kind, start, length)?;
        } else {
            let pending = std::mem::take(self);
            // The size in attributes is that of the member behind them.
            behind = pending.length.unwrap_or(length);
            members.extend(pending.member(header, start, behind));
        }
        let next = behind.checked_next_multiple_of(HEADER).and_then(|n| start.checked_add(n));
        next.ok_or(Error::Corrupt { what: "size out of range", at })
    }

    fn read(
        &mut self,
        file: &dyn BlockSource,
        kind: u8,
        at: u64,
        length: u64,
    ) -> Result<(), Error> {
        if length > MOST_TEXT {
            return Error::corrupt("attributes too long", at);
        }
        let mut text = vec![0; length as usize];
        file.read_exact_at(at, &mut text)?;
        match kind {
            b'L' => self.name = Some(until_zero(&text).to_vec()),
            b'x' => self.attributes(&text, at)?,
            _ => {}
        }
        Ok(())
    }

    /// Lines of `LENGTH KEY=VALUE`, where the length is that of the line.
    fn attributes(&mut self, text: &[u8], at: u64) -> Result<(), Error> {
        let mut rest = text;
        while !rest.is_empty() {
            let Some((record, behind)) = record(rest) else {
                return Error::corrupt("attributes of a member", at);
            };
            rest = behind;
            let Some(equals) = record.iter().position(|byte| *byte == b'=') else { continue };
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"size" => self.length = decimal(value),
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn member(self, header: &[u8; 512], at: u64, length: u64) -> Option<Member> {
        let kind = header[156];
        if !b"0\x007S".contains(&kind) {
            return None;
        }
        let name = self.name.unwrap_or_else(|| {
            let (prefix, name) = (until_zero(&header[345..500]), until_zero(&header[..100]));
            // GNU tar has other things in the place of the prefix, and two spaces in the magic.
            if prefix.is_empty() || header[263] == b' ' {
                return name.to_vec();
            }
            [prefix, b"/", name].concat()
        });
        Some(Member { name, at, length, sparse: self.sparse || kind == b'S' })
    }
}

/// The first line without its length and end, and what is behind it.
fn record(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = rest.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&rest[..space])?).ok()?;
    let record = rest.get(space + 1..length)?.strip_suffix(b"\n")?;
    Some((record, &rest[length..]))
}

fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A size: octal digits, or where these do not suffice big endian with the highest bit set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] == 0x80 {
        return field[1..4].iter().all(|byte| *byte == 0).then(|| be64(field, 4));
    }
    let text = std::str::from_utf8(until_zero(field)).ok()?.trim();
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn until_zero(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// All bytes added up, those of the checksum as spaces.
fn checksum_holds(header: &[u8]) -> bool {
    let said = header.get(148..156).and_then(|field| {
        let text = std::str::from_utf8(until_zero(field)).ok()?.trim();
        u64::from_str_radix(text, 8).ok()
    });
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    header.len() == 512 && said == Some(sum(&header[..148]) + 256 + sum(&header[156..]))
}
