//! What is wrong with a file or a folder: the first problems in full, the rest as a count, so that
//! a hostile disk cannot fill the memory or the report.

use crate::model::{Gap, GapReason};

/// The problems of one place.
pub struct Problems {
    place: String,
    most: usize,
    listed: Vec<Gap>,
    more: u64,
}

impl Problems {
    /// None yet; the first `most` will be listed.
    pub fn new(place: &str, most: usize) -> Self {
        Self { place: place.to_owned(), most, listed: Vec::new(), more: 0 }
    }

    /// Adds one.
    pub fn push(&mut self, gap: Gap) {
        if self.listed.len() < self.most {
            self.listed.push(gap);
        } else {
            self.more += 1;
        }
    }

    /// Counts further ones that are not kept.
    pub fn count(&mut self, more: u64) {
        self.more += more;
    }

    /// The listed ones, and one that counts the rest.
    pub fn into_gaps(mut self) -> Vec<Gap> {
        if self.more > 0 {
            let detail = format!("{} more problems that are not listed", self.more);
            self.listed.push(Gap::new(self.place, GapReason::Limit, detail));
        }
        self.listed
    }
}
