//! Access lists, which are stored shorter than the kernel gives them to programs.
//! <https://docs.kernel.org/filesystems/ext4/dynamic.html#posix-acls>

use crate::bytes::{u16_at, u32_at};

const STORED_VERSION: u32 = 1;
const GIVEN_VERSION: u32 = 2;
const USER: u16 = 0x2;
const GROUP: u16 = 0x8;
const NO_ID: u32 = u32::MAX;

/// The value that `getxattr` gives for a stored list; none if the list is damaged.
///
/// Stored, only entries of named users and groups have a number; given, all have.
pub fn as_given(stored: &[u8]) -> Option<Vec<u8>> {
    if stored.len() < 4 || u32_at(stored, 0) != STORED_VERSION {
        return None;
    }
    let mut given = GIVEN_VERSION.to_le_bytes().to_vec();
    let mut rest = &stored[4..];
    while !rest.is_empty() {
        let length = if matches!(u16_at(rest, 0), USER | GROUP) { 8 } else { 4 };
        let (entry, after) = rest.split_at_checked(length)?;
        let id = if length == 8 { u32_at(entry, 4) } else { NO_ID };
        given.extend_from_slice(&entry[..4]);
        given.extend_from_slice(&id.to_le_bytes());
        rest = after;
    }
    Some(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_cut_or_of_another_version_is_refused() {
        let stored = [&[1, 0, 0, 0][..], &[2, 0, 4, 0, 0xa0, 0x86, 1, 0], &[4, 0, 6, 0]].concat();
        assert!(as_given(&stored).is_some());
        assert!(as_given(&[]).is_none());
        assert!(as_given(&stored[..10]).is_none());
        assert!(as_given(&stored[..stored.len() - 1]).is_none());
        assert!(as_given(&[2, 0, 0, 0]).is_none());
    }
}
