//! The text that tells which extents make up a vmdk, and whether it stands on a parent.

use crate::error::Error;
use crate::layer::MOST_BYTES;

/// Files that are kept open for one disk: 2 TiB in extents of 2 GiB.
const MOST_EXTENTS: usize = 1024;

/// A parsed descriptor.
pub struct Descriptor {
    pub extents: Vec<Extent>,
}

/// A part of the disk in a file.
pub struct Extent {
    pub sectors: u64,
    pub kind: Kind,
    pub name: Vec<u8>,
    /// First sector in its file.
    pub offset: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sparse,
    Flat,
    Zero,
}

impl Descriptor {
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        check_parent(text)?;
        let mut extents = Vec::new();
        for line in lines(text) {
            if let Some(extent) = Extent::parse(line).transpose()? {
                extents.push(extent);
            }
            if extents.len() > MOST_EXTENTS {
                return Err(Error::unsupported("a vmdk in more than 1024 extents"));
            }
        }
        if extents.is_empty() {
            return Error::corrupt("descriptor without extents", 0);
        }
        Ok(Self { extents })
    }
}

/// Refuses a disk that stands on another.
pub fn check_parent(text: &[u8]) -> Result<(), Error> {
    if lines(text).any(has_parent) {
        return Err(Error::unsupported("a vmdk that stands on a parent"));
    }
    Ok(())
}

/// All but comments. An embedded descriptor ends where its place is filled up with zeroes.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    let lines = text[..end].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.starts_with(b"#"))
}

/// `parentCID=` with another number than that for none.
fn has_parent(line: &[u8]) -> bool {
    let Some(at) = line.iter().position(|byte| *byte == b'=') else { return false };
    let (key, value) = (line[..at].trim_ascii(), line[at + 1..].trim_ascii());
    key.eq_ignore_ascii_case(b"parentCID") && !value.eq_ignore_ascii_case(b"ffffffff")
}

impl Extent {
    /// `RW 4192256 SPARSE "name" 0`; `None` for any other line.
    fn parse(line: &[u8]) -> Option<Result<Self, Error>> {
        let before = line.iter().position(|byte| *byte == b'"').unwrap_or(line.len());
        let words: Vec<_> = line[..before].split(u8::is_ascii_whitespace).collect();
        let mut words = words.into_iter().filter(|word| !word.is_empty());
        let access = words.next()?;
        if ![&b"RW"[..], b"RDONLY", b"NOACCESS"].contains(&access) {
            return None;
        }
        let (sectors, kind) = (words.next().and_then(number), words.next());
        let Some(sectors) = sectors.filter(|sectors| *sectors <= MOST_BYTES / 512) else {
            return Some(Error::corrupt("extent without a size", 0));
        };
        Some(Self::of(access, sectors, kind.unwrap_or_default(), &line[before..]))
    }

    fn of(access: &[u8], sectors: u64, kind: &[u8], rest: &[u8]) -> Result<Self, Error> {
        let kind = match kind {
            b"SPARSE" => Kind::Sparse,
            b"FLAT" | b"VMFS" => Kind::Flat,
            b"ZERO" => Kind::Zero,
            other => {
                let other = crate::error::shown(other);
                return Err(Error::unsupported(format!("vmdk extents of the kind {other:?}")));
            }
        };
        if access == b"NOACCESS" {
            return Err(Error::unsupported("vmdk extents without access"));
        }
        if kind == Kind::Zero {
            return Ok(Self { sectors, kind, name: Vec::new(), offset: 0 });
        }
        let (name, offset) = quoted(rest).unwrap_or_default();
        let offset = offset.filter(|offset| *offset <= MOST_BYTES / 512);
        let Some(offset) = offset else { return Error::corrupt("extent without a place", 0) };
        Ok(Self { sectors, kind, name: name.to_vec(), offset })
    }
}

/// A name in quotes, and the number behind it, which is left out when it is nothing.
fn quoted(rest: &[u8]) -> Option<(&[u8], Option<u64>)> {
    let inner = rest.strip_prefix(b"\"")?;
    let end = inner.iter().rposition(|byte| *byte == b'"')?;
    let behind = inner[end + 1..].trim_ascii();
    let offset = if behind.is_empty() { Some(0) } else { number(behind) };
    Some((&inner[..end], offset))
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}
