//! Which cells are whose: a list or large data that two want is damage, and reading it for each of
//! them would make a walk over a small hive endless.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Ranges of the hive bins and the offset of the cell that they belong to; the first that asks has it.
#[derive(Default)]
pub struct Claims {
    ranges: Mutex<BTreeMap<u32, (u32, u32)>>,
}

impl Claims {
    /// Whether the range is the owner's, or was nobody's and now is.
    pub fn claim(&self, range: Range<u32>, owner: u32) -> bool {
        let mut ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        if ranges.get(&range.start) == Some(&(range.end, owner)) {
            return true;
        }
        let overlaps = |(_, &(end, _)): (&u32, &(u32, u32))| end > range.start;
        let is_taken = ranges.range(..range.end).next_back().is_some_and(overlaps);
        if !is_taken {
            ranges.insert(range.start, (range.end, owner));
        }
        !is_taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_has_it() {
        let claims = Claims::default();
        assert!(claims.claim(10..20, 1) && claims.claim(10..20, 1) && claims.claim(20..30, 2));
        assert!(!claims.claim(10..20, 2) && !claims.claim(15..16, 1) && !claims.claim(5..40, 3));
        assert!(claims.claim(5..10, 2) && !claims.claim(29..31, 2));
    }
}
