//! Files that are no disk as they stand, told by their first bytes: images of other formats, and
//! packed ones. Taken for raw they would be said to hold nothing.
//!
//! A fixed vhd is not among them: it is the disk byte for byte, with its mark behind it.

use std::fs::File;
use std::os::unix::fs::FileExt;

struct Foreign {
    name: &'static str,
    at: u64,
    magic: &'static [u8],
    advice: &'static str,
}

const fn image(name: &'static str, at: u64, magic: &'static [u8]) -> Foreign {
    Foreign { name, at, magic, advice: "convert it with qemu-img" }
}

const fn packed(name: &'static str, magic: &'static [u8]) -> Foreign {
    Foreign { name, at: 0, magic, advice: "unpack it" }
}

const FOREIGN: &[Foreign] = &[
    image("a vmdk image", 0, b"KDMV"),
    image("a vmdk image", 0, b"COWD"),
    image("a vmdk image", 0, b"# Disk DescriptorFile"),
    image("a vhd image", 0, b"conectix"),
    image("a vhdx image", 0, b"vhdxfile"),
    // Before it stands a text that each program writes as it likes.
    image("a vdi image", 0x40, b"\x7f\x10\xda\xbe"),
    packed("a gzip file", b"\x1f\x8b\x08"),
    packed("an xz file", b"\xfd7zXZ\0"),
    packed("a zstd file", b"\x28\xb5\x2f\xfd"),
    packed("a bzip2 file", b"BZh"),
];

/// What a file is, and what to do with it, if it is no disk.
pub(super) fn recognise(file: &File) -> std::io::Result<Option<String>> {
    let mut head = [0; 128];
    let read = file.read_at(&mut head, 0)?;
    let known = FOREIGN.iter().find(|foreign| {
        let from = head[..read].get(foreign.at as usize..);
        from.is_some_and(|bytes| bytes.starts_with(foreign.magic))
    });
    Ok(known.map(|foreign| format!("{}; {} first", foreign.name, foreign.advice)))
}
