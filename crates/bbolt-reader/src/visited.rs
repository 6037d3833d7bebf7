//! Which pages were met: a bit for each.

use std::collections::BTreeMap;

#[derive(Default)]
pub struct Visited {
    /// By the number of 64 pages.
    words: BTreeMap<u64, u64>,
}

impl Visited {
    pub fn new(pages: &[u64]) -> Self {
        let mut visited = Self::default();
        for page in pages {
            visited.insert(*page);
        }
        visited
    }

    /// Whether it was not met before.
    pub fn insert(&mut self, page: u64) -> bool {
        let word = self.words.entry(page / 64).or_default();
        let bit = 1 << (page % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}
