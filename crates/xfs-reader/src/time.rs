//! Times, in their two forms.

use crate::bytes::{be32, be64};

/// Seconds since 1970, which may be negative, and nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// Nanoseconds, below 1,000,000,000 on a sound disk.
    pub nanoseconds: u32,
}

const NANOSECONDS: u64 = 1_000_000_000;
/// Where big times start: December 1901, the first second of the old form.
const EPOCH: i64 = -(1 << 31);

impl Time {
    /// Seconds and nanoseconds of 32 bits each, or one count of nanoseconds.
    pub(crate) fn parse(raw: &[u8], at: usize, big: bool) -> Self {
        if !big {
            let seconds = i64::from(be32(raw, at).cast_signed());
            return Self { seconds, nanoseconds: be32(raw, at + 4) };
        }
        let count = be64(raw, at);
        // At most 2^64 / 10^9 seconds, which fit.
        let seconds = (count / NANOSECONDS).cast_signed() + EPOCH;
        Self { seconds, nanoseconds: (count % NANOSECONDS) as u32 }
    }
}
