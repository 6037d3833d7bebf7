//! Tokens of the blocks of one stretch of a snapshot, kept in three allocations.

use super::retry::{Cause, Class, Failure};

/// Indexes in one chunk.
pub(super) const CHUNK_BLOCKS: u32 = 10_000;

/// The listed blocks of a chunk, by rising index.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    indexes: Vec<u32>,
    /// Where the token of each block ends in `tokens`.
    ends: Vec<usize>,
    tokens: String,
}

impl Chunk {
    /// Number of blocks.
    pub(super) fn len(&self) -> u64 {
        self.indexes.len() as u64
    }

    /// Index of the first block.
    pub(super) fn first(&self) -> Option<u32> {
        self.indexes.first().copied()
    }

    /// The token of a block; `None` if the snapshot does not hold it.
    pub(super) fn token(&self, block: u32) -> Option<&str> {
        let at = self.indexes.binary_search(&block).ok()?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.tokens.get(start..self.ends[at])
    }

    /// The blocks before `limit`, and then those of `later`.
    pub(super) fn with_tail(&self, limit: u32, later: &[(u32, String)]) -> Self {
        let kept = self.indexes.partition_point(|index| *index < limit);
        let end = kept.checked_sub(1).map_or(0, |last| self.ends[last]);
        let mut chunk = Self {
            indexes: self.indexes[..kept].to_vec(),
            ends: self.ends[..kept].to_vec(),
            tokens: self.tokens[..end].to_owned(),
        };
        for (index, token) in later {
            chunk.indexes.push(*index);
            chunk.tokens.push_str(token);
            chunk.ends.push(chunk.tokens.len());
        }
        chunk
    }
}

/// The blocks that a walk over pages found.
pub(super) struct Found {
    entries: Vec<(u32, String)>,
    /// Every block before this index is known.
    pub(super) known_to: u32,
}

impl Found {
    pub(super) fn from(start: u32) -> Self {
        Self { entries: Vec::new(), known_to: start }
    }

    /// Adds the blocks of a page, whose indexes must rise and lie in the volume.
    pub(super) fn add(&mut self, blocks: Vec<(u32, String)>, volume: u32) -> Result<(), Failure> {
        for (index, token) in blocks {
            if index < self.known_to || index >= volume {
                let detail = format!("the listing has block {index} where it cannot be");
                return Err(Failure::new(Class::Fatal, Cause::Other, detail));
            }
            self.known_to = index + 1;
            self.entries.push((index, token));
        }
        Ok(())
    }

    /// The blocks from `start` to before `end`.
    pub(super) fn range(&self, start: u32, end: u32) -> &[(u32, String)] {
        let at = |limit| self.entries.partition_point(|(index, _)| *index < limit);
        &self.entries[at(start)..at(end)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(entries: &[(u32, &str)]) -> Vec<(u32, String)> {
        entries.iter().map(|(index, token)| (*index, (*token).to_owned())).collect()
    }

    #[test]
    fn a_tail_replaces_the_tokens_from_its_start() {
        let old = Chunk::default().with_tail(0, &blocks(&[(3, "three"), (5, "five"), (9, "nine")]));
        assert_eq!((old.token(3), old.token(4), old.token(9)), (Some("three"), None, Some("nine")));
        let new = old.with_tail(5, &blocks(&[(5, "fünf"), (9, "neun")]));
        assert_eq!((new.token(3), new.token(5)), (Some("three"), Some("fünf")));
        assert_eq!((new.token(9), new.len()), (Some("neun"), 3));
    }

    #[test]
    fn indexes_must_rise_and_lie_in_the_volume() {
        let mut found = Found::from(4);
        assert!(found.add(blocks(&[(4, "a"), (7, "b")]), 10).is_ok());
        assert_eq!((found.known_to, found.range(5, 10).len()), (8, 1));
        assert!(found.add(blocks(&[(7, "b")]), 10).is_err());
        assert!(found.add(blocks(&[(10, "c")]), 10).is_err());
    }
}
