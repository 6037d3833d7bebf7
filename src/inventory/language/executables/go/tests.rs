//! Build information that was made here, in an ELF of one segment and one section, and damage to it.

use super::*;
use std::sync::Arc;

const BASE: u64 = 0x1000;
/// Where the data start in the file.
const DATA: usize = 0x100;

/// An ELF whose data, which are also the section of this name, are these bytes.
fn elf(name: &str, data: &[u8]) -> Vec<u8> {
    let mut file = vec![0; DATA];
    file[..6].copy_from_slice(b"\x7fELF\x02\x01");
    let names = [b"\0", name.as_bytes(), b"\0"].concat();
    let (names_at, table_at) = (DATA + data.len(), DATA + data.len() + names.len());
    put(&mut file, 32, 64);
    put(&mut file, 40, table_at as u64);
    file[54..64].copy_from_slice(&[56, 0, 1, 0, 64, 0, 2, 0, 1, 0]);
    // The segment: loaded, writable.
    file[64..72].copy_from_slice(&[1, 0, 0, 0, 6, 0, 0, 0]);
    for (at, number) in [(72, DATA as u64), (80, BASE), (96, data.len() as u64)] {
        put(&mut file, at, number);
    }
    file.extend_from_slice(data);
    file.extend_from_slice(&names);
    for (name, at, size) in [(1u32, DATA, data.len()), (0, names_at, names.len())] {
        let mut section = [0; 64];
        section[..4].copy_from_slice(&name.to_le_bytes());
        section[4] = 1;
        put(&mut section, 16, if name == 1 { BASE } else { 0 });
        put(&mut section, 24, at as u64);
        put(&mut section, 32, size as u64);
        file.extend_from_slice(&section);
    }
    file
}

fn put(bytes: &mut [u8], at: usize, number: u64) {
    bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
}

fn header(pointer: u8, flags: u8, numbers: [u64; 2]) -> Vec<u8> {
    let mut header = [MAGIC, &[pointer, flags]].concat();
    for number in numbers {
        header.extend_from_slice(&number.to_le_bytes());
    }
    header
}

fn marked(lines: &str) -> Vec<u8> {
    [&[1; SENTINEL], lines.as_bytes(), &[2; SENTINEL]].concat()
}

/// Version, modules, and what is damaged of them.
type Read = (String, String, Vec<String>);

fn info(file: Vec<u8>) -> Result<Option<Read>, Error> {
    let mut programs = executable_reader::open(Arc::new(file)).unwrap();
    let found = build_info(&programs.remove(0))?;
    Ok(found
        .map(|it| (it.version, it.modules, it.damage.iter().map(ToString::to_string).collect())))
}

fn read(name: &str, data: &[u8]) -> Result<Option<Read>, Error> {
    info(elf(name, data))
}

/// What is there of a program that is of Go.
fn damaged(data: &[u8]) -> Read {
    let found = read(".go.buildinfo", data).unwrap().unwrap();
    assert_eq!(found.2.len(), 1, "{found:?}");
    found
}

fn whole() -> Read {
    ("go1.20".to_owned(), "path\ta\n".to_owned(), Vec::new())
}

fn inline_form() -> Vec<u8> {
    let modules = marked("path\ta\n");
    let mut data = header(8, INLINE, [0, 0]);
    for text in [b"go1.20", modules.as_slice()] {
        data.push(text.len() as u8);
        data.extend_from_slice(text);
    }
    data
}

/// The header at the start, strings of pointer and length behind it, then what they point to.
fn pointer_form() -> Vec<u8> {
    let modules = marked("path\ta\n");
    let mut data = header(8, 0, [BASE + 32, BASE + 48]);
    let strings = [BASE + 64, 6, BASE + 70, modules.len() as u64];
    for number in strings {
        data.extend_from_slice(&number.to_le_bytes());
    }
    [data.as_slice(), b"go1.20", &modules].concat()
}

#[test]
fn both_forms_are_read_and_without_a_section_neither() {
    assert_eq!(read(".go.buildinfo", &inline_form()).unwrap(), Some(whole()));
    assert_eq!(read(".go.buildinfo", &pointer_form()).unwrap(), Some(whole()));
    assert_eq!(read(".data", &inline_form()).unwrap(), None);
    let padded = [[0; 48].as_slice(), &inline_form()].concat();
    assert_eq!(read(".go.buildinfo", &padded).unwrap(), Some(whole()));
}

#[test]
fn an_elf_without_sections_is_searched_at_the_start_of_its_data() {
    let mut file = elf("", &inline_form());
    put(&mut file, 40, 0);
    assert_eq!(info(file).unwrap(), Some(whole()));
}

#[test]
fn so_is_one_whose_other_sections_are_of_go() {
    assert_eq!(read(".gopclntab", &inline_form()).unwrap(), Some(whole()));
    assert_eq!(read(".gopclntab", &[0; 64]).unwrap(), None);
}

#[test]
fn pointers_and_lengths_that_lie() {
    let pointer = |at: usize, number: u64| {
        let mut data = pointer_form();
        put(&mut data, at, number);
        read(".go.buildinfo", &data)
    };
    for number in [0, 1, BASE + 1000, u64::MAX, BASE - 1] {
        for at in [16, 32] {
            let (version, modules, damage) = pointer(at, number).unwrap().unwrap();
            assert_eq!((version.as_str(), modules.as_str()), ("", "path\ta\n"), "{number:#x}");
            assert_eq!(damage.len(), 1, "{number:#x}");
        }
        for at in [24, 48] {
            let (version, modules, damage) = pointer(at, number).unwrap().unwrap();
            assert_eq!((version.as_str(), modules.as_str()), ("go1.20", ""), "{number:#x}");
            assert_eq!(damage.len(), 1, "{number:#x}");
        }
    }
    // A string that is itself, and those that are longer than what is loaded or empty.
    assert!(pointer(32, BASE + 32).is_ok());
    for length in [0, 1000, u64::MAX] {
        assert_eq!(pointer(40, length).unwrap().unwrap().0, "");
    }
    for length in [1000, u64::MAX, 40, 20, 1] {
        let (version, _, damage) = pointer(56, length).unwrap().unwrap();
        assert_eq!((version.as_str(), damage.len()), ("go1.20", 1), "{length}");
    }
    let without = pointer(56, 0).unwrap().unwrap();
    assert_eq!(without, ("go1.20".to_owned(), String::new(), Vec::new()));
    let mut data = pointer_form();
    data[14] = 3;
    assert!(read(".go.buildinfo", &data).is_err());
}

#[test]
fn inline_lengths_that_lie() {
    for length in [[0xff, 0xff], [0x80, 0x80], [0xff, 0x07]] {
        let mut data = inline_form();
        data[32..34].copy_from_slice(&length);
        assert_eq!(damaged(&data).0, "", "{length:?}");
    }
    for length in HEADER + 8..inline_form().len() - SENTINEL {
        let found = damaged(&inline_form()[..length]);
        assert_eq!(found.0, "go1.20", "{length}");
    }
    let empty = [header(8, INLINE, [0, 0]).as_slice(), b"\0\0"].concat();
    assert_eq!(damaged(&empty).0, "");
    let unmarked = [header(8, INLINE, [0, 0]).as_slice(), b"\x02go\x03abc"].concat();
    assert_eq!(damaged(&unmarked).1, "");
}

#[test]
fn a_list_without_its_end_tells_its_whole_lines() {
    let mut data = header(8, INLINE, [0, 0]);
    data.extend_from_slice(b"\x06go1.20");
    let list = [&[1; SENTINEL], b"path\ta\ndep\tx\tv1\ndep\ty".as_slice()].concat();
    data.push(list.len() as u8);
    data.extend_from_slice(&list);
    assert_eq!(damaged(&data).1, "path\ta\ndep\tx\tv1\n");
}

#[test]
fn a_section_that_is_not_what_its_name_says() {
    assert!(read(".go.buildinfo", &MAGIC[..8]).is_err());
    assert!(read(".go.buildinfo", &[0; 64]).is_err());
}
