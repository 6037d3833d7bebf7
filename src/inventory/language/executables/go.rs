//! The build information of Go programs.
//!
//! ```text
//! "\xff Go buildinf:" pointer's size:8 flags:8
//! Go 1.13 to 1.17: a pointer to a string's pointer and length, for the version; another for the modules
//! since Go 1.18 (flag 2): at 32, length as a varint and bytes of the version; the same of the modules
//! ```
//!
//! Format: `debug/buildinfo` of <https://go.dev/src/debug/buildinfo/buildinfo.go>. It is looked for in its
//! section; PE has none, so there, and in an ELF that has no such section though Go built it, it is at the start of the data.
//! What is damaged of it leaves the rest.

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
#[derive(Debug, Default)]
pub struct BuildInfo {
    /// Version of Go, such as `go1.22.1`.
    pub version: String,
    /// Lines of words with tabs between them; empty where the program was built without modules.
    pub modules: String,
    /// Why one of them is not whole.
    pub damage: Vec<Error>,
}

/// The build information; `None` of what is no Go program.
pub fn build_info(program: &Executable) -> Result<Option<BuildInfo>, Error> {
    let Some((offset, header)) = find(program)? else { return Ok(None) };
    let texts = match header[15] & INLINE {
        0 => pointed(program, &header)?,
        _ => inline(program, offset + HEADER as u64),
    };
    let mut damage = Vec::new();
    let mut sound = |text: Result<Vec<u8>, Error>| {
        text.unwrap_or_else(|error| {
            damage.push(error);
            Vec::new()
        })
    };
    let (version, modules) = (sound(texts.0), sound(texts.1));
    if version.is_empty() && damage.is_empty() {
        damage.push(corrupt("no version of Go", offset));
    }
    let (lines, is_whole) = bare(&modules);
    if !is_whole {
        damage.push(corrupt("a list of modules that is cut off", offset));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some(BuildInfo { version: text(&version), modules: text(lines), damage }))
}

/// Where the header is, and its bytes.
fn find(program: &Executable) -> Result<Option<(u64, Vec<u8>)>, Error> {
    let names = [".go.buildinfo", "__go_buildinfo"];
    // One that is kept apart with the debug information has no bytes.
    let section = names.iter().find_map(|name| program.section(name)).filter(|it| it.size > 0);
    let Some(part) = section.or_else(|| data(program)) else { return Ok(None) };
    let length = part.size.min(SEARCHED).min(program.size().saturating_sub(part.offset));
    if section.is_some() && length < HEADER as u64 {
        return Err(corrupt("a section shorter than its header", part.offset));
    }
    // A small read finds it where a section says so.
    let length = if section.is_some() { length.min(4096) } else { length };
    let bytes = program.bytes(part.offset, length as usize)?;
    let mut places = (0..bytes.len().saturating_sub(HEADER - 1)).step_by(ALIGN);
    match places.find(|at| bytes[*at..].starts_with(MAGIC)) {
        Some(at) => Ok(Some((part.offset + at as u64, bytes[at..at + HEADER].to_vec()))),
        None if section.is_some() => Err(corrupt("a section without its mark", part.offset)),
        None => Ok(None),
    }
}

/// The part that may hold it without saying so.
fn data(program: &Executable) -> Option<&Part> {
    let parts = match program.format() {
        Format::Pe => program.sections(),
        Format::Elf if program.sections().is_empty() || is_of_go(program) => program.segments(),
        Format::Elf | Format::MachO => return None,
    };
    parts.iter().find(|part| part.is_writable && part.size > 0)
}

/// Whether other sections than its own say that Go built the program.
fn is_of_go(program: &Executable) -> bool {
    let names = [".note.go.buildid", ".gopclntab", ".data.rel.ro.gopclntab"];
    names.iter().any(|name| program.section(name).is_some())
}

/// The version, and the list of modules with its marks.
type Texts = (Result<Vec<u8>, Error>, Result<Vec<u8>, Error>);

/// Both texts right behind the header. Where the second is, only the first tells.
fn inline(program: &Executable, at: u64) -> Texts {
    match counted(program, at, MOST_VERSION) {
        Ok((version, next)) => {
            (Ok(version), counted(program, next, MOST_MODULES).map(|(modules, _)| modules))
        }
        Err(error) => (Err(error), Ok(Vec::new())),
    }
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
            return Err(corrupt("a pointer to nothing", at));
        }
        let string = program.at_address(at, 2 * size)?;
        let (address, length) = (number(&string[..size]), number(&string[size..]));
        match length {
            0 => Ok(Vec::new()),
            _ if length > most => Err(corrupt("a text longer than any real one", at)),
            _ => program.at_address(address, length as usize),
        }
    };
    let version = text(number(&header[16..16 + size]), MOST_VERSION);
    let modules = text(number(&header[16 + size..16 + 2 * size]), MOST_MODULES);
    Ok((version, modules))
}

/// The list without its marks, and whether it is there up to the second. Of one that is not, the whole lines are.
fn bare(modules: &[u8]) -> (&[u8], bool) {
    let end = modules.len().checked_sub(SENTINEL);
    let inner = end.and_then(|end| modules.get(SENTINEL..end)).unwrap_or_default();
    if modules.is_empty() || inner.ends_with(b"\n") {
        return (inner, true);
    }
    let lines = modules.get(SENTINEL..).unwrap_or_default();
    let end = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    (&lines[..end], false)
}

fn corrupt(what: &'static str, at: u64) -> Error {
    Error::Corrupt { what, at }
}

#[cfg(test)]
mod tests;
