//! Older texts in a metadata area, for when the newest is damaged. Nothing says where they stand,
//! but that each starts a sector.

use crate::label::SECTOR;
use crate::metadata_area::whole_buffer;
use crate::model::Group;
use block_source::BlockSource;
use std::ops::Range;

/// Bytes that are parsed at most in the search.
const MOST_PARSED: usize = 64 << 20;

/// The text with the highest sequence number of all that can be read.
pub fn newest_of(device: &dyn BlockSource, area: &Range<u64>) -> Option<Group> {
    let (buffer, length) = whole_buffer(device, area).ok()?;
    let mut parsed = 0;
    let mut newest: Option<Group> = None;
    for start in (0..length).step_by(SECTOR) {
        let text = &buffer[start..start + length];
        if !looks_like_one(text) {
            continue;
        }
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(length);
        parsed += end;
        if parsed > MOST_PARSED {
            break;
        }
        if let Ok(group) = Group::parse(&text[..end])
            && newest.as_ref().is_none_or(|newest| newest.seqno < group.seqno)
        {
            newest = Some(group);
        }
    }
    newest
}

/// A name, a space and an opening brace.
fn looks_like_one(text: &[u8]) -> bool {
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(byte);
    let length = text.iter().position(|byte| !name(byte)).unwrap_or(0);
    length > 0 && text[length..].starts_with(b" {\n")
}
