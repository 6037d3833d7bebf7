//! Numbers that lie, in each structure of each format.

use crate::made::{CONTENT, elf_big, macho, pe, read, universal};
use executable_reader::{Error, Executable};
use std::sync::Arc;

/// What comes of a file in which a number is another.
fn changed(mut file: Vec<u8>, at: usize, with: &[u8]) -> String {
    file[at..at + with.len()].copy_from_slice(with);
    match executable_reader::open(Arc::new(file)) {
        Err(error) => error.to_string(),
        Ok(programs) => match programs.iter().flat_map(Executable::problems).next() {
            Some(problem) => problem.to_string(),
            None if programs.iter().any(|it| it.section(".note").is_some()) => "whole".to_owned(),
            None => "nothing".to_owned(),
        },
    }
}

#[test]
fn each_is_told() {
    let elf = [
        (4, &b"\x07"[..], "the header"),
        (5, b"\x00", "the header"),
        (28, b"\xff\xff\xff\xff", "outside of the file"),
        (32, b"\xff\xff\xff\xf0", "outside of the file"),
        (42, b"\x00\x01", "unknown size"),
        (46, b"\x00\x27", "unknown size"),
        (48, b"\xff\xfe", "outside of the file"),
        (48, b"\x00\x00", "nothing"),
        (50, b"\x00\x09", "no section with the names"),
        (50, b"\xff\xff", "nothing"),
        (296, b"\x7f\xff\xff\xff", "outside of the file"),
        (240, b"\x7f\xff\xff\xff", "nothing"),
    ];
    for (at, with, why) in elf {
        let came = changed(elf_big(), at, with);
        assert!(came.contains(why), "ELF at {at}: {came} instead of {why}");
    }
    let others = [
        (pe(), 0x3c, &b"\xff\xff\xff\xff"[..], "nothing"),
        (pe(), 0x40, b"NE", "nothing"),
        (pe(), 0x54, b"\xff\xff", "outside of the file"),
        (pe(), 0x54, b"\x04\x00", "the optional header"),
        (pe(), 0x46, b"\xff\xff", "outside of the file"),
        (macho(), 20, b"\xff\xff\xff\x7f", "commands outside"),
        (macho(), 16, b"\xff\xff\xff\xff", "a command longer than their table"),
        (macho(), 36, b"\x00\x00\x00\x00", "a command longer than their table"),
        (macho(), 36, b"\x10\x00\x00\x00", "a segment longer than its command"),
        (macho(), 96, b"\xff\xff\xff\xff", "a segment longer than its command"),
        (universal(), 16, b"\xff\xff\xff\xff", "an architecture outside"),
        (universal(), 20, b"\xff\xff\xff\xff", "an architecture outside"),
        (universal(), 256, b"text", "no executable of an architecture"),
        (universal(), 4, b"\x00\x00\x00\x00", "nothing"),
    ];
    for (file, at, with, why) in others {
        let start = file[..4].to_vec();
        let came = changed(file, at, with);
        assert!(came.contains(why), "{start:x?} at {at}: {came} instead of {why}");
    }
}

#[test]
fn a_section_outside_of_the_file_is_an_error_when_it_is_read() {
    let mut file = pe();
    file[0x8c..0x90].copy_from_slice(b"\xff\xff\xff\xff");
    let program = read(&file).remove(0);
    let part = program.section(".note").unwrap();
    let error = program.bytes(part.offset, part.size as usize).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert!(program.at_address(part.address, 1).is_err());
    assert!(program.bytes(u64::MAX, usize::MAX).is_err());
}

#[test]
fn no_byte_that_is_turned_and_no_end_makes_a_panic() {
    for file in [elf_big(), pe(), macho(), universal()] {
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut file = file.clone();
                file[at] = value;
                for program in executable_reader::open(Arc::new(file)).unwrap_or_default() {
                    for part in program.sections() {
                        let _ = program.bytes(part.offset, CONTENT.len());
                        let _ = program.at_address(part.address, 4);
                    }
                }
            }
            let _ = executable_reader::open(Arc::new(file[..at].to_vec()));
        }
    }
}
