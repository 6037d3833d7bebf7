//! What can go wrong.

use block_source::ReadError;

/// Why something could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The device could not deliver.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A feature that this reader does not know, or data that is not on the volume.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The feature.
        feature: String,
    },
    /// The bytes contradict the format.
    #[error("{what} ({at})")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// The number (of a record, block or cluster) or value that shows it.
        at: u64,
    },
}

impl Error {
    pub(crate) fn corrupt(what: &'static str, at: impl Into<u64>) -> Self {
        Self::Corrupt { what, at: at.into() }
    }

    pub(crate) fn unsupported(feature: impl Into<String>) -> Self {
        Self::Unsupported { feature: feature.into() }
    }
}

/// Damage to something of which the rest was read: the first reasons, and how many there were.
#[derive(Debug, Clone, Default)]
pub struct Damage {
    /// The first reasons, at most [`Damage::MOST_KEPT`].
    pub reasons: Vec<Error>,
    /// How many reasons there were in all.
    pub count: u64,
}

impl Damage {
    /// The most reasons that are kept; the rest is only counted.
    pub const MOST_KEPT: usize = 16;

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn note(&mut self, reason: Error) {
        self.count += 1;
        if self.reasons.len() < Self::MOST_KEPT {
            self.reasons.push(reason);
        }
    }
}
