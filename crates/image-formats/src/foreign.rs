//! Files that are no disk as they stand, told by their first bytes: images of other formats, and
//! packed ones. Taken for raw they would be said to hold nothing.

use crate::format::Edges;
use crate::tar;

struct Foreign {
    name: &'static str,
    magic: &'static [u8],
    advice: &'static str,
}

const fn image(name: &'static str, magic: &'static [u8]) -> Foreign {
    Foreign { name, magic, advice: "convert it with qemu-img" }
}

const fn packed(name: &'static str, magic: &'static [u8]) -> Foreign {
    Foreign { name, magic, advice: "unpack it" }
}

const FOREIGN: &[Foreign] = &[
    image("a qed image", b"QED\0"),
    image("a parallels image", b"WithoutFreeSpace"),
    image("a parallels image", b"WithouFreSpacExt"),
    packed("a bzip2 file", b"BZh"),
    packed("an lz4 file", b"\x04\x22\x4d\x18"),
    packed("a zip file", b"PK\x03\x04"),
];

/// What a file is, and what to do with it, if it is no disk.
pub fn recognise(edges: &Edges) -> Option<String> {
    if tar::claims(edges) {
        return Some("a tar archive without an OVF; unpack it first".to_owned());
    }
    let known = FOREIGN.iter().find(|foreign| edges.has(0, foreign.magic))?;
    Some(format!("{}; {} first", known.name, known.advice))
}
