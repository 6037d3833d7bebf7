//! Access lists, which are stored in another form than the kernel gives them to programs.

use crate::bytes::{be16, be32};

const ENTRY: usize = 12;
const GIVEN_VERSION: u32 = 2;
const USER: u32 = 0x2;
const GROUP: u32 = 0x8;
const NO_ID: u32 = u32::MAX;

/// The value that `getxattr` gives for a stored list; none if the list is damaged.
///
/// Only entries of named users and groups have a number; the others are given as if they had
/// none, whatever is stored.
pub fn as_given(stored: &[u8]) -> Option<Vec<u8>> {
    let count = be32(stored, 0) as usize;
    let entries = stored.get(4..)?;
    if entries.len() != count.checked_mul(ENTRY)? {
        return None;
    }
    let mut given = GIVEN_VERSION.to_le_bytes().to_vec();
    for entry in entries.chunks_exact(ENTRY) {
        let tag = be32(entry, 0);
        let id = if matches!(tag, USER | GROUP) { be32(entry, 4) } else { NO_ID };
        given.extend_from_slice(&u16::try_from(tag).ok()?.to_le_bytes());
        given.extend_from_slice(&be16(entry, 8).to_le_bytes());
        given.extend_from_slice(&id.to_le_bytes());
    }
    Some(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_cut_or_longer_than_it_says_is_refused() {
        let entry = [0, 0, 0, 1, 0, 0, 0, 0, 0, 6, 0, 0];
        let stored = [&[0, 0, 0, 1][..], &entry].concat();
        assert!(as_given(&stored).is_some());
        assert!(as_given(&[]).is_none());
        assert!(as_given(&stored[..stored.len() - 1]).is_none());
        assert!(as_given(&[&stored[..], &entry].concat()).is_none());
    }
}
