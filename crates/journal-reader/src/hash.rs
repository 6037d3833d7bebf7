//! The hashes of values: SipHash-2-4 with the file's id as its key, in older files the second of
//! Bob Jenkins' lookup3 (<https://burtleburtle.net/bob/c/lookup3.c>, `hashlittle2`).

use crate::bytes::{array, le64};
use std::hash::Hasher;

/// How a file hashes.
#[derive(Debug, Clone, Copy)]
pub enum Hash {
    Keyed([u8; 16]),
    Jenkins,
}

impl Hash {
    pub fn of(self, value: &[u8]) -> u64 {
        match self {
            Self::Keyed(key) => siphash(&key, value),
            Self::Jenkins => jenkins(value),
        }
    }
}

#[expect(deprecated, reason = "it is SipHash-2-4 with a given key, which is what files have")]
fn siphash(key: &[u8; 16], value: &[u8]) -> u64 {
    let mut hasher = std::hash::SipHasher::new_with_keys(le64(key, 0), le64(key, 8));
    hasher.write(value);
    hasher.finish()
}

/// Both halves of the hash from a seed of zero, the first in the upper bits.
fn jenkins(value: &[u8]) -> u64 {
    let start = 0xdead_beef_u32.wrapping_add(value.len() as u32);
    let mut state = [start; 3];
    // The last piece, which may be a whole one, is mixed in another way.
    let last = value.len().saturating_sub(1) / 12 * 12;
    let (whole, rest) = value.split_at(last);
    for piece in whole.chunks_exact(12) {
        add(&mut state, piece);
        mix(&mut state);
    }
    if !rest.is_empty() {
        add(&mut state, rest);
        finish(&mut state);
    }
    u64::from(state[2]) << 32 | u64::from(state[1])
}

/// Adds up to twelve bytes, as if zeroes followed.
fn add(state: &mut [u32; 3], piece: &[u8]) {
    let mut padded = [0; 12];
    padded[..piece.len()].copy_from_slice(piece);
    for (index, word) in state.iter_mut().enumerate() {
        *word = word.wrapping_add(u32::from_le_bytes(array(&padded, 4 * index)));
    }
}

fn mix(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    for turns in [4, 6, 8, 16, 19, 4] {
        a = a.wrapping_sub(c) ^ c.rotate_left(turns);
        c = c.wrapping_add(b);
        (a, b, c) = (b, c, a);
    }
    *state = [a, b, c];
}

fn finish(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    for turns in [14, 11, 25, 16, 4, 14, 24] {
        c = (c ^ b).wrapping_sub(b.rotate_left(turns));
        (a, b, c) = (b, c, a);
    }
    // Seven steps of three words leave them one further.
    *state = [c, a, b];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `driver5` of lookup3.c prints them.
    #[test]
    fn hashes_of_the_author_of_lookup3() {
        assert_eq!(jenkins(b""), 0xdead_beef_dead_beef);
        assert_eq!(jenkins(b"Four score and seven years ago"), 0x1777_0551_ce72_26e6);
    }

    /// The first of the vectors of SipHash's authors, and the fifteen bytes of their paper.
    #[test]
    fn hashes_of_the_authors_of_siphash() {
        let key = std::array::from_fn(|index| index as u8);
        assert_eq!(Hash::Keyed(key).of(b""), 0x726f_db47_dd0e_0e31);
        let text: Vec<u8> = (0..15).collect();
        assert_eq!(Hash::Keyed(key).of(&text), 0xa129_ca61_49be_45e5);
    }
}
