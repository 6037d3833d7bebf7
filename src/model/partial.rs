//! Half an answer: what was found, and what could not be read.

use super::Gap;

/// A result that stays useful when parts of its input could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partial<T> {
    /// What was found.
    pub found: T,
    /// What was not read, and why.
    pub gaps: Vec<Gap>,
}

impl<T> Partial<T> {
    /// A whole answer.
    pub fn whole(found: T) -> Self {
        Self { found, gaps: Vec::new() }
    }

    /// Takes what was found and hands the gaps to the caller's list.
    pub fn into_found(self, gaps: &mut Vec<Gap>) -> T {
        gaps.extend(self.gaps);
        self.found
    }
}
