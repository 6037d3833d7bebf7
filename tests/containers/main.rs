//! Containers on disks: what the scan says of them against what their engines said.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

mod archives;
mod damage;
mod engines;
mod stores;
mod support;
