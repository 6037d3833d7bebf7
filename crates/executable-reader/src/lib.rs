//! Executables, read-only, over positioned reads: which parts they have, by name and by the address that
//! they are loaded at, and the bytes of those that are asked for.
//!
//! * Read: ELF of 32 and 64 bits and both byte orders, PE, Mach-O of both, and universal files of several.
//! * Only headers and tables are read, of which each is bounded ([`MOST_PARTS`]); nothing is allocated
//!   by a number of the file alone.
//! * A table that is damaged costs only itself: what it would have told is missing, and a
//!   [`Executable::problems`] says so.
//! * Refused: symbols, relocations and debug information are not read. COFF objects are none of these.
//!
//! ```
//! # fn go(file: Vec<u8>) -> Result<(), executable_reader::Error> {
//! for program in executable_reader::open(std::sync::Arc::new(file))? {
//!     if let Some(part) = program.section(".go.buildinfo") {
//!         println!("{} bytes at {:#x}", part.size, part.address);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod elf;
mod error;
mod executable;
mod fields;
mod macho;
mod pe;

pub use error::Error;
pub use executable::{Executable, Format, Part};

use block_source::BlockSource;
use std::sync::Arc;

/// Sections or segments of one executable.
pub const MOST_PARTS: usize = 1 << 16;
/// Executables of one universal file.
pub const MOST_IN_ONE: usize = 16;

/// The executables that a file holds: none if it is no executable, several if it is universal.
pub fn open(source: Arc<dyn BlockSource>) -> Result<Vec<Executable>, Error> {
    let head = fields::bytes(&*source, 0, 4096.min(source.size()))?;
    match head.get(..4) {
        Some([0x7f, b'E', b'L', b'F']) => elf::open(source, &head).map(|it| vec![it]),
        Some([b'M', b'Z', ..]) => Ok(pe::open(source, &head)?.into_iter().collect()),
        Some([0xfe, 0xed, 0xfa, 0xce | 0xcf] | [0xce | 0xcf, 0xfa, 0xed, 0xfe]) => {
            let whole = 0..source.size();
            macho::open(source, whole).map(|it| vec![it])
        }
        Some([0xca, 0xfe, 0xba, 0xbe | 0xbf]) => macho::universal(&source, &head),
        _ => Ok(Vec::new()),
    }
}
