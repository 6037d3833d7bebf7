//! The build information of Go programs.
//!
//! ```text
//! "\xff Go buildinf:" pointer's size:8 flags:8
//! Go 1.13 to 1.17: a pointer to a string's pointer and length, for the version; another for the modules
//! since Go 1.18 (flag 2): at 32, length as a varint and bytes of the version; the same of the modules
//! ```
//!
//! Format: `debug/buildinfo` of <https://go.dev/src/debug/buildinfo/buildinfo.go>. It is looked for in its
//! section; PE has none, so there, and in an ELF without any section, it is at the start of the data.

use executable_reader::{Error, Executable, Format, Part};

const MAGIC: &[u8] = b"\xff Go buildinf:";
const HEADER: usize = 32;
const BIG: u8 = 1;
const INLINE: u8 = 2;
/// Bytes of data that are searched where no section says where it is.
const SEARCHED: u64 = 64 << 10;
/// It is aligned so.
const ALIGN: usize = 16;
const MOST_VERSION: u64 = 1024;
/// Bytes of the list of modules; those of large programs have a hundred thousand.
const MOST_MODULES: u64 = 4 << 20;
/// Marks before and after the list of modules.
const SENTINEL: usize = 16;
/// Most bytes of a length.
const VARINT: usize = 10;

/// What the linker noted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// Version of Go, such as `go1.22.1`.
    pub version: String,
    /// Lines of words with tabs between them; empty where the program was built without modules.
    pub modules: String,
}

/// The build information; `None` of what is no Go program.
pub fn build_info(program: &Executable) -> Result<Option<BuildInfo>, Error> {
    let Some((offset, header)) = find(program)? else { return Ok(None) };
    let (version, modules) = match header[15] & INLINE {
        0 => pointed(program, &header)?,
        _ => inline(program, offset + HEADER as u64)?,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some(BuildInfo { version: text(&version), modules: text(bare(&modules)) }))
}

/// Where the header is, and its bytes.
fn find(program: &Executable) -> Result<Option<(u64, Vec<u8>)>, Error> {
    let names = [".go.buildinfo", "__go_buildinfo"];
    let section = names.iter().find_map(|name| program.section(name));
    let Some(part) = section.or_else(|| data(program)) else { return Ok(None) };
    let length = part.size.min(SEARCHED).min(program.size().saturating_sub(part.offset));
    if section.is_some() && length < HEADER as u64 {
        return program.bytes(part.offset, HEADER).map(|_| None);
    }
    // A small read finds it where a section says so.
    let length = if section.is_some() { length.min(4096) } else { length };
    let bytes = program.bytes(part.offset, length as usize)?;
    let mut places = (0..bytes.len().saturating_sub(HEADER - 1)).step_by(ALIGN);
    let at = places.find(|at| bytes[*at..].starts_with(MAGIC));
    Ok(at.map(|at| (part.offset + at as u64, bytes[at..at + HEADER].to_vec())))
}

/// The part that may hold it without saying so.
fn data(program: &Executable) -> Option<&Part> {
    let parts = match program.format() {
        Format::Pe => program.sections(),
        Format::Elf if program.sections().is_empty() => program.segments(),
        Format::Elf | Format::MachO => return None,
    };
    parts.iter().find(|part| part.is_writable && part.size > 0)
}

type Texts = (Vec<u8>, Vec<u8>);

/// Both texts right behind the header.
fn inline(program: &Executable, at: u64) -> Result<Texts, Error> {
    let (version, next) = counted(program, at, MOST_VERSION)?;
    let (modules, _) = counted(program, next, MOST_MODULES)?;
    Ok((version, modules))
}

/// Bytes behind their length, and where they end.
fn counted(program: &Executable, at: u64, most: u64) -> Result<(Vec<u8>, u64), Error> {
    let rest = program.size().saturating_sub(at).min(VARINT as u64) as usize;
    let bytes = program.bytes(at, rest)?;
    let end = bytes.iter().position(|byte| byte & 0x80 == 0);
    let varint = end.map(|end| &bytes[..=end]).ok_or_else(|| corrupt("a length", at))?;
    let length =
        varint.iter().rev().fold(0u64, |length, byte| length << 7 | u64::from(byte & 0x7f));
    if length > most {
        return Err(corrupt("a text longer than any real one", at));
    }
    let start = at + varint.len() as u64;
    Ok((program.bytes(start, length as usize)?, start + length))
}

/// Both texts by pointers to their pointers and lengths.
fn pointed(program: &Executable, header: &[u8]) -> Result<Texts, Error> {
    let size = usize::from(header[14]);
    if !matches!(size, 4 | 8) {
        return Err(corrupt("the size of a pointer", u64::from(header[14])));
    }
    let is_big = header[15] & BIG != 0;
    let number = |bytes: &[u8]| {
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if is_big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    };
    let text = |at: u64, most: u64| {
        if at == 0 {
            return Ok(Vec::new());
        }
        let string = program.at_address(at, 2 * size)?;
        let (address, length) = (number(&string[..size]), number(&string[size..]));
        match length {
            0 => Ok(Vec::new()),
            _ if length > most => Err(corrupt("a text longer than any real one", at)),
            _ => program.at_address(address, length as usize),
        }
    };
    let version = text(number(&header[16..16 + size]), MOST_VERSION)?;
    let modules = text(number(&header[16 + size..16 + 2 * size]), MOST_MODULES)?;
    Ok((version, modules))
}

/// The list without its marks; nothing if it has none.
fn bare(modules: &[u8]) -> &[u8] {
    let end = modules.len().checked_sub(SENTINEL);
    let inner = end.and_then(|end| modules.get(SENTINEL..end));
    inner.filter(|inner| inner.last() == Some(&b'\n')).unwrap_or_default()
}

fn corrupt(what: &'static str, at: u64) -> Error {
    Error::Corrupt { what, at }
}

#[cfg(test)]
mod tests;
