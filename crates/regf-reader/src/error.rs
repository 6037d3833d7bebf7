//! What can go wrong.

use block_source::ReadError;

/// Why something could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The layer below failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A feature that this reader does not know.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The feature.
        feature: String,
    },
    /// The bytes contradict the format.
    #[error("damaged registry hive: {what} at {at:#x}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// Byte offset in the hive's file, or in the log's where a log is what is wrong.
        at: u64,
    },
}

pub(crate) fn corrupt(what: &'static str, at: u64) -> Error {
    Error::Corrupt { what, at }
}

pub(crate) fn unsupported(feature: impl Into<String>) -> Error {
    Error::Unsupported { feature: feature.into() }
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

    /// Reasons after which the rest of a listing is left.
    const MOST: u64 = 1000;

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

    /// Whether it is so much that the rest should be left.
    pub(crate) fn is_too_much(&self) -> bool {
        self.count >= Self::MOST
    }

    pub(crate) fn into_result(self) -> Result<(), Error> {
        self.reasons.into_iter().next().map_or(Ok(()), Err)
    }
}
