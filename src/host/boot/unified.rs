//! Unified kernel images: a kernel, its initramfs and its command line in one program of the firmware.
//!
//! The command line is the section `.cmdline` of a PE file; of several (an image with profiles) the
//! first is taken. Only the headers and that section are read.
//! Formats: <https://uapi-group.org/specifications/specs/unified_kernel_image/>,
//! <https://learn.microsoft.com/en-us/windows/win32/debug/pe-format>. Refused: more than 96 sections,
//! headers past the first 64 KiB, a command line over 64 KiB, one beyond the end of the file.

use super::{Entry, bls};
use crate::host::Tree;
use crate::model::{Gap, GapReason, printable};

/// Most images that are read.
const MOST_IMAGES: usize = 32;
/// Where the headers have to end.
const HEADERS: usize = 64 << 10;
/// As the loader of Windows has it.
const MOST_SECTIONS: usize = 96;
const LONGEST: usize = 64 << 10;
const SECTION: usize = 40;
const NAME: &[u8; 8] = b".cmdline";

/// The images in a folder, the newest version first.
pub fn entries(tree: &Tree, folder: &str, gaps: &mut Vec<Gap>) -> Vec<Entry> {
    let listed = tree.list(folder.as_bytes(), gaps).into_iter().map(|entry| entry.name);
    let is_image = |name: &Vec<u8>| name.to_ascii_lowercase().ends_with(b".efi");
    let mut names: Vec<_> = listed.filter(is_image).collect();
    if names.len() > MOST_IMAGES {
        let detail = format!("{} images; only the first {MOST_IMAGES} were read", names.len());
        gaps.push(Gap::new(folder, GapReason::Limit, detail));
        names.truncate(MOST_IMAGES);
    }
    let mut found = Vec::new();
    for name in names {
        let path = [folder.as_bytes(), b"/", &name].concat();
        let Some(line) = command_line(tree, &path, gaps) else { continue };
        let id = String::from_utf8_lossy(&name[..name.len() - b".efi".len()]);
        let (id, is_bad) = bls::without_tries(&id);
        let (id, place) = (id.to_owned(), Some(printable(&path)));
        found.push((is_bad, Entry { id, place, command_line: Some(line), ..Entry::default() }));
    }
    found.sort_by(|(a_bad, a), (b_bad, b)| {
        a_bad.cmp(b_bad).then_with(|| bls::compare(&b.id, &a.id))
    });
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// That of an image; what cannot be read is a gap, and an image without one is none of a system.
fn command_line(tree: &Tree, path: &[u8], gaps: &mut Vec<Gap>) -> Option<String> {
    let mut part = |offset: u64, length: usize| match tree.read_part(path, offset, length) {
        Ok(bytes) => bytes,
        Err(error) => {
            gaps.push(Gap::new(printable(path), error.reason(), error));
            None
        }
    };
    let headers = part(0, HEADERS)?;
    let found = section(&headers);
    let bytes = match found {
        Ok(Some((offset, length))) => part(offset, length).filter(|it| it.len() == length),
        Ok(None) => return None,
        Err(what) => {
            gaps.push(Gap::new(printable(path), GapReason::Corrupt, format!("damaged: {what}")));
            return None;
        }
    };
    let Some(bytes) = bytes else {
        let detail = "damaged: the command line is beyond the end of the image";
        gaps.push(Gap::new(printable(path), GapReason::Corrupt, detail));
        return None;
    };
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(String::from_utf8_lossy(text).trim().to_owned())
}

/// Offset and length of the section in the file. `None` if there is none, or if it is no PE file.
///
/// A DOS header has the place of the PE header at 60. That is a signature (4), the count of sections
/// (6), the size of the optional header (20), which begins at 24; the sections' headers follow: name,
/// size in memory (8), size in the file (16), place in the file (20).
fn section(headers: &[u8]) -> Result<Option<(u64, usize)>, &'static str> {
    if !headers.starts_with(b"MZ") {
        return Ok(None);
    }
    let start = u32_at(headers, 60).ok_or("it ends in its headers")? as usize;
    let header = headers.get(start..).ok_or("headers too far behind")?;
    if !header.starts_with(b"PE\0\0") {
        return Ok(None);
    }
    let count = u16_at(header, 6).ok_or("it ends in its headers")?;
    let optional = u16_at(header, 20).ok_or("it ends in its headers")?;
    if count > MOST_SECTIONS {
        return Err("too many sections");
    }
    let sections = header.get(24 + optional..).ok_or("it ends in its headers")?;
    if sections.len() < count * SECTION {
        return Err("it ends in its headers");
    }
    let mut sections = sections.chunks_exact(SECTION).take(count);
    let Some(found) = sections.find(|it| it.starts_with(NAME)) else { return Ok(None) };
    let field = |at: usize| u32_at(found, at).ok_or("it ends in its headers");
    // In the file it is padded; a linker may leave the size in memory out.
    let (memory, file) = (field(8)? as usize, field(16)? as usize);
    let length = if memory == 0 { file } else { memory.min(file) };
    if length > LONGEST {
        return Err("a command line of more than 64 KiB");
    }
    Ok(Some((u64::from(field(20)?), length)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest headers of an image with these sections.
    fn image(sections: &[(&[u8; 8], u32, u32, u32)]) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 24];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[60] = 64;
        bytes[64..68].copy_from_slice(b"PE\0\0");
        bytes[64 + 6] = sections.len() as u8;
        for (name, memory, file, place) in sections {
            let start = bytes.len();
            bytes.extend([0; SECTION]);
            bytes[start..start + 8].copy_from_slice(*name);
            for (at, value) in [(8, memory), (16, file), (20, place)] {
                bytes[start + at..start + at + 4].copy_from_slice(&value.to_le_bytes());
            }
        }
        bytes
    }

    #[test]
    fn the_section_of_the_command_line() {
        let text = (b".text\0\0\0", 1, 1, 1);
        let good = image(&[text, (NAME, 20, 512, 4096), (NAME, 9, 512, 9999)]);
        assert_eq!(section(&good), Ok(Some((4096, 20))));
        assert_eq!(section(&image(&[(NAME, 0, 512, 4096)])), Ok(Some((4096, 512))));
        assert_eq!(section(&image(&[text])), Ok(None));
        assert_eq!(section(b"#!/bin/sh"), Ok(None));
        for end in 2..good.len() {
            let _ = section(&good[..end]);
        }
        assert!(section(&good[..good.len() - 1]).is_err());
        assert!(section(&image(&[(NAME, 1 << 20, 1 << 20, 0)])).is_err());
        let mut many = good;
        many[64 + 6] = 200;
        assert!(section(&many).is_err());
    }
}
