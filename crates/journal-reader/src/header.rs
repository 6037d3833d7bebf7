//! The header of a file.
//!
//! `struct Header`, at least the 208 bytes of the first version: signature, flags, ids, then 64-bit
//! numbers; later versions append. <https://systemd.io/JOURNAL_FILE_FORMAT/#header>

use crate::bytes::{array, le32, le64};
use crate::error::{Error, corrupt};
use crate::hash::Hash;
use crate::pages::Pages;

const SIGNATURE: &[u8; 8] = b"LPKSHHRH";
const LEAST: u64 = 208;
const SHOWN: usize = 272;
const KEYED_HASH: u32 = 1 << 2;
const COMPACT: u32 = 1 << 4;
/// Compressions, and the two above.
const KNOWN: u32 = 0x1f;

/// What a file says of itself.
#[derive(Debug, Clone)]
pub struct Header {
    /// Id of the file.
    pub file_id: [u8; 16],
    /// The machine that wrote it.
    pub machine_id: [u8; 16],
    /// Whether its writer closed it; of a running system it did not.
    pub is_closed: bool,
    /// Entries.
    pub entries: u64,
    /// When the first entry was written, in microseconds since 1970; zero without entries.
    pub first_time: u64,
    /// When the last entry was written, likewise.
    pub last_time: u64,
    pub(crate) is_compact: bool,
    pub(crate) hash: Hash,
    pub(crate) length: u64,
    pub(crate) data_table: Table,
    pub(crate) field_table: Table,
}

/// A hash table: where its items are and how many bytes they have.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub at: u64,
    pub length: u64,
}

impl Header {
    pub(crate) fn read(pages: &mut Pages) -> Result<Self, Error> {
        let bytes = pages.read(0, SHOWN.min(usize::try_from(pages.size()).unwrap_or(SHOWN)))?;
        if !bytes.starts_with(SIGNATURE) {
            return Err(corrupt("no signature of a journal", 0));
        }
        let flags = le32(&bytes, 12);
        if flags & !KNOWN != 0 {
            let feature = format!("incompatible flags {:#x}", flags & !KNOWN);
            return Err(Error::Unsupported { feature });
        }
        let (length, arena) = (le64(&bytes, 88), le64(&bytes, 96));
        // The arena may have grown before the file did, so its own length is not held against it.
        if length < LEAST || !length.is_multiple_of(8) || length > pages.size() || arena == 0 {
            return Err(corrupt("a header of a wrong length", 88));
        }
        let table = |at| Table { at: le64(&bytes, at), length: le64(&bytes, at + 8) };
        let file_id = array(&bytes, 24);
        Ok(Self {
            file_id,
            machine_id: array(&bytes, 40),
            is_closed: bytes[16] != 1,
            entries: le64(&bytes, 152),
            first_time: le64(&bytes, 184),
            last_time: le64(&bytes, 192),
            is_compact: flags & COMPACT != 0,
            hash: if flags & KEYED_HASH == 0 { Hash::Jenkins } else { Hash::Keyed(file_id) },
            length,
            data_table: table(104),
            field_table: table(120),
        })
    }
}
