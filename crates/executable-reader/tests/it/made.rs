//! Programs of each format with one section `.note` of the bytes `here it is`, made field by field.

use executable_reader::{Executable, Format};
use std::sync::Arc;

pub const CONTENT: &[u8] = b"here it is";
const ADDRESS: u64 = 0x1000;

fn put(bytes: &mut Vec<u8>, at: usize, number: u64, length: usize, is_big: bool) {
    if bytes.len() < at + length {
        bytes.resize(at + length, 0);
    }
    let mut field = number.to_le_bytes()[..length].to_vec();
    if is_big {
        field.reverse();
    }
    bytes[at..at + length].copy_from_slice(&field);
}

/// A writer of numbers in one order.
macro_rules! fields {
    ($bytes:ident, $big:expr, $(($at:expr, $number:expr, $length:expr)),* $(,)?) => {
        $(put(&mut $bytes, $at, $number as u64, $length, $big);)*
    };
}

/// ELF of 32 bits, whose largest byte comes first.
pub fn elf_big() -> Vec<u8> {
    let mut file = b"\x7fELF\x01\x02".to_vec();
    fields!(
        file,
        true,
        (28, 52, 4),
        (32, 200, 4),
        (42, 32, 2),
        (44, 1, 2),
        (46, 40, 2),
        (48, 3, 2),
        (50, 2, 2)
    );
    // The segment, then the sections: none, the content, the names.
    fields!(
        file,
        true,
        (52, 1, 4),
        (56, 120, 4),
        (60, ADDRESS, 4),
        (68, CONTENT.len(), 4),
        (76, 2, 4)
    );
    fields!(
        file,
        true,
        (240, 1, 4),
        (244, 1, 4),
        (248, 3, 4),
        (252, ADDRESS, 4),
        (256, 120, 4),
        (260, CONTENT.len(), 4)
    );
    fields!(file, true, (280, 0, 4), (284, 3, 4), (296, 140, 4), (300, 7, 4), (316, 0, 4));
    file[120..120 + CONTENT.len()].copy_from_slice(CONTENT);
    file[141..146].copy_from_slice(b".note");
    file
}

pub fn pe() -> Vec<u8> {
    let mut file = b"MZ".to_vec();
    fields!(
        file,
        false,
        (0x3c, 0x40, 4),
        (0x46, 1, 2),
        (0x54, 32, 2),
        (0x58, 0x20b, 2),
        (0x70, 0x40_0000, 8)
    );
    file[0x40..0x44].copy_from_slice(b"PE\0\0");
    fields!(
        file,
        false,
        (0x80, CONTENT.len(), 4),
        (0x84, ADDRESS, 4),
        (0x88, 512, 4),
        (0x8c, 0x200, 4),
        (0x9c, 0xc000_0040u64, 4),
        (0x3ff, 0, 1)
    );
    file[0x78..0x7d].copy_from_slice(b".note");
    file[0x200..0x200 + CONTENT.len()].copy_from_slice(CONTENT);
    file
}

pub fn macho() -> Vec<u8> {
    let mut file = vec![0xcf, 0xfa, 0xed, 0xfe];
    fields!(file, false, (16, 1, 4), (20, 152, 4), (32, 0x19, 4), (36, 152, 4));
    fields!(
        file,
        false,
        (56, ADDRESS, 8),
        (72, 0x100, 8),
        (80, CONTENT.len(), 8),
        (92, 3, 4),
        (96, 1, 4)
    );
    fields!(
        file,
        false,
        (136, ADDRESS, 8),
        (144, CONTENT.len(), 8),
        (152, 0x100, 4),
        (0x1ff, 0, 1)
    );
    file[40..46].copy_from_slice(b"__DATA");
    file[104..109].copy_from_slice(b".note");
    file[0x100..0x100 + CONTENT.len()].copy_from_slice(CONTENT);
    file
}

/// Two of [`macho`].
pub fn universal() -> Vec<u8> {
    let mut file = vec![0xca, 0xfe, 0xba, 0xbe];
    let one = macho();
    fields!(
        file,
        true,
        (4, 2, 4),
        (16, 256, 4),
        (20, one.len(), 4),
        (36, 1024, 4),
        (40, one.len(), 4)
    );
    for at in [256, 1024] {
        file.resize(at, 0);
        file.extend_from_slice(&one);
    }
    file
}

pub fn read(bytes: &[u8]) -> Vec<Executable> {
    executable_reader::open(Arc::new(bytes.to_vec())).unwrap()
}

#[test]
fn the_section_of_every_format() {
    let cases = [
        (elf_big(), Format::Elf, 1),
        (pe(), Format::Pe, 1),
        (macho(), Format::MachO, 1),
        (universal(), Format::MachO, 2),
    ];
    for (bytes, format, count) in cases {
        let programs = read(&bytes);
        assert_eq!(programs.len(), count, "{format:?}");
        for program in programs {
            assert_eq!(program.format(), format);
            let part = program.section(".note").unwrap().clone();
            assert!(part.is_writable, "{format:?}");
            assert_eq!(program.bytes(part.offset, part.size as usize).unwrap(), CONTENT);
            assert_eq!(program.at_address(part.address + 5, 5).unwrap(), &CONTENT[5..]);
            assert!(program.at_address(part.address, part.size as usize + 1).is_err());
            assert!(program.problems().is_empty());
        }
    }
}

#[test]
fn what_is_no_program_is_none() {
    let cases: [&[u8]; 5] =
        [b"", b"\x7fEL", b"MZ and then text", b"\xca\xfe\xba\xbe\0\0\0\x41", b"#!/bin/sh"];
    for bytes in cases {
        assert!(read(bytes).is_empty(), "{bytes:?}");
    }
}
